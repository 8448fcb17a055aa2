/** How often in a row something may come back without a wait. */
const MAX_HURRIES = 3;

/**
 * Waits between attempts: exponential with full jitter, so that clients which lost the same gateway do not come back
 * together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export class Backoff {
  readonly #random: () => number;
  #minMs = 1000;
  #maxMs = 30_000;
  #waits = 0;
  #hurries = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Sets the first window and the widest one, ms; default 1 s and 30 s. */
  setBounds(minMs: number, maxMs: number): void {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** ms to wait before the next attempt. */
  next(): number {
    const windowMs = Math.min(this.#maxMs, this.#minMs * 2 ** this.#waits);
    this.#waits += 1;
    this.#hurries = 0;
    return this.#random() * windowMs;
  }

  /** True when the next attempt may go without a wait; false when that has not helped several times in a row. */
  mayHurry(): boolean {
    this.#hurries += 1;
    return this.#hurries <= MAX_HURRIES;
  }

  /** An attempt succeeded: the next wait is a short one again. */
  reset(): void {
    this.#waits = 0;
    this.#hurries = 0;
  }
}
