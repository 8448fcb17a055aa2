const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\,*]+$/;

/**
 * True for an origin as browsers send it, or `*`: scheme, host, and the port where it is not the scheme's own;
 * lower case, no path. Source: RFC 6454, section 6.2.
 */
export function isOrigin(text: string): boolean {
  if (text === '*') return true;
  if (!ORIGIN.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  return !isWeb || url.origin === text;
}
