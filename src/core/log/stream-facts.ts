import type { RedisConnection } from '../redis/redis-connection.js';
import { FIRST_LOG_ID, logIdBefore } from './log-id.js';

/** What flipgate needs to know of a Redis Stream. */
export interface StreamFacts {
  /** The newest id ever given; `0-0` when there was none. */
  readonly lastId: string;
  /** A cursor at or after this id has lost nothing to trimming; all entries held follow it. */
  readonly floor: string;
}

/**
 * Asks `XINFO STREAM`. Redis before 7.0 does not say how many entries there ever were, so that there the floor
 * is right before the oldest entry held even when nothing was trimmed. Rejects when Redis can't be reached.
 */
export async function readStreamFacts(redis: RedisConnection, key: string): Promise<StreamFacts> {
  const info = await redis.xinfo('STREAM', key).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('no such key')) return null;
    throw error;
  });
  if (!Array.isArray(info)) return { lastId: FIRST_LOG_ID, floor: FIRST_LOG_ID };
  const facts = new Map<unknown, unknown>();
  for (let index = 0; index + 1 < info.length; index += 2) facts.set(info[index], info[index + 1]);
  const lastId = String(facts.get('last-generated-id'));
  const first: unknown = facts.get('first-entry');
  const trimmedTo = Array.isArray(first) ? logIdBefore(String(first[0])) : lastId;
  const neverTrimmed = facts.get('entries-added') === facts.get('length');
  return { lastId, floor: neverTrimmed ? FIRST_LOG_ID : trimmedTo };
}
