import { isIP, isIPv6 } from 'node:net';
import { addressBlock } from '../address-block.js';

/** The prefix of the ids of principals that are known by their address alone. */
export const BY_ADDRESS = 'address:';
const KEY_ID = /^[A-Za-z0-9_.-]{1,64}$/;
const SUBJECT = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;
const BLOCK = /^([\da-f:]+)::\/64$/;

/** True for the id of an API key: 1–64 of `A-Z a-z 0-9 _ . -`. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && KEY_ID.test(value);
}

/** True for the `sub` of a JWT that is taken: 1–256 characters, none of them control characters. */
export function isSubject(value: unknown): value is string {
  return typeof value === 'string' && SUBJECT.test(value);
}

/** The id of a principal that is known by its address alone. */
export function idOfAddress(address: string): string {
  return `${BY_ADDRESS}${address}`;
}

/**
 * Returns the id under which a principal is denied, and counted by limits: `key:<id>` and `user:<sub>` as they are. Principals
 * that are known by their address alone are one per block ({@link addressBlock}): a client can take any address of its network.
 */
export function blockId(principal: string): string {
  return principal.startsWith(BY_ADDRESS)
    ? BY_ADDRESS + addressBlock(principal.slice(BY_ADDRESS.length))
    : principal;
}

/**
 * Reads the id of a principal as `GET /api/me` shows it (`key:<id>`, `user:<sub>`, `address:<ip>`), or the block of an IPv6
 * address. Returns its {@link blockId}; undefined for any other text.
 */
export function parseBlockId(text: string): string | undefined {
  const colon = text.indexOf(':');
  const [kind, name] = [text.slice(0, colon), text.slice(colon + 1)];
  if (kind === 'key') return isKeyId(name) ? text : undefined;
  if (kind === 'user') return isSubject(name) ? text : undefined;
  return kind === 'address' && (isPlainAddress(name) || isBlock(name)) ? blockId(text) : undefined;
}

/** IPv4 addresses in IPv6 notation are none: the gateway shows them as IPv4. */
function isPlainAddress(text: string): boolean {
  return isIP(text) !== 0 && !(text.includes(':') && text.includes('.'));
}

function isBlock(text: string): boolean {
  const network = BLOCK.exec(text)?.[1];
  return network !== undefined && isIPv6(`${network}::`) && addressBlock(`${network}::`) === text;
}
