/**
 * Draws at a bounded rate: however often something changes, `draw` runs once per animation frame at most, and not
 * sooner than `minIntervalMs` after the last time. A hidden page does not draw at all.
 */
export class FrameBatch {
  readonly #draw: () => void;
  readonly #minIntervalMs: number;
  #isAwaited = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** `minIntervalMs`: default 100 ms, ten drawings a second. */
  constructor(draw: () => void, minIntervalMs = 100) {
    this.#draw = draw;
    this.#minIntervalMs = minIntervalMs;
  }

  /** Something changed: draw soon. */
  request(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    const waitMs = Math.max(0, this.#lastMs + this.#minIntervalMs - performance.now());
    setTimeout(() => {
      requestAnimationFrame(() => {
        this.#isAwaited = false;
        this.#lastMs = performance.now();
        this.#draw();
      });
    }, waitMs);
  }
}
