/**
 * How many writes one client may get now: a bucket that holds what a second brings. It refills by whole writes, at
 * instants that are the same for all clients, so that clients at their limit keep in step and share what they are
 * written. A caller that must may overdraw it; the client then waits longer.
 */
export class WriteAllowance {
  readonly #perSecond: number;
  #writes: number;
  /** Refills there were until the last look, since time began. */
  #refills: number;

  /** @param perSecond ≥ 1. @param now In ms, as in all calls; never goes back. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#writes = perSecond;
    this.#refills = this.#refillsUntil(now);
  }

  /** Whole writes that may be made now; 0 when none. */
  available(now: number): number {
    const refills = this.#refillsUntil(now);
    this.#writes = Math.min(this.#perSecond, this.#writes + refills - this.#refills);
    this.#refills = refills;
    return Math.max(0, this.#writes);
  }

  /** So many writes were made. */
  spend(writes: number): void {
    this.#writes -= writes;
  }

  #refillsUntil(now: number): number {
    return Math.floor((now * this.#perSecond) / 1000);
  }
}
