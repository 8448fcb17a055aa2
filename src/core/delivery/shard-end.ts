import { BoundedQueue } from '../log/bounded-queue.js';
import { compareLogIds } from '../log/log-id.js';

/** Where an id of the log stands: at a position, `ahead` of what this process has read, or `lost` (not whole any more). */
export type Standing = { readonly position: number } | 'ahead' | 'lost';

/** An entry as the timeline holds it: its id, and its place among those of all shards. */
export interface PlacedEntry {
  readonly id: string;
  readonly position: number;
}

/** The end of one shard of the log that this process holds: its ids and where they stand in the timeline. */
export class ShardEnd {
  /** In order; the timeline bounds it. */
  readonly #entries = new BoundedQueue<PlacedEntry>(Infinity, Infinity);
  #floor: string;
  /** Rooms of this shard that nothing is known of are whole from this position on. */
  forgottenRoomsEnd = 0;
  /** True once it is followed. */
  begun = false;
  /** True once all has been read that it held: only then can it be said what somebody has of it. */
  caughtUp = false;

  /** @param floor The id before all ids of the shard. */
  constructor(floor: string) {
    this.#floor = floor;
  }

  /** Entries held. */
  get length(): number {
    return this.#entries.length;
  }

  /** Adds the next entry. */
  push(entry: PlacedEntry): void {
    this.#entries.push(entry, 0, () => undefined);
  }

  /** Lets go of the oldest entry. */
  shift(): void {
    this.#floor = this.#entries.shift()?.id ?? this.#floor;
  }

  /** Lets go of all; what comes next follows `floor`. */
  reset(floor: string): void {
    this.#entries.clear();
    this.#floor = floor;
  }

  /** The id of the last entry before `position`, else of the place before all that is held. */
  idBefore(position: number): string {
    const oldest = this.#entries.at(0);
    if (oldest === undefined) return this.#floor;
    // Where no other shard's entries lie between, the place is known.
    const guess = this.#entries.at(position - 1 - oldest.position);
    if (guess?.position === position - 1) return guess.id;
    const next = this.#entries.firstIndexWhere((entry) => entry.position >= position);
    return this.#entries.at(next - 1)?.id ?? this.#floor;
  }

  /**
   * Where an id of this shard stands: right before the next entry of the shard, at `head` where there is none. Any text
   * that has the form of an id may come in.
   */
  locate(id: string, head: number): Standing {
    if (compareLogIds(id, this.#floor) < 0) return 'lost';
    const newest = this.#entries.at(this.#entries.length - 1);
    if (compareLogIds(id, newest?.id ?? this.#floor) > 0) return 'ahead';
    const index = this.#entries.firstIndexWhere((entry) => compareLogIds(entry.id, id) > 0);
    // An id that lies between those of the log is from before the log was lost.
    const isOwn = id === (index === 0 ? this.#floor : this.#entries.at(index - 1)?.id);
    return isOwn || newest === undefined ? { position: this.#entries.at(index)?.position ?? head } : 'lost';
  }
}
