import { Refusal } from '../../src/core/errors.js';
import type { LogEntry, NewEvent } from '../../src/core/event.js';
import { parseCursor } from '../../src/core/log/cursor.js';
import type { EventLog, LogPage, LogState, LogTail } from '../../src/core/log/event-log.js';
import { compareLogIds, FIRST_LOG_ID } from '../../src/core/log/log-id.js';

/**
 * A log that does what the test says, when it says so: it stores more than it has told its tail (as when other
 * nodes append), starts and fails on command, and answers reads late where asked to.
 */
export class HeldLog implements EventLog {
  readonly kind = 'redis';
  readonly reason = null;
  /** Of its cursors: `held.<id>`. */
  epoch = 'held';
  state: LogState = 'starting';
  /** While false, appends and reads are refused. */
  reachable = true;
  /** Reads so far: the cursors. */
  readonly reads: string[] = [];
  readonly #entries: LogEntry[] = [];
  #tail: LogTail | undefined;
  #told = 0;
  #floor = FIRST_LOG_ID;
  #count = 0;

  start(tail: LogTail): void {
    this.#tail = tail;
    tail.reset(this.epoch, this.#floor);
  }

  /** Stores events without telling the tail; returns their ids. */
  store(events: readonly NewEvent[]): string[] {
    const entries = events.map((event) => ({ ...event, id: `${String(++this.#count)}-0` }));
    this.#entries.push(...entries);
    return entries.map(({ id }) => id);
  }

  /** Tells the tail what is stored, at most `count` more entries. */
  tell(count = Infinity): void {
    const batch = this.#entries.slice(this.#told, this.#told + count);
    this.#told += batch.length;
    if (batch.length > 0) this.#tail?.entries(batch);
  }

  enter(state: LogState): void {
    this.state = state;
    this.#tail?.caughtUp(state === 'ready');
  }

  /** The log could not be followed without loss: what comes next follows `floor`. */
  break(floor: string): void {
    this.#tail?.reset(this.epoch, floor);
  }

  /** Forgets the oldest `count` entries. */
  trim(count: number): void {
    const gone = this.#entries.splice(0, count);
    this.#told -= count;
    this.#floor = gone.at(-1)?.id ?? this.#floor;
  }

  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    if (!this.reachable) return Promise.resolve(new Refusal('log_unavailable', 'away', 1000));
    const ids = this.store(events);
    this.tell();
    return Promise.resolve(ids);
  }

  readAfter(cursor: string, limit: number): Promise<LogPage | Refusal> {
    this.reads.push(cursor);
    if (!this.reachable) return Promise.resolve(new Refusal('log_unavailable', 'away', 1000));
    const lastId = this.#entries.at(-1)?.id ?? this.#floor;
    const at = parseCursor(cursor);
    if (at?.epoch !== this.epoch || compareLogIds(at.id, lastId) > 0)
      return Promise.resolve({ entries: [], loss: 'unknown_cursor' });
    if (compareLogIds(at.id, this.#floor) < 0) return Promise.resolve({ entries: [], loss: 'trimmed' });
    const entries = this.#entries.filter(({ id }) => compareLogIds(id, at.id) > 0);
    return Promise.resolve({ entries: entries.slice(0, limit), loss: null });
  }

  close(): Promise<void> {
    this.#tail = undefined;
    return Promise.resolve();
  }
}
