const NONE: ReadonlyMap<string, number> = new Map();

/**
 * Counts of what happened since the process started, by name and reason: every limit that is hit, every refusal,
 * every drop. Names and reasons are few and fixed, never taken from input.
 */
export class Counters {
  readonly #counts = new Map<string, Map<string, number>>();

  /** Adds `by` (default 1) to `name`, under `reason` (default `all`). */
  add(name: string, reason = 'all', by = 1): void {
    let reasons = this.#counts.get(name);
    if (reasons === undefined) this.#counts.set(name, (reasons = new Map<string, number>()));
    reasons.set(reason, (reasons.get(reason) ?? 0) + by);
  }

  /** The count of `name` under `reason`, or of all its reasons together; 0 when it never happened. */
  get(name: string, reason?: string): number {
    const reasons = this.#counts.get(name);
    if (reasons === undefined) return 0;
    if (reason !== undefined) return reasons.get(reason) ?? 0;
    return [...reasons.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The counts of `name`, by reason. */
  of(name: string): ReadonlyMap<string, number> {
    return this.#counts.get(name) ?? NONE;
  }

  /** All counts, `{name: {reason: count}}`, as the status page shows them. */
  toJSON(): Record<string, Record<string, number>> {
    return Object.fromEntries(
      [...this.#counts].map(([name, reasons]) => [name, Object.fromEntries(reasons)]),
    );
  }
}
