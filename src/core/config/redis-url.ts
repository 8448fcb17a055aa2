import { isSplitInPassword, parseRedisUrl } from '../redis/redis-address.js';

const MASK = '***';
const SERVER = /^rediss?:\/\//i;

/** True for the URL of a Redis server, of Sentinels or of a Cluster; see {@link parseRedisUrl}. */
export function isRedisUrl(text: string): boolean {
  return parseRedisUrl(text) !== undefined;
}

/**
 * A Redis URL with its passwords masked, in the user info as in the query. Text in which a password cannot be told from
 * the rest for sure is masked as a whole.
 */
export function maskRedisUrl(text: string): string {
  if (SERVER.test(text)) return maskServerUrl(text);
  if (parseRedisUrl(text) === undefined) return MASK;
  return text.replace(/^([^:]+:\/\/[^@/?:]*):[^@]*@/, `$1:${MASK}@`).replace(/\?.*$/, `?${MASK}`);
}

function maskServerUrl(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const url = new URL(text);
  if (isSplitInPassword(url)) return MASK;
  if (url.password === '' && !url.searchParams.has('password')) return text;
  if (url.password !== '') url.password = MASK;
  if (url.searchParams.has('password')) url.searchParams.set('password', MASK);
  return url.href;
}
