import type { Clock } from '../clock.js';
import type { LogEntry } from '../event.js';
import type { LogTail } from '../log/event-log.js';
import type { Counters } from '../metrics/counters.js';
import type { Engine } from './engine.js';

/** What a {@link FollowedLog} works with. */
export interface FollowedLogParts {
  readonly clock: Clock;
  /** Counts `events_logged`. */
  readonly counters: Counters;
}

/** Takes what the log tells into the engine: entries, breaks, and whether it is read up to its end. */
export class FollowedLog implements LogTail {
  readonly #engine: Engine;
  readonly #parts: FollowedLogParts;
  #isCaughtUp = false;

  constructor(engine: Engine, parts: FollowedLogParts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  /** Whether the log is read up to its end, as far as this process knows. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  reset(epoch: string, floor: string): void {
    const { timeline, hub, pump, sessions } = this.#engine;
    timeline.reset(epoch, floor);
    // Sessions of quiet rooms, too, must learn of the gap.
    const rooms = new Set(hub.names());
    if (rooms.size > 0) pump.changed(rooms);
    // So must those without a room of a new epoch; no flush comes by them.
    for (const session of sessions) if (session.rooms.size === 0) pump.wake(session);
  }

  entries(batch: readonly LogEntry[]): void {
    const { timeline, pump, beginnings } = this.#engine;
    pump.changed(timeline.append(batch, this.#parts.clock.elapsed()));
    this.#parts.counters.add('events_logged', 'all', batch.length);
    if (this.#isCaughtUp) beginnings.beginWaiting();
  }

  caughtUp(isCaughtUp: boolean): void {
    this.#isCaughtUp = isCaughtUp;
    if (!isCaughtUp) return;
    this.#engine.timeline.caughtUp();
    this.#engine.beginnings.beginWaiting();
  }
}
