import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Closers } from '../../core/closers.js';
import { streamKey } from '../../core/log/stream-key.js';
import type { Logger } from '../../core/logger.js';
import { freePorts } from '../../rig/free-port.js';
import { GatewayNode } from '../../rig/gateway-node.js';
import { borrowRedis, type RigRedis, startRedis } from '../../rig/rig-redis.js';
import type { DrillOptions } from '../drill-options.js';
import { LoadCrowd } from '../load/load-crowd.js';
import type { Sample } from '../load/messages.js';
import { Publishers } from '../publish/publishers.js';
import { startNginx } from './drill-nginx.js';

/** Nodes of a drill. */
const NODES = 2;
/** Keeps everything for as long as a drill may take, at any rate that it can have. */
const LOG_MAX_EVENTS = '1000000';

/** Everything that takes part in a drill, all of it started for it, and ended with it. */
export interface Stage {
  readonly redis: RigRedis;
  readonly nodes: readonly GatewayNode[];
  /** Where clients and publishers go: the nodes, or what is in front of them. */
  readonly front: readonly string[];
  readonly publishers: Publishers;
  readonly crowd: LoadCrowd;
  /** Says again what runs, after a node was started anew. */
  readonly remember: () => void;
}

/** What a stage is set with. */
export interface StageParts {
  readonly options: DrillOptions;
  /** What is started is added to it at once, also where setting the stage fails. */
  readonly closers: Closers;
  readonly logger: Logger;
  /** Takes each sample of each load process, numbered from 0. */
  readonly onSample: (process: number, sample: Sample) => void;
}

/** Sets the stage: Redis, nodes, publishers and clients, of which the last two have not begun. */
export async function setStage({ options, closers, logger, onSample }: StageParts): Promise<Stage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'flipgate-drill-'));
  closers.add('the folder', () => rm(folder, { recursive: true, force: true }));
  const prefix = path.basename(folder);
  const channel = `${prefix}-events`;
  const crowd = new LoadCrowd(options.processes, onSample);
  closers.add('clients', () => crowd.close());
  crowd.mourn({ pids: [], folder });
  const redis =
    options.redisUrl === undefined
      ? await startRedis(options.redisServer, folder, { closers, logger })
      : await borrowRedis(options.redisUrl, prefix, { closers, logger });
  const nodes = await createNodes(folder, {
    APP_PROFILE: 'WEBSOCKET',
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: channel,
    LOG_MAX_EVENTS,
    LOG_LEVEL: 'warn',
    HOST_MONITOR: 'false',
    DRAIN_MS: String(options.drainMs),
  });
  for (const node of nodes) closers.add(node.name, () => node.close());
  await Promise.all(nodes.map((node) => node.start()));
  const nginx =
    options.nginx === undefined ? undefined : await startNginx(options.nginx, folder, nodes, closers);
  const remember = (): void => {
    const all = [redis.pid, nginx?.pid, ...nodes.map(({ pid }) => pid)];
    crowd.mourn({ pids: all.filter((pid) => pid !== undefined), folder });
  };
  remember();
  const front = nginx === undefined ? nodes.map(({ url }) => url) : [nginx.url];
  const publishers = new Publishers({
    urls: front,
    redis: redis.connection,
    stream: streamKey(prefix),
    channel,
    rate: options.rate,
  });
  closers.add('publishers', () => publishers.stop());
  return { redis, nodes, front, publishers, crowd, remember };
}

async function createNodes(
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<GatewayNode[]> {
  const ports = await freePorts(NODES);
  return ports.map(
    (port, index) => new GatewayNode({ name: `node ${String(index + 1)}`, port, folder, variables }),
  );
}
