import type { Clock } from '../clock.js';
import type { Principal } from '../command.js';
import { Refusal } from '../errors.js';
import { blockId } from './principal-id.js';

/** Most principals that are denied at the same time. */
export const MAX_DENIALS = 10_000;

/** A principal that an operator denies access to. */
export interface Denial {
  /** When it ends by itself, epoch ms; null: not before it is lifted. */
  readonly until: number | null;
  /** See {@link blockId}. */
  readonly principal: string;
  /** For operators; null where none was given. */
  readonly reason: string | null;
  /** The principal of the operator. */
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
}

/** The denied principals, as far as this process knows them. */
export class DeniedPrincipals {
  readonly #clock: Clock;
  #denials: ReadonlyMap<string, Denial> = new Map();
  #onDenied: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `listener` is called after principals were denied that were not before. */
  onDenied(listener: () => void): void {
    this.#onDenied = listener;
  }

  /** How many there are. */
  get size(): number {
    return this.#current().length;
  }

  /** Why this principal is refused now; undefined: it is not denied. */
  refusalFor({ id }: Principal): Refusal | undefined {
    // Nearly always nobody is denied; this is asked of each request.
    if (this.#denials.size === 0) return undefined;
    const denial = this.#denials.get(blockId(id));
    if (denial === undefined || !this.#isCurrent(denial)) return undefined;
    // The audit log has the caller's id from here: refused at the door, it is told to nobody else.
    return new Refusal('principal_denied', `an operator has denied access to ${id}`);
  }

  /** The newest, newest first, at most `limit`. */
  newest(limit = MAX_DENIALS): readonly Denial[] {
    return this.#current()
      .sort((one, other) => other.at - one.at)
      .slice(0, limit);
  }

  /** Denies one principal, or denies it anew. */
  add(denial: Denial): void {
    this.replace([...this.#current().filter(({ principal }) => principal !== denial.principal), denial]);
  }

  /** Lifts a denial. False: there was none. */
  remove(principal: string): boolean {
    const denial = this.#denials.get(principal);
    this.replace(this.#current().filter((one) => one !== denial));
    return denial !== undefined && this.#isCurrent(denial);
  }

  /** From now on these are denied, and no others. */
  replace(denials: readonly Denial[]): void {
    const isNew = denials.some(
      (denial) => this.#isCurrent(denial) && this.refusalFor({ id: denial.principal }) === undefined,
    );
    this.#denials = new Map(denials.map((denial) => [denial.principal, denial]));
    if (isNew) this.#onDenied();
  }

  #current(): Denial[] {
    return [...this.#denials.values()].filter((denial) => this.#isCurrent(denial));
  }

  #isCurrent({ until }: Denial): boolean {
    return until === null || until > this.#clock.now();
  }
}
