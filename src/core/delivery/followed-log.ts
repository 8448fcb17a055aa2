import type { Clock } from '../clock.js';
import type { LogEntry } from '../event.js';
import type { LogState, LogTail } from '../log/event-log.js';
import type { Counters } from '../metrics/counters.js';
import type { Engine } from './engine.js';

/** What a {@link FollowedLog} works with. */
export interface FollowedLogParts {
  readonly clock: Clock;
  /** Counts `events_logged`. */
  readonly counters: Counters;
}

/** What the log says, taken into the engine: entries, breaks, and that a shard was read. */
export class FollowedLog implements LogTail {
  readonly #engine: Engine;
  readonly #parts: FollowedLogParts;
  #isReady = false;

  constructor(engine: Engine, parts: FollowedLogParts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  /** Whether all is read that the log has. */
  get isReady(): boolean {
    return this.#isReady;
  }

  reset(floor: string): void {
    const { timeline, hub, pump } = this.#engine;
    timeline.reset(floor);
    // Sessions of quiet rooms, too, must learn of the gap.
    const shard = timeline.shards.ofId(floor);
    const rooms = [...hub.names()].filter((room) => timeline.shards.ofRoom(room) === shard);
    if (rooms.length > 0) pump.changed(new Set(rooms));
  }

  entries(batch: readonly LogEntry[]): void {
    const { timeline, pump, beginnings } = this.#engine;
    pump.changed(timeline.append(batch, this.#parts.clock.elapsed()));
    this.#parts.counters.add('events_logged', 'all', batch.length);
    if (this.#isReady) beginnings.beginWaiting();
  }

  caughtUp(shard: number): void {
    const { timeline, interest, roomChanges, beginnings } = this.#engine;
    timeline.caughtUp(shard);
    interest.caughtUp(shard);
    roomChanges.caughtUp(shard);
    beginnings.beginReady();
  }

  state(state: LogState): void {
    this.#isReady = state === 'ready';
    if (this.#isReady) this.#engine.beginnings.beginWaiting();
  }
}
