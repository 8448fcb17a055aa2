/**
 * Waits between attempts: exponential with full jitter, so that clients which lost the same gateway do not come
 * back together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export class Backoff {
  readonly #random: () => number;
  #minMs = 1000;
  #maxMs = 30_000;
  #attempts = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Sets the first window and the widest one, ms; default 1 s and 30 s. */
  setBounds(minMs: number, maxMs: number): void {
    this.#minMs = Math.max(1, minMs);
    this.#maxMs = Math.max(this.#minMs, maxMs);
  }

  /** ms to wait before the next attempt. */
  next(): number {
    const windowMs = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, 30);
    return this.#random() * windowMs;
  }

  /** An attempt succeeded: the next wait is a short one again. */
  reset(): void {
    this.#attempts = 0;
  }
}
