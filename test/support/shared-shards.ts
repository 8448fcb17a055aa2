import type { Event, LogEntry, NewEvent } from '../../src/core/event.js';
import type { EventTypes } from '../../src/core/event-types.js';
import type { EventLog, LogPage, LogTail } from '../../src/core/log/event-log.js';
import { compareLogIds, FIRST_LOG_ID, isLogId } from '../../src/core/log/log-id.js';
import { Shards } from '../../src/core/log/shards.js';

/** A log of several shards that any number of nodes follow, each as far as the test tells it, shard by shard. */
export class SharedShards {
  readonly shards: Shards;
  /** What was stored, as its rooms get it, in the order of storing. */
  readonly published: Event[] = [];
  readonly #types: EventTypes;
  readonly #maxEntries: number;
  readonly #views: ShardsView[] = [];
  /** By shard: all that was ever stored. */
  readonly #entries: LogEntry[][];
  #count = 0;

  /** @param maxEntries Entries that each shard keeps for {@link readAfter}; followers miss none. */
  constructor(count: number, types: EventTypes, maxEntries: number) {
    this.shards = new Shards(count);
    this.#types = types;
    this.#maxEntries = maxEntries;
    this.#entries = Array.from({ length: count }, () => []);
  }

  /** A node's view of it; a `lazy` one follows what it is asked to, and is caught up with it when the test has told all. */
  open(lazy = false): ShardsView {
    const view = new ShardsView(this, lazy);
    this.#views.push(view);
    return view;
  }

  /** All entries of a shard there ever were. */
  entriesOf(shard: number): readonly LogEntry[] {
    return this.#entries[shard] as LogEntry[];
  }

  /** The id before all that a shard keeps. */
  floorOf(shard: number): string {
    const all = this.entriesOf(shard);
    // Who follows it has read what is trimmed: else it would be told of a break.
    const gone = Math.min(all.length - this.#maxEntries, ...this.#views.map((view) => view.toldOf(shard)));
    return all[gone - 1]?.id ?? this.shards.logId(shard, FIRST_LOG_ID);
  }

  /** True while an entry can be read. */
  holds(id: string): boolean {
    return compareLogIds(id, this.floorOf(this.shards.ofId(id))) > 0;
  }

  /** Stores an event in each shard that has a room of its; two events in a row share the ms of their ids. */
  store(event: NewEvent): string[] {
    const { shards } = this;
    const sequence = this.#count++;
    const storedId = `${String(Math.floor(sequence / 2) + 1)}-${String(sequence % 2)}`;
    return [...new Set(this.#types.roomsOf(event).map((room) => shards.ofRoom(room)))].map((shard) => {
      const entry: LogEntry = { ...event, id: shards.logId(shard, storedId) };
      this.#entries[shard]?.push(entry);
      for (const placed of this.#types.place(entry, 0)) {
        if (shards.ofRoom(placed.room) === shard) this.published.push(placed);
      }
      return entry.id;
    });
  }
}

/** What one node has of a {@link SharedShards}. */
export class ShardsView implements EventLog {
  readonly kind = 'redis';
  readonly state = 'ready';
  readonly agreed = Promise.resolve();
  readonly shards: Shards;
  readonly #log: SharedShards;
  /** By shard: how many entries the tail was told. */
  readonly #told: number[];
  #tail: LogTail | undefined;

  /** Called when a shard was caught up with. */
  onCaughtUp: (shard: number) => void = () => undefined;
  readonly #lazy: boolean;
  readonly #followed = new Set<number>();
  readonly #caughtUp = new Set<number>();

  constructor(log: SharedShards, lazy: boolean) {
    this.#log = log;
    this.#lazy = lazy;
    this.shards = log.shards;
    this.#told = Array.from({ length: log.shards.count }, () => 0);
  }

  start(tail: LogTail): void {
    this.#tail = tail;
    if (!this.#lazy) for (const shard of this.#told.keys()) this.follow(shard);
    tail.state('ready');
  }

  get followed(): readonly number[] {
    // What is not lazy is never let go of.
    return this.#lazy ? [...this.#followed] : [];
  }

  follow(shard: number): void {
    if (this.#followed.has(shard)) return;
    const floor = this.#log.floorOf(shard);
    this.#told[shard] = this.#log.entriesOf(shard).findIndex(({ id }) => id === floor) + 1;
    this.#followed.add(shard);
    this.#tail?.reset(floor);
    if (!this.#lazy) this.#catchUp(shard);
  }

  unfollow(shard: number): void {
    this.#followed.delete(shard);
    this.#caughtUp.delete(shard);
  }

  #catchUp(shard: number): void {
    if (this.#caughtUp.has(shard)) return;
    this.#caughtUp.add(shard);
    this.#tail?.caughtUp(shard);
    this.onCaughtUp(shard);
  }

  /** How many of a shard's entries were told; Infinity while it is not followed. */
  toldOf(shard: number): number {
    return this.#followed.has(shard) ? (this.#told[shard] ?? 0) : Infinity;
  }

  /** Tells the tail up to `count` more entries of a shard. */
  tell(shard: number, count = Infinity): void {
    if (!this.#followed.has(shard)) return;
    const from = this.#told[shard] ?? 0;
    const batch = this.#log.entriesOf(shard).slice(from, from + count);
    this.#told[shard] = from + batch.length;
    if (batch.length > 0) this.#tail?.entries(batch);
    if (this.#told[shard] === this.#log.entriesOf(shard).length) this.#catchUp(shard);
  }

  /** A shard could not be followed without loss, as far as the log can tell; what comes next follows the last told. */
  break(shard: number): void {
    if (!this.#followed.has(shard)) return;
    const last = this.#log.entriesOf(shard)[(this.#told[shard] ?? 0) - 1];
    this.#tail?.reset(last?.id ?? this.shards.logId(shard, FIRST_LOG_ID));
  }

  /** The index, in what was published, of the room's first event that the tail was not told; Infinity while it is read in. */
  untold(room: string): number {
    const shard = this.shards.ofRoom(room);
    if (!this.#caughtUp.has(shard)) return Infinity;
    const next = this.#log.entriesOf(shard)[this.#told[shard] ?? 0];
    const index = this.#log.published.findIndex(({ id }) => id === next?.id);
    return index < 0 ? this.#log.published.length : index;
  }

  append(events: readonly NewEvent[]): Promise<readonly string[]> {
    return Promise.resolve(events.map((event) => this.#log.store(event)[0] as string));
  }

  readAfter(id: string, limit: number): Promise<LogPage> {
    if (!isLogId(id)) return Promise.resolve({ entries: [], whole: false });
    const shard = this.shards.ofId(id);
    const floor = this.#log.floorOf(shard);
    const all = this.#log.entriesOf(shard);
    const whole = compareLogIds(id, floor) >= 0 && compareLogIds(id, all.at(-1)?.id ?? floor) <= 0;
    const entries = whole ? all.filter((entry) => compareLogIds(entry.id, id) > 0) : [];
    return Promise.resolve({ entries: entries.slice(0, limit), whole });
  }

  close(): Promise<void> {
    this.#tail = undefined;
    return Promise.resolve();
  }
}
