import type { Clock } from '../clock.js';

/** The window is this many times as wide as a flush costs: fan-out may take two fifths of the loop. */
const WIDTH_PER_COST = 2.5;
/** Weight of the newest flush in the running cost. */
const COST_WEIGHT = 0.3;

/** Bounds of the window, in ms. */
export interface WindowBounds {
  /** Narrowest; what follows from the most flushes a second, so it goes before the others. */
  readonly minMs: number;
  /** Widest. */
  readonly maxMs: number;
  /** Longest wait of an event, the flush included. */
  readonly maxWaitMs: number;
}

/**
 * Says when to flush. The first request after quiet is served at once (leading edge); under flow, requests
 * gather for a window that follows what a flush costs; whatever was requested is flushed at the window's end
 * (trailing edge), also when it came during a flush.
 */
export class FlushWindow {
  readonly #clock: Clock;
  readonly #bounds: WindowBounds;
  readonly #flush: () => Promise<number>;
  #state: 'idle' | 'waiting' | 'flushing' = 'idle';
  #requestedDuringFlush = false;
  #startedAt = -Infinity;
  #costMs = 0;

  /** `flush` does the work and resolves with the loop time it took, in ms. It must not reject. */
  constructor(clock: Clock, bounds: WindowBounds, flush: () => Promise<number>) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#flush = flush;
  }

  /** The window's width now, in ms. */
  get widthMs(): number {
    const { minMs, maxMs, maxWaitMs } = this.#bounds;
    return Math.max(minMs, Math.min(this.#costMs * WIDTH_PER_COST, maxMs, maxWaitMs - this.#costMs));
  }

  /** Something awaits a flush. */
  request(): void {
    if (this.#state === 'flushing') this.#requestedDuringFlush = true;
    else if (this.#state === 'idle') this.#schedule();
  }

  #schedule(): void {
    this.#state = 'waiting';
    const waitMs = this.#startedAt + this.widthMs - this.#clock.elapsed();
    const run = (): void => void this.#run();
    // Even the leading edge lets the current turn end, so that what arrived together leaves together.
    if (waitMs <= 0) this.#clock.soon(run);
    else this.#clock.after(waitMs, run);
  }

  async #run(): Promise<void> {
    this.#state = 'flushing';
    this.#startedAt = this.#clock.elapsed();
    const costMs = await this.#flush();
    this.#costMs += (costMs - this.#costMs) * COST_WEIGHT;
    this.#state = 'idle';
    if (!this.#requestedDuringFlush) return;
    this.#requestedDuringFlush = false;
    this.#schedule();
  }
}
