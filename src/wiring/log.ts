import type { EventLog } from '../core/log/event-log.js';
import { MemoryLog } from '../core/log/memory-log.js';
import type { PublishBridge } from '../core/log/publish-bridge.js';
import type { Base } from './base.js';

/** The log, and with Redis what copies published messages into it. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly bridge?: PublishBridge | undefined;
}

/** Opens the log where the configuration says, and with Redis the bridge from its channels. */
export async function openLog({ config, closers, ...parts }: Base): Promise<OpenedLog> {
  const { redisUrl: url, redisKeyPrefix: keyPrefix, logMaxEvents: maxEvents } = config;
  const { maxHttpBufferBytes: maxDataBytes } = config;
  if (url === undefined)
    return { log: new MemoryLog(parts.clock, { maxEvents, maxBytes: config.logMaxBytes }) };
  const { RedisLog } = await import('../core/log/redis-log.js');
  const { PublishBridge } = await import('../core/log/publish-bridge.js');
  const { BridgeLedger } = await import('../core/log/bridge-ledger.js');
  const { streamKey } = await import('../core/log/stream-key.js');
  const log = new RedisLog(
    { url, keyPrefix, maxEvents, maxDataBytes, minReplicas: config.redisMinReplicas },
    parts,
  );
  closers.add('log', () => log.close());
  const ledger = new BridgeLedger(
    { url, stream: streamKey(keyPrefix), maxEvents },
    parts.logger,
    parts.permissions.of('published'),
  );
  const bridge = new PublishBridge(
    { url, channels: config.redisChannels, maxDataBytes },
    { ...parts, ledger },
  );
  closers.add('bridge', () => bridge.close());
  bridge.start();
  return { log, bridge };
}
