import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const LABELS = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;
const ENDS_IN_NUMBER = /(^|\.)(\d+|0x[0-9a-f]*)$/i;

/**
 * True for what a server can listen on: an IPv4 or IPv6 address (without brackets), or a host name. Short and
 * numeric forms such as `127.1` are no names. Source: the WHATWG URL standard, "ends in a number checker".
 */
export function isListenAddress(host: string): boolean {
  return isIP(host) !== 0 || (host.length <= 253 && LABELS.test(host) && !ENDS_IN_NUMBER.test(host));
}

/** True for an address that only this machine reaches: `localhost`, 127.0.0.0/8, `::1`. Any other name is not. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** True for a host as `ALLOWED_HOSTS` lists it: a name, an address (IPv6 without brackets), or `*`. */
export function isAllowedHost(host: string): boolean {
  return host === '*' || isListenAddress(host);
}

/** What {@link isTrustedProxy} knows by name, as the `proxy-addr` package calls it: `loopback`, and `private` for all networks that nobody routes. */
export const PROXY_GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['loopback']],
  ['private', ['linklocal', 'uniquelocal']],
]);

/** True for proxies as `TRUSTED_PROXIES` lists them: an address, a range of addresses (CIDR), or a group. */
export function isTrustedProxy(text: string): boolean {
  if (PROXY_GROUPS.has(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128);
}
