import { isSplitInPassword, parseRedisUrl } from '../redis/redis-address.js';

const MASK = '***';

/** True for the URL of a Redis server, of Sentinels or of a Cluster; see {@link parseRedisUrl}. */
export function isRedisUrl(text: string): boolean {
  return parseRedisUrl(text) !== undefined;
}

/**
 * A Redis URL with its passwords masked, in the user info as in the query. Text in which a password cannot be told from
 * the rest for sure, so all that is no such URL, is masked as a whole.
 */
export function maskRedisUrl(text: string): string {
  const address = parseRedisUrl(text);
  if (address === undefined) return MASK;
  if (address.kind !== 'server') {
    return text.replace(/^([^:]+:\/\/[^@/?:]*):[^@]*@/, `$1:${MASK}@`).replace(/\?.*$/, `?${MASK}`);
  }
  const url = new URL(text);
  if (isSplitInPassword(url)) return MASK;
  if (url.password === '' && !url.searchParams.has('password')) return text;
  if (url.password !== '') url.password = MASK;
  if (url.searchParams.has('password')) url.searchParams.set('password', MASK);
  return url.href;
}
