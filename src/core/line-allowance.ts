import type { Clock } from './clock.js';

/** The span in which lines are counted, ms. */
const SPAN_MS = 1000;

/**
 * Keeps a log from being flooded: so many lines a second are let through, and how many were not is told when the second
 * is over.
 */
export class LineAllowance {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #tellLeftOut: (count: number) => void;
  #begunAt = -Infinity;
  #written = 0;
  #leftOut = 0;

  /** `tellLeftOut` is called with how many lines were left out, after each second in which there were some. */
  constructor(clock: Clock, perSecond: number, tellLeftOut: (count: number) => void) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tellLeftOut = tellLeftOut;
  }

  /** True when one more line may be written. */
  take(): boolean {
    const now = this.#clock.elapsed();
    if (now - this.#begunAt >= SPAN_MS && this.#leftOut === 0) {
      this.#begunAt = now;
      this.#written = 0;
    }
    if (this.#written < this.#perSecond) {
      this.#written += 1;
      return true;
    }
    this.#leftOut += 1;
    if (this.#leftOut === 1) {
      this.#clock.after(this.#begunAt + SPAN_MS - now, () => {
        this.#tell();
      });
    }
    return false;
  }

  #tell(): void {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#tellLeftOut(leftOut);
  }
}
