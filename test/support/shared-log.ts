import type { LogEntry, NewEvent } from '../../src/core/event.js';
import type { EventTypes } from '../../src/core/event-types.js';
import { parseCursor } from '../../src/core/log/cursor.js';
import type { EventLog, LogPage, LogTail } from '../../src/core/log/event-log.js';
import { compareLogIds, FIRST_LOG_ID } from '../../src/core/log/log-id.js';
import type { PublishedEvent } from './promised-client.js';

/** A log that any number of nodes follow, each as far as the test tells it; it may be lost and begun anew. */
export class SharedLog {
  /** Events as their rooms get them, in the order of storing, of all epochs. */
  readonly published: PublishedEvent[] = [];
  readonly #types: EventTypes;
  readonly #maxEntries: number;
  readonly #views: LogView[] = [];
  #entries: LogEntry[] = [];
  #epochs = 1;
  #count = 0;

  /** @param maxEntries Entries that it keeps for {@link LogView.readAfter}; followers miss none. */
  constructor(types: EventTypes, maxEntries: number) {
    this.#types = types;
    this.#maxEntries = maxEntries;
  }

  get epoch(): string {
    return `epoch-${String(this.#epochs)}`;
  }

  /** All entries of this epoch there ever were. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** A node's view of it. */
  open(): LogView {
    const view = new LogView(this);
    this.#views.push(view);
    return view;
  }

  /** The id before all that it keeps: a node that follows it has read what is trimmed. */
  get floor(): string {
    const told = this.#views.map((view) => view.told);
    return this.#entries[Math.min(this.#entries.length - this.#maxEntries, ...told) - 1]?.id ?? FIRST_LOG_ID;
  }

  /** Stores an event; two events in a row share the ms of their ids. */
  store(event: NewEvent): string {
    const sequence = this.#count++;
    const id = `${String(Math.floor(sequence / 2) + 1)}-${String(sequence % 2)}`;
    const entry: LogEntry = { ...event, id };
    this.#entries.push(entry);
    const { epoch } = this;
    this.published.push(...this.#types.place(entry, 0).map((placed) => ({ ...placed, epoch })));
    return id;
  }

  /** Loses everything; the ids of what comes next are smaller than those that were. */
  lose(): void {
    this.#entries = [];
    this.#epochs += 1;
    this.#count = 0;
  }
}

/** What one node has of a {@link SharedLog}. */
export class LogView implements EventLog {
  readonly kind = 'redis';
  readonly state = 'ready';
  readonly reason = null;
  readonly #log: SharedLog;
  #tail: LogTail | undefined;
  #epoch: string;
  #told = 0;

  constructor(log: SharedLog) {
    this.#log = log;
    this.#epoch = log.epoch;
  }

  start(tail: LogTail): void {
    this.#tail = tail;
    tail.reset(this.#epoch, this.#log.floor);
    tail.caughtUp(true);
  }

  /** How many of the log's entries the tail was told. */
  get told(): number {
    return this.#epoch === this.#log.epoch ? this.#told : 0;
  }

  /** Tells the tail up to `count` more entries, or, where that is so, that the log was replaced. */
  tell(count = Infinity): void {
    if (this.#epoch !== this.#log.epoch) {
      this.#epoch = this.#log.epoch;
      this.#told = 0;
      this.#tail?.reset(this.#epoch, FIRST_LOG_ID);
    }
    const batch = this.#log.entries.slice(this.#told, this.#told + count);
    this.#told += batch.length;
    if (batch.length > 0) this.#tail?.entries(batch);
  }

  /** It could not be followed without loss, as far as the node can tell; what comes next follows the last told. */
  break(): void {
    if (this.#epoch !== this.#log.epoch) return this.tell(0);
    this.#tail?.reset(this.#epoch, this.#log.entries[this.#told - 1]?.id ?? FIRST_LOG_ID);
  }

  /** The index, in what was published, of the first event that the tail was not told. */
  untold(): number {
    const isOwn = this.#epoch === this.#log.epoch;
    const next = isOwn ? this.#log.entries[this.#told] : undefined;
    const { published } = this.#log;
    const index = isOwn
      ? published.findIndex(({ id, epoch }) => id === next?.id && epoch === this.#epoch)
      : published.findIndex(({ epoch }) => epoch === this.#log.epoch);
    return index < 0 ? published.length : index;
  }

  append(events: readonly NewEvent[]): Promise<readonly string[]> {
    return Promise.resolve(events.map((event) => this.#log.store(event)));
  }

  readAfter(cursor: string, limit: number): Promise<LogPage> {
    const at = parseCursor(cursor);
    const { entries, floor, epoch } = this.#log;
    if (at?.epoch !== epoch || compareLogIds(at.id, entries.at(-1)?.id ?? floor) > 0)
      return Promise.resolve({ entries: [], loss: 'unknown_cursor' });
    if (compareLogIds(at.id, floor) < 0) return Promise.resolve({ entries: [], loss: 'trimmed' });
    const after = entries.filter((entry) => compareLogIds(entry.id, at.id) > 0);
    return Promise.resolve({ entries: after.slice(0, limit), loss: null });
  }

  close(): Promise<void> {
    this.#tail = undefined;
    return Promise.resolve();
  }
}
