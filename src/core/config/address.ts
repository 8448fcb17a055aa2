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
