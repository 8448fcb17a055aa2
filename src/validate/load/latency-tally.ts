/** A tally as it travels: how often each whole number of ms came. */
export type TallyEntries = readonly (readonly [ms: number, times: number])[];

/** How often each latency came, to the ms. */
export class LatencyTally {
  readonly #times = new Map<number, number>();
  #count = 0;

  /** How many came. */
  get count(): number {
    return this.#count;
  }

  /** One of `ms` came, `times` times: fractions are rounded up, what is below 0 counts as 0. */
  add(ms: number, times = 1): void {
    const whole = Math.max(0, Math.ceil(ms));
    this.#times.set(whole, (this.#times.get(whole) ?? 0) + times);
    this.#count += times;
  }

  /** Adds what another process counted. */
  addAll(entries: TallyEntries): void {
    for (const [ms, times] of entries) this.add(ms, times);
  }

  /** All of it, the shortest first. */
  entries(): TallyEntries {
    return [...this.#times].sort(([one], [other]) => one - other);
  }

  /** The latency that the part `share` (0–1) of all do not exceed, by nearest rank, ms; null when none came. */
  quantile(share: number): number | null {
    let left = Math.max(1, Math.ceil(share * this.#count));
    for (const [ms, times] of this.entries()) {
      left -= times;
      if (left <= 0) return ms;
    }
    return null;
  }
}
