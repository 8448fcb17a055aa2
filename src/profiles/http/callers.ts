import type { IncomingMessage } from 'node:http';
import type { Authenticator, Identified } from '../../core/auth/authenticator.js';
import type { Caller } from '../../core/auth/caller.js';
import { Refusal } from '../../core/errors.js';
import type { ClientAddresses } from './client-address.js';
import { credentialsIn, credentialsOf } from './credentials.js';

/** Finds out who makes a request, and from where. */
export class Callers {
  readonly #authenticator: Authenticator;
  readonly #addresses: ClientAddresses;

  constructor(authenticator: Authenticator, addresses: ClientAddresses) {
    this.#authenticator = authenticator;
    this.#addresses = addresses;
  }

  /** Where a request comes from. */
  addressOf(req: IncomingMessage): string {
    return this.#addresses.of(req);
  }

  /** Who makes a request. */
  of(req: IncomingMessage): Identified {
    return this.#authenticator.identify(credentialsOf(req), this.addressOf(req));
  }

  /** Who makes a handshake of Socket.IO, with this as its `auth`. */
  ofHandshake(req: IncomingMessage, auth: unknown): Identified {
    return this.#authenticator.identify(credentialsIn(auth, req), this.addressOf(req));
  }

  /** Who asks for a command with this key in its data; the caller itself where there is none. */
  withKey(caller: Caller, apiKey: unknown, address: string): Identified {
    if (apiKey === undefined) return caller;
    if (typeof apiKey !== 'string') return new Refusal('invalid_token', 'apiKey must be text');
    return this.#authenticator.identify({ apiKey }, address);
  }
}
