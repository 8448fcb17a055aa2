import { hostname } from 'node:os';
import process from 'node:process';
import type { Denials } from '../core/auth/denials.js';
import type { DeniedPrincipals } from '../core/auth/denied-principals.js';
import { within } from '../core/within.js';
import type { ClusterStatus } from '../core/cluster/cluster-status.js';
import type { NodeState } from '../core/cluster/node-report.js';
import type { Flips } from '../core/flip/flips.js';
import type { ProfileSwitch } from '../core/flip/profile-switch.js';
import type { RemoteSessions } from '../core/cluster/remote-sessions.js';
import type { Delivery } from '../core/delivery/delivery.js';
import type { Base } from './base.js';
import type { OpenedLog } from './log.js';

/** How long the start waits for the other nodes to know of this one, ms. */
const JOIN_MS = 500;

/** What several gateways on one Redis do together. */
export interface OpenedCluster {
  /** Sessions of the other nodes. */
  readonly sessions: RemoteSessions;
  /** Who is denied, on all nodes. */
  readonly denials: Denials;
  /** Flips of this node, and of all. */
  readonly flips: Flips;
  /** What all nodes have together. */
  status(): Promise<ClusterStatus>;
  /** How many nodes this one knows of, itself among them, and whether Redis tells of them. */
  nodes(): { readonly known: number; readonly reachable: boolean };
  /** This node listens at `url`; the others are told. */
  listensAt(url: string): void;
}

/** With Redis, joins the other nodes: they know of this one, and can reach its sessions, before it has any. */
export async function openCluster(
  base: Base,
  parts: OpenedLog & {
    readonly delivery: Delivery;
    readonly profiles: ProfileSwitch;
    readonly denied: DeniedPrincipals;
  },
): Promise<OpenedCluster | undefined> {
  const { config, nodeId, clock, logger, counters, permissions, closers } = base;
  const { redisUrl, redisKeyPrefix } = config;
  if (redisUrl === undefined) return undefined;
  const { connectRedis, connectSubscriber } = await import('../core/redis/redis-connection.js');
  const { NodeRecords } = await import('../core/cluster/node-records.js');
  const { NodeRegistry, NODE_TTL_MS } = await import('../core/cluster/node-registry.js');
  const { NodeMessages } = await import('../core/cluster/node-messages.js');
  const { ClusterSessions } = await import('../core/cluster/cluster-sessions.js');
  const { ClusterFlips } = await import('../core/cluster/cluster-flips.js');
  const { ClusterDenials } = await import('../core/cluster/cluster-denials.js');
  const { DenialRecords } = await import('../core/cluster/denial-records.js');
  const { ClusterOverview } = await import('../core/cluster/cluster-status.js');
  const onError = permissions.of('nodes');
  const publisher = connectRedis(redisUrl, 'write', logger, onError);
  const subscriber = connectSubscriber(redisUrl, `${redisKeyPrefix}:{nodes}`, logger, onError);
  const records = new NodeRecords(publisher, redisKeyPrefix, NODE_TTL_MS);
  let url: string | null = null;
  const describe = describer(base, parts, () => url);
  const registry = new NodeRegistry(nodeId, { records, clock, counters, describe });
  const messages = new NodeMessages(nodeId, redisKeyPrefix, {
    directory: registry,
    publisher,
    subscriber,
    clock,
    logger,
    counters,
  });
  const sessions = new ClusterSessions(nodeId, parts.delivery, messages);
  const denials = new ClusterDenials({
    records: new DenialRecords(publisher, redisKeyPrefix),
    denied: parts.denied,
    clock,
  });
  const flips = new ClusterFlips(nodeId, {
    node: parts.profiles,
    registry,
    messages,
    drainMs: config.drainMs,
    clock,
    logger,
  });
  const overview = new ClusterOverview(nodeId, { registry, records, clock, describe });
  closers.add('cluster', async () => {
    denials.close();
    await registry.close();
    messages.close();
    publisher.disconnect();
  });
  // Where Redis is away, the first attempt to connect says so at once.
  const away = new Promise<void>((resolve) => void subscriber.once('error', resolve));
  void messages.listen().then(() => registry.beat());
  await within(clock, JOIN_MS, Promise.race([registry.joined.then(() => denials.start()), away]));
  return {
    sessions,
    denials,
    flips,
    status: () => overview.status(),
    nodes: () => {
      const { nodes, reachable } = registry.view();
      return { known: nodes.length, reachable };
    },
    listensAt: (at) => {
      url = at;
      void registry.beat();
    },
  };
}

/** Says what this node is and has. */
function describer(
  { served, clock }: Base,
  { log, bridge, delivery }: OpenedLog & { readonly delivery: Delivery },
  url: () => string | null,
): () => NodeState {
  const startedAt = clock.elapsed();
  return () => {
    const { profile, transports } = served;
    const { sessions, clients, rooms, cursor } = delivery.status();
    return {
      report: {
        url: url(),
        host: hostname(),
        pid: process.pid,
        profile,
        transports: (['websocket', 'sse'] as const).filter((transport) => transports[transport]),
        sessions,
        clients,
        uptimeSeconds: (clock.elapsed() - startedAt) / 1000,
        cursor,
        log: { state: log.state, bridge: bridge?.role ?? null },
      },
      rooms,
    };
  };
}
