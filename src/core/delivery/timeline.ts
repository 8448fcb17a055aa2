import type { Event, LogEntry } from '../event.js';
import type { EventTypes } from '../event-types.js';
import { BoundedQueue } from '../log/bounded-queue.js';
import { entrySize } from '../log/entry-size.js';
import { compareLogIds, FIRST_LOG_ID, isLogId } from '../log/log-id.js';
import type { LogBounds } from '../log/memory-log.js';
import { Shards } from '../log/shards.js';
import type { Counters } from '../metrics/counters.js';
import { type CursorScope, CursorScopes } from './cursor-scope.js';
import { RetainedValues } from './retained-values.js';
import { RoomHistory } from './room-history.js';
import { type PlacedEntry, ShardEnd, type Standing } from './shard-end.js';

/** The part of the log's bytes that newest values may take whose events left the log. */
const RETAINED_SHARE = 0.25;

/** An entry, and what it takes to let go of it. */
export interface HeldEntry extends PlacedEntry {
  readonly shard: number;
  readonly rooms: readonly string[];
  /** When it arrived, {@link Clock.elapsed}. */
  readonly at: number;
  /** False for what its shard held already when this process began to read it. */
  readonly isNew: boolean;
}

/**
 * The end of the log that this process holds in memory, by room. The nth entry that arrived, of whichever shard, has
 * position n; a session at position p has everything before p. All sessions read the same events from here.
 */
export class Timeline {
  /** The sets of shards that cursors may speak of. */
  readonly scopes: CursorScopes;
  /** How the log is divided. */
  readonly shards: Shards;
  readonly #types: EventTypes;
  /** Of all shards, in order of position. */
  readonly #entries: BoundedQueue<HeldEntry>;
  readonly #ends: readonly ShardEnd[];
  readonly #rooms = new Map<string, RoomHistory>();
  readonly #retained: RetainedValues;
  #head = 0;
  #revision = 0;

  constructor(types: EventTypes, bounds: LogBounds, counters: Counters, shards = new Shards(1)) {
    this.#types = types;
    this.shards = shards;
    this.scopes = new CursorScopes(shards);
    this.#ends = this.scopes.all.shards.map((shard) => new ShardEnd(shards.logId(shard, FIRST_LOG_ID)));
    this.#entries = new BoundedQueue(bounds.maxEvents, bounds.maxBytes);
    this.#retained = new RetainedValues(bounds.maxBytes * RETAINED_SHARE, (event) => {
      this.#rooms.get(event.room)?.forget(event);
      counters.add('snapshot_values_forgotten');
    });
  }

  /** The position after the newest entry. */
  get head(): number {
    return this.#head;
  }

  /** The cursor of {@link head} in all shards. */
  get headCursor(): string {
    return this.cursorAt(this.#head);
  }

  /** Entries held. */
  get length(): number {
    return this.#entries.length;
  }

  /** Starts the shard of `floor` anew after that id: sessions of its rooms at earlier positions have lost events. Newest values stay. */
  reset(floor: string): void {
    const shard = this.shards.ofId(floor);
    const end = this.#endOf(shard);
    this.#revision += 1;
    for (const entry of this.#entries.remove((one) => one.shard === shard)) {
      this.#trim(entry.rooms, entry.position + 1);
    }
    // A position of its own for the break, so that no session that stood at the old head passes for whole.
    if (end.begun) this.#head += 1;
    end.begun = true;
    for (const [name, room] of this.#rooms) {
      if (this.shards.ofRoom(name) === shard) room.breakAt(this.#head);
    }
    end.forgottenRoomsEnd = this.#head;
    end.reset(floor);
  }

  /** The shard has been read to its end: cursors may speak of it. */
  caughtUp(shard: number): void {
    this.#revision += 1;
    this.#endOf(shard).caughtUp = true;
  }

  /** Forgets all of a shard, which is followed no longer; no session may have a room of it. */
  forget(shard: number): void {
    this.#revision += 1;
    this.#entries.remove((one) => one.shard === shard);
    for (const [name, room] of this.#rooms) {
      if (this.shards.ofRoom(name) !== shard) continue;
      for (const event of room.latest) this.#retained.release(event);
      this.#rooms.delete(name);
    }
    const end = this.#endOf(shard);
    end.reset(this.shards.logId(shard, FIRST_LOG_ID));
    end.begun = false;
    end.caughtUp = false;
    end.forgottenRoomsEnd = this.#head;
  }

  /** Adds the next entries of a shard, which arrived at `at` ({@link Clock.elapsed}); returns the rooms they go to. */
  append(batch: readonly LogEntry[], at = 0): Set<string> {
    const touched = new Set<string>();
    this.#revision += 1;
    for (const entry of batch) {
      const position = this.#head++;
      const shard = this.shards.ofId(entry.id);
      const rooms: string[] = [];
      for (const event of this.#placeIn(shard, entry, position)) {
        rooms.push(event.room);
        touched.add(event.room);
        const superseded = this.#roomFor(event.room).push(event);
        if (superseded !== undefined) this.#retained.release(superseded);
      }
      const end = this.#endOf(shard);
      const held: HeldEntry = { id: entry.id, position, shard, rooms, at, isNew: end.caughtUp };
      end.push(held);
      this.#entries.push(held, entrySize(entry), (dropped) => {
        this.#endOf(dropped.shard).shift();
        this.#trim(dropped.rooms, dropped.position + 1);
      });
    }
    return touched;
  }

  /** The entry as its rooms get it, for entries read from the log that are older than what is held here. */
  place(entry: LogEntry): Event[] {
    return this.#placeIn(this.shards.ofId(entry.id), entry, -1);
  }

  /** The cursor that says "everything before `position`" of the shards in `scope`. */
  cursorAt(position: number, scope: CursorScope = this.scopes.all): string {
    return scope.cursorAt(position, this.#revision, (shards) => {
      const ends = shards.map((shard) => this.#endOf(shard));
      const known = this.shards.count === 1 ? ends : ends.filter(({ caughtUp }) => caughtUp);
      return this.shards.cursorOf(known.map((end) => end.idBefore(position)));
    });
  }

  /** When the entry at `position` arrived, or, where that is gone, the oldest after it; undefined when none is held. */
  arrivedAt(position: number): number | undefined {
    const index = this.#entries.firstIndexWhere((entry) => entry.position >= position);
    return this.#entries.at(index)?.at;
  }

  /** The entries with positions in `[from, to)` that are held; of `every` of them one. */
  entriesBetween(from: number, to: number, every = 1): readonly HeldEntry[] {
    const some: HeldEntry[] = [];
    let index = this.#entries.firstIndexWhere((entry) => entry.position >= from);
    for (let entry = this.#entries.at(index); entry !== undefined; entry = this.#entries.at(index)) {
      if (entry.position >= to) break;
      some.push(entry);
      index += every;
    }
    return some;
  }

  /** Where an id of the log stands; any text may come in. */
  locate(id: string): Standing {
    return isLogId(id) ? this.#endOf(this.shards.ofId(id)).locate(id, this.#head) : 'lost';
  }

  /** True for a cursor of this log whose place, in some shard, is held no more. */
  isTrimmed(cursor: string): boolean {
    const ids = [...(this.shards.idsIn(cursor)?.values() ?? [])];
    return ids.some((id) => this.locate(id) === 'lost');
  }

  /** True when nothing the room was sent since `position` is missing here. */
  isWhole(room: string, position: number): boolean {
    return position >= (this.#rooms.get(room)?.wholeFrom ?? this.#endOfRoom(room).forgottenRoomsEnd);
  }

  /** True when {@link isWhole} for all rooms, each since `position` or its own position, whichever is later. */
  isWholeFor(rooms: ReadonlyMap<string, number>, position: number): boolean {
    for (const [room, since] of rooms) if (!this.isWhole(room, Math.max(position, since))) return false;
    return true;
  }

  /** True when the room was sent something at or after `position`. */
  hasNews(room: string, position: number): boolean {
    return (this.#rooms.get(room)?.end ?? 0) > position;
  }

  /** The position from which on a session has all of the room that came before `position`. */
  endBefore(room: string, position: number): number {
    return this.#rooms.get(room)?.endBefore(position) ?? this.#endOfRoom(room).forgottenRoomsEnd;
  }

  /** How many events the room was sent in `[from, to)`, and their bytes. */
  weigh(room: string, from: number, to: number): { readonly events: number; readonly bytes: number } {
    return this.#rooms.get(room)?.weigh(from, to) ?? { events: 0, bytes: 0 };
  }

  /** Up to `limit` of the room's events with positions in `[from, to)`, oldest first. */
  between(room: string, from: number, to: number, limit: number): readonly Event[] {
    return this.#rooms.get(room)?.between(from, to, limit) ?? [];
  }

  /** True when a newer value of the event's slot is known: whoever reads on from the event comes to that one. */
  isSuperseded({ room, slot, id }: Event): boolean {
    const newest = slot === null ? undefined : this.#rooms.get(room)?.newest(slot);
    return newest !== undefined && compareLogIds(newest.id, id) > 0;
  }

  /** The newest event of each of the room's slots, oldest first. */
  latest(room: string): readonly Event[] {
    return this.#rooms.get(room)?.latest ?? [];
  }

  /** Lets go of rooms that hold nothing; call when every session that could has been moved to `position` or beyond. */
  forgetEmptyRooms(position: number): void {
    for (const [name, room] of this.#rooms) {
      if (!room.isEmpty || room.wholeFrom > position) continue;
      const end = this.#endOfRoom(name);
      end.forgottenRoomsEnd = Math.max(end.forgottenRoomsEnd, room.wholeFrom);
      this.#rooms.delete(name);
    }
  }

  #endOf(shard: number): ShardEnd {
    return this.#ends[shard] as ShardEnd;
  }

  #endOfRoom(room: string): ShardEnd {
    return this.#endOf(this.shards.ofRoom(room));
  }

  /** The entry as those of its rooms get it that lie in its shard. */
  #placeIn(shard: number, entry: LogEntry, position: number): Event[] {
    const events = this.#types.place(entry, position);
    return this.shards.count === 1 ? events : events.filter(({ room }) => this.shards.ofRoom(room) === shard);
  }

  #roomFor(name: string): RoomHistory {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      this.#rooms.set(name, (room = new RoomHistory(this.#endOfRoom(name).forgottenRoomsEnd)));
    }
    return room;
  }

  #trim(rooms: readonly string[], position: number): void {
    for (const name of rooms) {
      for (const event of this.#rooms.get(name)?.trim(position) ?? []) this.#retained.add(event);
    }
  }
}
