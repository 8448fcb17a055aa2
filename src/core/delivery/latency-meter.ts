import type { Clock } from '../clock.js';
import { msOf } from '../log/log-id.js';
import type { Histogram } from '../metrics/histogram.js';
import type { Hub } from './hub.js';
import type { Timeline } from './timeline.js';

/** Most events looked at after one flush; of more, every nth stands for n. */
const MAX_LOOKS = 500;

/** What a {@link LatencyMeter} works with. */
export interface LatencyMeterParts {
  readonly timeline: Timeline;
  readonly hub: Hub;
  readonly clock: Clock;
  /** Where it counts, ms. */
  readonly latencyMs: Histogram;
}

/** Measures from an event's id to the end of the flush that took it to its rooms: once an event, whoever got it. */
export class LatencyMeter {
  readonly #parts: LatencyMeterParts;

  constructor(parts: LatencyMeterParts) {
    this.#parts = parts;
  }

  /** A flush took its rooms from position `from` to position `to`, just now. */
  flushed(from: number, to: number): void {
    const { timeline, hub, clock, latencyMs } = this.#parts;
    const now = clock.now();
    const every = Math.ceil((to - from) / MAX_LOOKS);
    for (const { id, isNew, rooms } of timeline.entriesBetween(from, to, every)) {
      // What a node reads when it starts is as old as the log.
      if (isNew && rooms.some((room) => hub.members(room).size > 0)) latencyMs.add(now - msOf(id), every);
    }
  }
}
