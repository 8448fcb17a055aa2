import { Refusal } from '../errors.js';
import { type DeniedPrincipals, type Denial, MAX_DENIALS } from './denied-principals.js';

/** Changes who is denied, for all nodes. */
export interface Denials {
  /** Denies a principal, or denies it anew; why it can not be denied. */
  deny(denial: Denial): Promise<Refusal | undefined>;
  /** Lifts a denial. False: there was none. */
  lift(principal: string): Promise<boolean | Refusal>;
}

/** Keeps denials in this process alone: a restart forgets them. */
export class ProcessDenials implements Denials {
  readonly #denied: DeniedPrincipals;

  constructor(denied: DeniedPrincipals) {
    this.#denied = denied;
  }

  deny(denial: Denial): Promise<Refusal | undefined> {
    const isFull =
      this.#denied.size >= MAX_DENIALS && this.#denied.refusalFor({ id: denial.principal }) === undefined;
    if (!isFull) this.#denied.add(denial);
    return Promise.resolve(isFull ? tooManyDenials() : undefined);
  }

  lift(principal: string): Promise<boolean | Refusal> {
    return Promise.resolve(this.#denied.remove(principal));
  }
}

/** One more principal than can be denied. */
export function tooManyDenials(): Refusal {
  const most = String(MAX_DENIALS);
  return new Refusal('too_many_denials', `${most} principals are denied, which is the most: lift some first`);
}
