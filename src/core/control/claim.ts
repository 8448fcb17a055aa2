import { Refusal } from '../errors.js';
import { fingerprint } from './fingerprint.js';

/** An idempotency key as a store knows it: whose it is, and what was asked under it. */
export interface Claim {
  readonly scopedKey: string;
  readonly fingerprint: string;
}

/** What an idempotency key may be: printable ASCII characters. */
export const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

/**
 * The claim of a request that came with an idempotency key (1–255 printable ASCII characters). Keys belong to the
 * principal: nobody meets another one's. `bad_request` or `invalid_data` when there can be none.
 */
export function claimOf(principalId: string, key: string, action: string, data: unknown): Claim | Refusal {
  if (!IDEMPOTENCY_KEY.test(key)) {
    return new Refusal('bad_request', 'Idempotency-Key must be 1–255 printable ASCII characters');
  }
  const print = fingerprint(action, data);
  if (print === undefined) return new Refusal('invalid_data', 'data is nested too deep');
  // No key has a line end in it, so no two principals' keys can be made to look the same.
  return { scopedKey: `${principalId}\n${key}`, fingerprint: print };
}

/** What a key is refused with that was used for something else. */
export function mismatch(): Refusal {
  return new Refusal(
    'idempotency_mismatch',
    'this Idempotency-Key was used for another action or other data',
  );
}
