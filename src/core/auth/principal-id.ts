import { isIP, isIPv6 } from 'node:net';
import { addressBlock } from '../address-block.js';

/** What the id of a principal begins with that is known by its address alone. */
const ADDRESS = 'address:';
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

/**
 * The id under which a principal is denied: `key:<id>` and `user:<sub>` as they are. Callers known by their address alone are
 * denied by block ({@link addressBlock}): a client can take any address of its network.
 */
export function denialId(principal: string): string {
  return principal.startsWith(ADDRESS) ? ADDRESS + addressBlock(principal.slice(ADDRESS.length)) : principal;
}

/**
 * Reads the id of a principal as `GET /api/me` shows it (`key:<id>`, `user:<sub>`, `address:<ip>`), or the block of an IPv6
 * address. Returns its {@link denialId}; undefined for any other text.
 */
export function parseDenialId(text: string): string | undefined {
  const colon = text.indexOf(':');
  const [kind, name] = [text.slice(0, colon), text.slice(colon + 1)];
  if (kind === 'key') return isKeyId(name) ? text : undefined;
  if (kind === 'user') return isSubject(name) ? text : undefined;
  return kind === 'address' && (isPlainAddress(name) || isBlock(name)) ? denialId(text) : undefined;
}

/** IPv4 addresses in IPv6 notation are none: the gateway shows them as IPv4. */
function isPlainAddress(text: string): boolean {
  return isIP(text) !== 0 && !(text.includes(':') && text.includes('.'));
}

function isBlock(text: string): boolean {
  const network = BLOCK.exec(text)?.[1];
  return network !== undefined && isIPv6(`${network}::`) && addressBlock(`${network}::`) === text;
}
