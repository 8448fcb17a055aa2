/**
 * Ids of the log are `<epoch ms>-<sequence>`, both whole numbers of 64 bits without a sign, as Redis Streams give them.
 * They do not fit into a JavaScript number, so they are compared as text.
 * Source: https://redis.io/docs/latest/develop/data-types/streams/#entry-ids
 */
const LOG_ID = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;

/** Largest number of 64 bits. */
const MAX_NUMBER = '18446744073709551615';

/** The id before all ids. */
export const FIRST_LOG_ID = '0-0';

/** The largest id: a stream that has it takes no further entries. */
export const LAST_LOG_ID = `${MAX_NUMBER}-${MAX_NUMBER}`;

/** True for a text that is a log id, written as Redis writes it. */
export function isLogId(text: string): boolean {
  const parts = LOG_ID.exec(text);
  return parts !== null && fits(parts[1] as string) && fits(parts[2] as string);
}

function fits(number: string): boolean {
  return number.length < MAX_NUMBER.length || number <= MAX_NUMBER;
}

/** The epoch ms of an id; not exact beyond 2^53. */
export function msOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

/** The greatest id before `id`; {@link FIRST_LOG_ID} has none and stays. */
export function logIdBefore(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  if (sequence !== '0') return `${ms}-${String(BigInt(sequence) - 1n)}`;
  return ms === '0' ? FIRST_LOG_ID : `${String(BigInt(ms) - 1n)}-${MAX_NUMBER}`;
}

/** Orders two log ids: negative when `a` is older than `b`, 0 when they are the same. */
export function compareLogIds(a: string, b: string): number {
  const end = a.indexOf('-');
  const msDigits = end - b.indexOf('-');
  if (msDigits !== 0) return msDigits;
  const ms = a.slice(0, end);
  const otherMs = b.slice(0, end);
  if (ms !== otherMs) return ms < otherMs ? -1 : 1;
  // The rest has the same number of digits, or the longer one is the larger number.
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}
