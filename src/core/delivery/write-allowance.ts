/**
 * How many writes one client may get now: a bucket that refills steadily and holds what a second brings. A caller
 * that must may overdraw it; the client then waits longer.
 */
export class WriteAllowance {
  readonly #perSecond: number;
  #writes: number;
  #countedAt: number;

  /** @param perSecond ≥ 1. @param now In ms, as in all calls; never goes back. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#writes = perSecond;
    this.#countedAt = now;
  }

  /** Whole writes that may be made now; 0 when none. */
  available(now: number): number {
    const refilled = this.#writes + ((now - this.#countedAt) * this.#perSecond) / 1000;
    this.#writes = Math.min(this.#perSecond, refilled);
    this.#countedAt = now;
    // A hair below a whole write is one: times are fractions.
    return Math.max(0, Math.floor(this.#writes + 1e-6));
  }

  /** So many writes were made. */
  spend(writes: number): void {
    this.#writes -= writes;
  }
}
