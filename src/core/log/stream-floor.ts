import type { RedisConnection } from '../redis/redis-connection.js';
import { FIRST_LOG_ID, logIdBefore } from './log-id.js';

/**
 * The place right before all entries that a Redis Stream holds: `0-0` as long as nothing was trimmed. Asks `XINFO STREAM`;
 * Redis before 7.0 does not say how many entries there ever were, so that there it is right before the oldest one held
 * even when nothing was trimmed. Rejects when Redis can't be reached.
 */
export async function readFloor(redis: RedisConnection, key: string): Promise<string> {
  const info = await redis.xinfo('STREAM', key).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('no such key')) return null;
    throw error;
  });
  if (!Array.isArray(info)) return FIRST_LOG_ID;
  const facts = new Map<unknown, unknown>();
  for (let index = 0; index + 1 < info.length; index += 2) facts.set(info[index], info[index + 1]);
  if (facts.get('entries-added') === facts.get('length')) return FIRST_LOG_ID;
  const first: unknown = facts.get('first-entry');
  return Array.isArray(first) ? logIdBefore(String(first[0])) : String(facts.get('last-generated-id'));
}
