import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedisServer } from './redis-server.js';
import { waitUntil } from './wait-until.js';

const MASTERS = 3;
const SLOTS = 16_384;
/** Enough for servers that all start at once on a busy machine, ms. */
const PATIENCE_MS = 30_000;

/** A Redis Cluster of three masters, each with one replica. */
export interface ClusterRedis {
  /** For `REDIS_URL`; names all nodes. */
  readonly url: string;
  /** A plain URL of the master that serves the key now. */
  masterOf(key: string): Promise<string>;
  /** Plain URLs of the masters there are now. */
  masterUrls(): Promise<string[]>;
  /** SIGKILLs the master of the key; resolves when its replica has taken over. */
  failOver(key: string): Promise<void>;
  /** Starts what was killed again, with what it knew; it becomes the replica of who took its place. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

/** One server of the cluster. */
interface Node {
  server: RedisServer;
  readonly busPort: number;
  readonly client: Redis;
  alive: boolean;
}

/** Starts them all; resolves when every node says that the cluster is whole. */
export async function startClusterRedis(): Promise<ClusterRedis> {
  const nodes = await Promise.all(Array.from({ length: MASTERS * 2 }, startNode));
  await joinTogether(nodes);
  const aliveClient = (): Redis => (nodes.find(({ alive }) => alive) as Node).client;
  const masterOf = async (key: string): Promise<string> => {
    const slot = Number(await aliveClient().call('CLUSTER', 'KEYSLOT', key));
    const shards = await shardsOf(aliveClient());
    return shards.find(({ from, to }) => slot >= from && slot <= to)?.url ?? '';
  };
  return {
    url: `redis+cluster://${nodes.map(({ server }) => `127.0.0.1:${String(server.port)}`).join(',')}`,
    masterOf,
    masterUrls: async () => (await shardsOf(aliveClient())).map(({ url }) => url),
    failOver: async (key) => {
      const before = await masterOf(key);
      const killed = nodes.find(({ server }) => server.url === before) as Node;
      killed.alive = false;
      await killed.server.kill();
      await waitUntil(async () => (await masterOf(key)) !== before, 'the replica to take over', PATIENCE_MS);
    },
    restore: async () => {
      for (const node of nodes) {
        if (node.alive) continue;
        const { port, folder } = node.server;
        node.server = await startRedisServer({ port, folder, args: argsOf(node.busPort) });
        node.alive = true;
      }
      for (const { client } of nodes)
        await waitUntil(() => isWhole(client), 'the cluster to be whole', PATIENCE_MS);
    },
    stop: async () => {
      for (const { client } of nodes) client.disconnect();
      await Promise.all(nodes.map(({ server }) => server.stop()));
    },
  };
}

async function startNode(): Promise<Node> {
  const busPort = await freePort();
  const server = await startRedisServer({ args: argsOf(busPort) });
  const client = new Redis(server.port, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  return { server, busPort, client, alive: true };
}

function argsOf(busPort: number): string[] {
  const cluster = `--cluster-enabled yes --cluster-port ${String(busPort)} --cluster-node-timeout 2000`;
  // However long it was cut off, a replica may take over: with one master gone, two are there to agree to it.
  const replica = '--cluster-replica-validity-factor 0 --repl-diskless-sync-delay 0';
  return `${cluster} ${replica}`.split(' ');
}

/** Deals out the slots, has the nodes meet, and gives each master its replica. */
async function joinTogether(nodes: readonly Node[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  for (const [index, { client }] of masters.entries()) {
    const from = Math.floor((SLOTS * index) / MASTERS);
    const to = Math.floor((SLOTS * (index + 1)) / MASTERS) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    // Two nodes that take themselves for equally new would argue for long.
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [first, ...others] = nodes;
  for (const { server, busPort } of others) {
    await first?.client.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
  for (const { client } of nodes) {
    const hasMet = async (): Promise<boolean> =>
      (await factsOf(client)).includes(`cluster_known_nodes:${String(nodes.length)}\r`);
    await waitUntil(hasMet, 'all nodes to meet', PATIENCE_MS);
  }
  for (const [index, { client }] of masters.entries()) {
    await nodes[MASTERS + index]?.client.call(
      'CLUSTER',
      'REPLICATE',
      String(await client.call('CLUSTER', 'MYID')),
    );
  }
  for (const { client } of nodes)
    await waitUntil(() => isWhole(client), 'the cluster to be whole', PATIENCE_MS);
}

/** The slots of each master, and where it is. */
async function shardsOf(
  client: Redis,
): Promise<{ readonly from: number; readonly to: number; readonly url: string }[]> {
  const shards = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  return shards.map(([from, to, [host, port]]) => ({ from, to, url: `redis://${host}:${String(port)}` }));
}

/** The node takes requests, and is in step with its replica or its master. */
async function isWhole(client: Redis): Promise<boolean> {
  const role = await client.info('replication');
  const isLinked = role.includes('role:master')
    ? role.includes('connected_slaves:1')
    : role.includes('master_link_status:up');
  return isLinked && (await factsOf(client)).includes('cluster_state:ok');
}

async function factsOf(client: Redis): Promise<string> {
  return String(await client.call('CLUSTER', 'INFO'));
}
