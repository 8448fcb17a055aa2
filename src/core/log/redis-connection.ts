import { Redis } from 'ioredis';
import type { Logger } from '../logger.js';

/**
 * What a connection to Redis is used for. `write` fails at once while Redis is away. `read` (blocking reads) waits for
 * a connection, and fails when an attempt to connect does or the connection breaks. `wait` (subscriptions) waits for
 * as long as it takes; what was on its way when the connection broke is then never answered (ioredis 6).
 */
export type RedisUse = 'write' | 'read' | 'wait';

/** Longest time in ms for Redis to answer a write before it counts as unreachable. */
const WRITE_TIMEOUT_MS = 5000;
/** Longest pause in ms between two attempts to reach Redis. */
const MAX_RETRY_MS = 2000;

/**
 * Opens a connection that reconnects by itself for as long as it lives. A command that was on its way when the
 * connection broke is never sent again: who sent it decides.
 */
export function connectRedis(url: string, use: RedisUse, logger: Logger): Redis {
  const redis = new Redis(url, {
    connectionName: `flipgate-${use}`,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RETRY_MS),
    maxRetriesPerRequest: use === 'wait' ? null : 0,
    ...(use === 'write' ? { enableOfflineQueue: false, commandTimeout: WRITE_TIMEOUT_MS } : {}),
  });
  let reachable = true;
  redis.on('error', (error: Error) => {
    if (reachable) logger.warn('redis is unreachable, trying again', { use, reason: error.message });
    reachable = false;
  });
  redis.on('ready', () => {
    if (!reachable) logger.info('redis is back', { use });
    reachable = true;
  });
  return redis;
}
