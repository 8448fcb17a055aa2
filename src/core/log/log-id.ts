/**
 * Ids of the log are `<epoch ms>-<sequence>`, both whole numbers, as Redis Streams give them; cursors are such
 * ids today. Source: https://redis.io/docs/latest/develop/data-types/streams/#entry-ids
 */
const LOG_ID = /^(\d{1,15})-(\d{1,15})$/;

/** The id before all ids. */
export const FIRST_LOG_ID = '0-0';

/** True for a text that has the form of a log id. */
export function isLogId(text: string): boolean {
  return LOG_ID.test(text);
}

/** Largest sequence of the form above. */
const MAX_SEQUENCE = 999_999_999_999_999;

/** The greatest id before `id`; {@link FIRST_LOG_ID} has none and stays. */
export function logIdBefore(id: string): string {
  const dash = id.indexOf('-');
  const ms = Number(id.slice(0, dash));
  const sequence = Number(id.slice(dash + 1));
  if (sequence > 0) return `${String(ms)}-${String(sequence - 1)}`;
  return ms > 0 ? `${String(ms - 1)}-${String(MAX_SEQUENCE)}` : FIRST_LOG_ID;
}

/** Orders two log ids: negative when `a` is older than `b`, 0 when they are the same. */
export function compareLogIds(a: string, b: string): number {
  const dashA = a.indexOf('-');
  const dashB = b.indexOf('-');
  const ms = Number(a.slice(0, dashA)) - Number(b.slice(0, dashB));
  return ms === 0 ? Number(a.slice(dashA + 1)) - Number(b.slice(dashB + 1)) : ms;
}
