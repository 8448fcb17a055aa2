const MASK = '***';
const SCHEME = /^rediss?:\/\//i;

/**
 * True for a URL of a Redis server: `redis://` or `rediss://` (TLS), a host, at most a database number as path.
 * What is special in a URL must be percent-encoded in the password.
 */
export function isRedisUrl(text: string): boolean {
  if (!SCHEME.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.hostname !== '' && /^(\/\d*)?$/.test(url.pathname) && !isSplitInPassword(url);
}

/**
 * A Redis URL with its password masked, in the user info as in the query. Text in which the password cannot be
 * told from the rest for sure, so all without such a scheme, is masked as a whole.
 */
export function maskRedisUrl(text: string): string {
  if (!SCHEME.test(text) || !URL.canParse(text)) return MASK;
  const url = new URL(text);
  if (isSplitInPassword(url)) return MASK;
  if (url.password === '' && !url.searchParams.has('password')) return text;
  if (url.password !== '') url.password = MASK;
  if (url.searchParams.has('password')) url.searchParams.set('password', MASK);
  return url.href;
}

/** An unescaped "/", "?" or "#" in a password ends the user info early and leaves its rest, and the "@", behind. */
function isSplitInPassword(url: URL): boolean {
  return `${url.pathname}${url.search}${url.hash}`.includes('@');
}
