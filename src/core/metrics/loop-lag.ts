import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../clock.js';

/** How often the loop is looked at, ms. */
const RESOLUTION_MS = 20;
/** How long a histogram is filled before the other one is begun anew, ms. */
const TURN_MS = 5000;

/** How late the event loop was, in ms. */
export interface LoopLagFigures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * How late the event loop serves what is due, over the last 5 to 10 s: two histograms that are begun anew in turn, of
 * which the older is read. Source: https://nodejs.org/api/perf_hooks.html#perf_hooksmonitoreventloopdelayoptions
 */
export class LoopLag {
  readonly #endTurns: () => void;
  #older: IntervalHistogram;
  #newer: IntervalHistogram;

  constructor(clock: Clock) {
    this.#older = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#newer = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#older.enable();
    this.#newer.enable();
    this.#endTurns = clock.every(TURN_MS, () => {
      [this.#older, this.#newer] = [this.#newer, this.#older];
      this.#newer.reset();
    });
  }

  /** Null before the first look. */
  figures(): LoopLagFigures | null {
    const histogram = this.#older;
    if (histogram.count === 0) return null;
    return {
      p50: lagOf(histogram.percentile(50)),
      p99: lagOf(histogram.percentile(99)),
      max: lagOf(histogram.max),
    };
  }

  /** Looks no more. */
  close(): void {
    this.#endTurns();
    this.#older.disable();
    this.#newer.disable();
  }
}

/** What is measured is the time between two looks, ns. */
function lagOf(betweenNs: number): number {
  return Math.max(0, Math.round((betweenNs / 1e6 - RESOLUTION_MS) * 100) / 100);
}
