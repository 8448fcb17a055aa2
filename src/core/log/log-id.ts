/**
 * Ids of the log are `<epoch ms>-<sequence>`, both whole numbers, as Redis Streams give them.
 * Source: https://redis.io/docs/latest/develop/data-types/streams/#entry-ids
 */
const LOG_ID = /^(\d{1,15})-(\d{1,15})$/;

/** The id before all ids. */
export const FIRST_LOG_ID = '0-0';

/** True for a text that has the form of a log id. */
export function isLogId(text: string): boolean {
  return LOG_ID.test(text);
}

/** Largest sequence of the form above. */
export const MAX_SEQUENCE = 999_999_999_999_999;

/** The epoch ms of an id. */
export function msOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

/** The sequence of an id, which tells ids of the same ms apart. */
export function sequenceOf(id: string): number {
  return Number(id.slice(id.indexOf('-') + 1));
}

/**
 * The greatest id before `id` with a sequence of at most `maxSequence`; {@link FIRST_LOG_ID} has none and stays.
 */
export function logIdBefore(id: string, maxSequence = MAX_SEQUENCE): string {
  const ms = msOf(id);
  const sequence = sequenceOf(id);
  if (sequence > 0) return `${String(ms)}-${String(sequence - 1)}`;
  return ms > 0 ? `${String(ms - 1)}-${String(maxSequence)}` : FIRST_LOG_ID;
}

/** Orders two log ids: negative when `a` is older than `b`, 0 when they are the same. */
export function compareLogIds(a: string, b: string): number {
  const ms = msOf(a) - msOf(b);
  return ms === 0 ? sequenceOf(a) - sequenceOf(b) : ms;
}
