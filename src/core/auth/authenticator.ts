import type { Refusal } from '../errors.js';
import type { Caller } from './caller.js';
import { idOfAddress } from './principal-id.js';
import { Rights } from './rights.js';

/** What a request shows of itself, unchecked. None of it is ever logged, answered or kept. */
export interface Credentials {
  /** A JWT or an API key: `Authorization: Bearer`, a cookie, `?access_token=`, `auth.token`. */
  readonly token?: string | undefined;
  /** An API key where legacy pages put it: `X-API-Key`, `?apiKey=`, `auth.apiKey`, `data.apiKey`. */
  readonly apiKey?: string | undefined;
}

/** Who is there, or why it can't be let in; a promise, which never rejects, where that can't be said at once. */
export type Identified = Caller | Refusal | Promise<Caller | Refusal>;

/** Finds out who somebody is, by what was shown. */
export interface Authenticator {
  /**
   * The caller that showed these from `address`. Refused: `unauthenticated` (nothing was shown, and somebody must be known
   * here), `invalid_token`, `token_expired`, `auth_unavailable` (it can't be checked now), `too_many_attempts` (too many
   * wrong ones came from there: nothing was looked at).
   */
  identify(credentials: Credentials, address: string): Identified;
}

/** Everybody is let in, told apart by address, and may do everything: `AUTH_MODE=none`. */
export class OpenDoor implements Authenticator {
  identify(_credentials: Credentials, address: string): Caller {
    return anonymous(address, Rights.ALL);
  }
}

/** Who showed nothing. */
export function anonymous(address: string, rights: Rights): Caller {
  return { id: idOfAddress(address), rights, expiresAt: null, isKnown: false };
}
