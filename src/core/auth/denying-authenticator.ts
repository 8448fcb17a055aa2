import { Refusal } from '../errors.js';
import type { Counters } from '../metrics/counters.js';
import type { Authenticator, Credentials, Identified } from './authenticator.js';
import type { Caller } from './caller.js';
import type { DeniedPrincipals } from './denied-principals.js';

/** Refuses the denied principals among the callers that another authenticator knows: `principal_denied`. */
export class DenyingAuthenticator implements Authenticator {
  readonly #inner: Authenticator;
  readonly #denied: DeniedPrincipals;
  readonly #counters: Counters;

  /** `counters` counts them as `callers_refused`. */
  constructor(inner: Authenticator, denied: DeniedPrincipals, counters: Counters) {
    this.#inner = inner;
    this.#denied = denied;
    this.#counters = counters;
  }

  identify(credentials: Credentials, address: string): Identified {
    const identified = this.#inner.identify(credentials, address);
    return identified instanceof Promise
      ? identified.then((caller) => this.#checked(caller))
      : this.#checked(identified);
  }

  /** Why a caller that was identified before is refused by now; undefined: it is not. */
  refusalNow(caller: Caller): Refusal | undefined {
    const refusal = this.#denied.refusalFor(caller);
    if (refusal !== undefined) this.#counters.add('callers_refused', refusal.code);
    return refusal;
  }

  #checked(caller: Caller | Refusal): Caller | Refusal {
    return caller instanceof Refusal ? caller : (this.refusalNow(caller) ?? caller);
  }
}
