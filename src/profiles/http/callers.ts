import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Credentials, Identified } from '../../core/auth/authenticator.js';
import type { Caller } from '../../core/auth/caller.js';
import type { DenyingAuthenticator } from '../../core/auth/denying-authenticator.js';
import { Refusal } from '../../core/errors.js';
import type { ClientAddresses } from './client-address.js';
import type { ConnectionLimits } from './connection-limits.js';
import { credentialsOf } from './credentials.js';
import type { OriginPolicy } from './origin-policy.js';
import type { RefusalAudit } from './refusal-audit.js';

/** Finds out who makes a request, and from where. */
export class Callers {
  readonly #authenticator: DenyingAuthenticator;
  readonly #addresses: ClientAddresses;
  readonly #origins: OriginPolicy;
  readonly #limits: ConnectionLimits;
  /** Audits refusals of clients that are not answered by HTTP. */
  readonly refusals: RefusalAudit;

  /** `limits` are told of connections whose clients have signed in. */
  constructor(
    authenticator: DenyingAuthenticator,
    addresses: ClientAddresses,
    origins: OriginPolicy,
    { limits, refusals }: { readonly limits: ConnectionLimits; readonly refusals: RefusalAudit },
  ) {
    this.refusals = refusals;
    this.#authenticator = authenticator;
    this.#addresses = addresses;
    this.#origins = origins;
    this.#limits = limits;
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
    const identified = this.#authenticator.identify(shown, this.addressOf(req));
    if (!(identified instanceof Promise)) return this.#noted(identified, req);
    return identified.then((caller) => this.#noted(caller, req));
  }

  /** The client of a connection has a session: the connection is a member's, whoever that is. */
  hasSession(socket: Socket): void {
    this.#limits.hasSession(socket);
  }

  /** Why a caller that was identified before is refused by now; undefined: it is not. */
  refusalNow(caller: Caller): Refusal | undefined {
    return this.#authenticator.refusalNow(caller);
  }

  /** Returns the caller of a command by the key in its data; without one the caller itself, unless it is refused by now. */
  withKey(caller: Caller, apiKey: unknown, address: string): Identified {
    if (apiKey === undefined) return this.refusalNow(caller) ?? caller;
    if (typeof apiKey !== 'string') return new Refusal('invalid_token', 'apiKey must be text');
    return this.#authenticator.identify({ apiKey }, address);
  }

  #noted(caller: Caller | Refusal, req: IncomingMessage): Caller | Refusal {
    if (!(caller instanceof Refusal) && caller.isKnown) this.#limits.signedIn(req.socket, caller.id);
    return caller;
  }
}
