import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../../core/config/address.js';
import { Refusal } from '../../core/errors.js';
import { hostName } from './authority.js';

/** Asked by address, whatever they are called by: what a cluster probes its containers with. */
const PROBES = /^\/(healthz|readyz)$/;

/** What a {@link HostPolicy} is told. */
export interface HostPolicyOptions {
  /** `ALLOWED_HOSTS`; empty: as the rest says. */
  readonly allowed: readonly string[];
  /** `HOST`. */
  readonly listensOn: string;
  /** True where clients show nothing and only this machine may reach them: then the name must be this machine's. */
  readonly isLocalOnly: boolean;
}

/**
 * By which names the gateway may be called. A page whose own name is made to lead here (DNS rebinding) is of the same origin to
 * its browser, and could read everything: its name is what tells it apart.
 */
export class HostPolicy {
  readonly #names: ReadonlySet<string>;
  readonly #isAny: boolean;
  readonly #takesLoopback: boolean;
  /** The last one that was found good. */
  #known: string | undefined;

  constructor({ allowed, listensOn, isLocalOnly }: HostPolicyOptions) {
    this.#isAny = allowed.includes('*') || (allowed.length === 0 && !isLocalOnly);
    this.#takesLoopback = allowed.length === 0;
    this.#names = new Set([...allowed, listensOn].map((name) => name.toLowerCase()));
  }

  /** `host_not_allowed`, where a request calls the gateway by a name it does not go by. */
  refusalFor(req: IncomingMessage, path: string): Refusal | undefined {
    const { host } = req.headers;
    // Programs of HTTP/1.0 may name none; a browser always does.
    if (host === undefined || this.#isAny || PROBES.test(path)) return undefined;
    // Nearly all call it by the same.
    if (host === this.#known) return undefined;
    const name = hostName(host);
    if (name !== undefined && (this.#names.has(name) || (this.#takesLoopback && isLoopback(name)))) {
      this.#known = host;
      return undefined;
    }
    return new Refusal('host_not_allowed', 'not served by this name: list it in ALLOWED_HOSTS');
  }
}
