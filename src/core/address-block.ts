import { isIPv6 } from 'node:net';

/** Groups of an IPv6 address, and those that name a customer's network: one customer has all addresses of a /64. */
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** The prefix of an IPv4 address at an IPv6 socket. Source: RFC 4291, section 2.5.5.2. */
const MAPPED = '::ffff:';

/** Returns an address without the prefix by which an IPv6 socket shows IPv4 addresses. */
export function unmapped(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

/**
 * Returns the block of addresses that limits count as one client: an IPv4 address by itself, the /64 network of an IPv6
 * address, such as `2001:db8:1:2::/64`. Any other text stays as it is.
 */
export function addressBlock(socketAddress: string): string {
  const address = unmapped(socketAddress);
  // Most addresses are IPv4.
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [bare = address] = address.split('%');
  const [before = '', after] = bare.toLowerCase().split('::');
  const first = groupsOf(before);
  const last = after === undefined ? [] : groupsOf(after);
  const zeros = Array.from({ length: Math.max(0, GROUPS - first.length - last.length) }, () => '0');
  const network = [...first, ...zeros, ...last].slice(0, NETWORK_GROUPS);
  return `${network.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

/** The groups of one side of `::`; a dotted IPv4 address at the end counts as two. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
