import type { IncomingMessage } from 'node:http';
import type { Authenticator, Credentials, Identified } from '../../core/auth/authenticator.js';
import type { Caller } from '../../core/auth/caller.js';
import { Refusal } from '../../core/errors.js';
import type { ClientAddresses } from './client-address.js';
import { credentialsOf } from './credentials.js';
import type { OriginPolicy } from './origin-policy.js';
import type { RefusalAudit } from './refusal-audit.js';

/** Finds out who makes a request, and from where. */
export class Callers {
  readonly #authenticator: Authenticator;
  readonly #addresses: ClientAddresses;
  readonly #origins: OriginPolicy;
  /** What audits refusals of clients that are not answered by HTTP. */
  readonly refusals: RefusalAudit;

  constructor(
    authenticator: Authenticator,
    addresses: ClientAddresses,
    origins: OriginPolicy,
    refusals: RefusalAudit,
  ) {
    this.refusals = refusals;
    this.#authenticator = authenticator;
    this.#addresses = addresses;
    this.#origins = origins;
  }

  /** Where a request comes from. */
  addressOf(req: IncomingMessage): string {
    return this.#addresses.of(req);
  }

  /** Who makes a request. */
  of(req: IncomingMessage): Identified {
    return this.known(this.shownBy(req), req);
  }

  /** What a request shows of who makes it. */
  shownBy(req: IncomingMessage): Credentials {
    return credentialsOf(req, this.#origins.takesCookieOf(req));
  }

  /** Who shows these, with this request. */
  known(shown: Credentials, req: IncomingMessage): Identified {
    return this.#authenticator.identify(shown, this.addressOf(req));
  }

  /** Who asks for a command with this key in its data; the caller itself where there is none. */
  withKey(caller: Caller, apiKey: unknown, address: string): Identified {
    if (apiKey === undefined) return caller;
    if (typeof apiKey !== 'string') return new Refusal('invalid_token', 'apiKey must be text');
    return this.#authenticator.identify({ apiKey }, address);
  }
}
