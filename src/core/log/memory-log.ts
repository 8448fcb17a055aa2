import type { Clock } from '../clock.js';
import type { LogEntry, NewEvent } from '../event.js';
import { BoundedQueue } from './bounded-queue.js';
import { parseCursor } from './cursor.js';
import { entrySize } from './entry-size.js';
import type { EventLog, LogPage, LogState, LogTail } from './event-log.js';
import { newEpoch } from './log-epoch.js';
import { compareLogIds } from './log-id.js';

/** Bounds of a log kept in memory: whichever is reached first trims the oldest. */
export interface LogBounds {
  /** Most entries. */
  readonly maxEvents: number;
  /** Most bytes, counted by {@link entrySize}. */
  readonly maxBytes: number;
}

/** The log in the process's memory: what runs without Redis. It ends with the process, so each has an epoch of its own. */
export class MemoryLog implements EventLog {
  readonly kind = 'memory';
  readonly reason = null;
  readonly #epoch = newEpoch();
  readonly #clock: Clock;
  readonly #entries: BoundedQueue<LogEntry>;
  #tail: LogTail | undefined;
  #floor: string;
  #lastMs: number;
  #lastSequence = 0;

  constructor(clock: Clock, bounds: LogBounds) {
    this.#clock = clock;
    this.#entries = new BoundedQueue(bounds.maxEvents, bounds.maxBytes);
    this.#lastMs = clock.now();
    this.#floor = this.#lastId();
  }

  get state(): LogState {
    return 'ready';
  }

  start(tail: LogTail): void {
    this.#tail = tail;
    tail.reset(this.#epoch, this.#floor);
    tail.caughtUp(true);
  }

  append(events: readonly NewEvent[]): Promise<readonly string[]> {
    const batch = events.map((event): LogEntry => ({ ...event, id: this.#nextId() }));
    for (const entry of batch) {
      this.#entries.push(entry, entrySize(entry), (dropped) => {
        this.#floor = dropped.id;
      });
    }
    if (batch.length > 0) this.#tail?.entries(batch);
    return Promise.resolve(batch.map((entry) => entry.id));
  }

  readAfter(cursor: string, limit: number): Promise<LogPage> {
    const at = parseCursor(cursor);
    if (at?.epoch !== this.#epoch || compareLogIds(at.id, this.#lastId()) > 0) {
      return Promise.resolve({ entries: [], loss: 'unknown_cursor' });
    }
    if (compareLogIds(at.id, this.#floor) < 0) return Promise.resolve({ entries: [], loss: 'trimmed' });
    const start = this.#entries.firstIndexWhere((entry) => compareLogIds(entry.id, at.id) > 0);
    return Promise.resolve({ entries: this.#entries.slice(start, start + limit), loss: null });
  }

  close(): Promise<void> {
    this.#tail = undefined;
    return Promise.resolve();
  }

  /** Ids follow the wall clock but never go back with it. */
  #nextId(): string {
    const now = this.#clock.now();
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#lastSequence = 0;
    } else {
      this.#lastSequence += 1;
    }
    return this.#lastId();
  }

  #lastId(): string {
    return `${String(this.#lastMs)}-${String(this.#lastSequence)}`;
  }
}
