import type { NewEvent } from '../core/event.js';
import type { EventLog } from '../core/log/event-log.js';
import { MemoryLog } from '../core/log/memory-log.js';
import type { PublishBridges } from '../core/log/publish-bridges.js';
import type { Base } from './base.js';

/** How long other nodes wait for one that copies published messages and says nothing any more, ms. */
const BRIDGE_LEASE_MS = 3000;

/** The log, and with Redis what copies published messages into it. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly bridge?: PublishBridges | undefined;
}

/** The log where the configuration says, and with Redis the bridge from its channels. `roomsOf` tells an event's rooms. */
export async function openLog(
  { config, closers, ...parts }: Base,
  roomsOf: (event: NewEvent) => readonly string[],
): Promise<OpenedLog> {
  const { redisUrl: url, redisKeyPrefix: keyPrefix, logMaxEvents: maxEvents } = config;
  const { maxHttpBufferBytes: maxDataBytes } = config;
  if (url === undefined)
    return { log: new MemoryLog(parts.clock, { maxEvents, maxBytes: config.logMaxBytes }) };
  const { RedisLog } = await import('../core/log/redis-log.js');
  const { PublishBridges } = await import('../core/log/publish-bridges.js');
  const log = new RedisLog(
    { url, keyPrefix, shards: 1, maxEvents, maxDataBytes, minReplicas: config.redisMinReplicas },
    { ...parts, roomsOf },
  );
  closers.add('log', () => log.close());
  const bridge = new PublishBridges(
    {
      url,
      keyPrefix,
      channels: config.redisChannels,
      shards: log.shards,
      maxEvents: log.maxEventsPerShard,
      leaseMs: BRIDGE_LEASE_MS,
      maxDataBytes,
    },
    parts,
    roomsOf,
  );
  closers.add('bridge', () => bridge.close());
  const startWhenAgreed = async (): Promise<void> => {
    // A node that divides the log otherwise than the others must not copy anything.
    await log.agreed;
    bridge.start();
  };
  void startWhenAgreed();
  return { log, bridge };
}
