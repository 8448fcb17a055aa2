import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, REDIS_SERVER, type RedisServer, startRedisServer } from './redis-server.js';
import { waitUntil } from './wait-until.js';

const MASTER = 'flipgate';
const SENTINELS = 3;
const REPLICAS = 2;
/** Enough for processes that all start at once on a busy machine, ms. */
const PATIENCE_MS = 30_000;

/** A Redis master with two replicas, watched by three Sentinels. */
export interface SentinelRedis {
  /** For `REDIS_URL`. */
  readonly url: string;
  /** A plain URL of the server that is master now, as the Sentinels say. */
  masterUrl(): Promise<string>;
  /** SIGKILLs the master; resolves when the Sentinels have made another one. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them all; resolves when the Sentinels know each other and the replicas follow. */
export async function startSentinelRedis(): Promise<SentinelRedis> {
  const master = await startRedisServer();
  const replicas = await Promise.all(
    Array.from({ length: REPLICAS }, () =>
      startRedisServer({
        args: ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'],
      }),
    ),
  );
  const servers: RedisServer[] = [master, ...replicas];
  const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-sentinel-'));
  const watched: { readonly port: number; readonly process: ChildProcess; readonly client: Redis }[] = [];
  for (let index = 0; index < SENTINELS; index += 1) {
    const port = await freePort();
    const file = path.join(folder, `${String(port)}.conf`);
    writeFileSync(
      file,
      [
        `port ${String(port)}`,
        'bind 127.0.0.1',
        `dir ${folder}`,
        `sentinel monitor ${MASTER} 127.0.0.1 ${String(master.port)} 2`,
        `sentinel down-after-milliseconds ${MASTER} 1000`,
        `sentinel failover-timeout ${MASTER} 10000`,
        '',
      ].join('\n'),
    );
    const sentinel = spawn(REDIS_SERVER, [file, '--sentinel'], { stdio: 'ignore' });
    const client = new Redis(port, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    client.on('error', () => undefined);
    watched.push({ port, process: sentinel, client });
  }
  const [first] = watched;
  if (first === undefined) throw new Error('no sentinel was started');
  const masterUrl = async (): Promise<string> => {
    const [host, port] = (await first.client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as string[];
    return `redis://${String(host)}:${String(port)}`;
  };
  const knowAll = async (): Promise<boolean> => {
    const known = await Promise.all(
      watched.map(async ({ client }) => {
        const facts = (await client.call('SENTINEL', 'MASTER', MASTER)) as string[];
        const of = (name: string): number => Number(facts[facts.indexOf(name) + 1]);
        return of('num-other-sentinels') === SENTINELS - 1 && of('num-slaves') === REPLICAS;
      }),
    );
    return known.every(Boolean);
  };
  await waitUntil(knowAll, 'the sentinels to know each other', PATIENCE_MS);
  await waitUntil(
    async () => (await infoOf(master)).includes(`connected_slaves:${String(REPLICAS)}`),
    'the replicas to follow',
    PATIENCE_MS,
  );
  return {
    url: `redis+sentinel://${watched.map(({ port }) => `127.0.0.1:${String(port)}`).join(',')}/${MASTER}`,
    masterUrl,
    failOver: async () => {
      const before = await masterUrl();
      const killed = servers.find(({ url }) => url === before);
      await killed?.kill();
      await waitUntil(async () => (await masterUrl()) !== before, 'a new master', PATIENCE_MS);
    },
    stop: async () => {
      for (const { process, client } of watched) {
        client.disconnect();
        process.kill('SIGKILL');
      }
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function infoOf({ url }: RedisServer): Promise<string> {
  const redis = new Redis(url);
  try {
    return await redis.info('replication');
  } finally {
    redis.disconnect();
  }
}
