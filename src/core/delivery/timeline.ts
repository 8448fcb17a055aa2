import type { Event, LogEntry } from '../event.js';
import type { EventTypes } from '../event-types.js';
import { BoundedQueue } from '../log/bounded-queue.js';
import { formatCursor, parseCursor } from '../log/cursor.js';
import { entrySize } from '../log/entry-size.js';
import type { Loss } from '../log/event-log.js';
import { compareLogIds, FIRST_LOG_ID } from '../log/log-id.js';
import type { LogBounds } from '../log/memory-log.js';
import type { Counters } from '../metrics/counters.js';
import { RetainedValues } from './retained-values.js';
import { RoomHistory } from './room-history.js';

/** The part of the log's bytes that newest values may take whose events left the log. */
const RETAINED_SHARE = 0.25;

/** Where a cursor stands: at a position, `ahead` of what this process has read, or not in this log any more. */
export type Standing = { readonly position: number } | 'ahead' | Loss;

/** An entry, and what it takes to let go of it. */
export interface HeldEntry {
  readonly id: string;
  readonly position: number;
  readonly rooms: readonly string[];
  /** When it arrived, {@link Clock.elapsed}. */
  readonly at: number;
  /** False for what the log held already when this process began to read it. */
  readonly isNew: boolean;
}

/**
 * The end of the log that this process holds in memory, by room. The nth entry that arrived has position n; a session at
 * position p has everything before p. All sessions read the same events from here.
 */
export class Timeline {
  readonly #types: EventTypes;
  /** In order of position, without a hole. */
  readonly #entries: BoundedQueue<HeldEntry>;
  readonly #rooms = new Map<string, RoomHistory>();
  readonly #retained: RetainedValues;
  #head = 0;
  #epoch = '';
  /** The position at which the epoch began. */
  #epochStart = 0;
  /** The id before all entries that are held, or were since the last reset. */
  #floor = FIRST_LOG_ID;
  #hasBegun = false;
  #isCaughtUp = false;
  /** Rooms that nothing is known of are whole from this position on. */
  #forgottenRoomsEnd = 0;
  /** The last cursor that was made, and its position. */
  #cursor = '';
  #cursorPosition = -1;

  constructor(types: EventTypes, bounds: LogBounds, counters: Counters) {
    this.#types = types;
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

  /** The cursor of {@link head}. */
  get headCursor(): string {
    return this.cursorAt(this.#head);
  }

  /** The log's epoch; empty before the first reset. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Entries held. */
  get length(): number {
    return this.#entries.length;
  }

  /** True once all has been read that the log held: only then can rooms be shown. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /**
   * Starts anew after the id `floor` of `epoch`: sessions at earlier positions have lost events. Newest values stay, unless
   * the epoch is another one: they belong to a log that is gone.
   */
  reset(epoch: string, floor: string): void {
    this.#cursorPosition = -1;
    for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
      this.#trim(entry.rooms, entry.position + 1);
    }
    // A position of its own for the break, so that no session that stood at the old head passes for whole.
    if (this.#hasBegun) this.#head += 1;
    this.#hasBegun = true;
    if (epoch !== this.#epoch) this.#forgetValues();
    for (const room of this.#rooms.values()) room.breakAt(this.#head);
    this.#forgottenRoomsEnd = this.#head;
    this.#epoch = epoch;
    this.#floor = floor;
  }

  /** All has been read that the log holds. */
  caughtUp(): void {
    this.#isCaughtUp = true;
  }

  /** Adds the next entries, which arrived at `at` ({@link Clock.elapsed}); returns the rooms they go to. */
  append(batch: readonly LogEntry[], at = 0): Set<string> {
    const touched = new Set<string>();
    this.#cursorPosition = -1;
    for (const entry of batch) {
      const position = this.#head++;
      const rooms: string[] = [];
      for (const event of this.#types.place(entry, position)) {
        rooms.push(event.room);
        touched.add(event.room);
        const superseded = this.#roomFor(event.room).push(event);
        if (superseded !== undefined) this.#retained.release(superseded);
      }
      const held: HeldEntry = { id: entry.id, position, rooms, at, isNew: this.#isCaughtUp };
      this.#entries.push(held, entrySize(entry), (dropped) => {
        this.#floor = dropped.id;
        this.#trim(dropped.rooms, dropped.position + 1);
      });
    }
    return touched;
  }

  /** The entry as its rooms get it, for entries read from the log that are older than what is held here. */
  place(entry: LogEntry): Event[] {
    return this.#types.place(entry, -1);
  }

  /** The cursor that says "everything before `position`". */
  cursorAt(position: number): string {
    if (position !== this.#cursorPosition) {
      const oldest = this.#entries.at(0)?.position ?? position;
      const id = this.#entries.at(position - 1 - oldest)?.id ?? this.#floor;
      this.#cursor = formatCursor(this.#epoch, id);
      this.#cursorPosition = position;
    }
    return this.#cursor;
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

  /** Where a cursor stands; any text may come in. */
  locate(cursor: string): Standing {
    const at = parseCursor(cursor);
    if (at?.epoch !== this.#epoch) return 'unknown_cursor';
    const { id } = at;
    if (compareLogIds(id, this.#floor) < 0) return 'trimmed';
    const newest = this.#entries.at(this.#entries.length - 1);
    if (compareLogIds(id, newest?.id ?? this.#floor) > 0) return 'ahead';
    const next = this.#entries.firstIndexWhere((entry) => compareLogIds(entry.id, id) > 0);
    // An id between those of the log is none that it ever gave.
    const isOwn = id === (next === 0 ? this.#floor : this.#entries.at(next - 1)?.id);
    return isOwn ? { position: this.#entries.at(next)?.position ?? this.#head } : 'unknown_cursor';
  }

  /** Why a session at `position`, which is not whole, has lost events. */
  lossAt(position: number): Loss {
    return this.isOfEpoch(position) ? 'trimmed' : 'unknown_cursor';
  }

  /** True when nothing the room was sent since `position` is missing here. */
  isWhole(room: string, position: number): boolean {
    return position >= (this.#rooms.get(room)?.wholeFrom ?? this.#forgottenRoomsEnd);
  }

  /** True when a session at `position` was told the epoch of this log; what it has of another can't be compared. */
  isOfEpoch(position: number): boolean {
    return position >= this.#epochStart;
  }

  /**
   * True when {@link isWhole} for all rooms, each since `position` or its own position, whichever is later. With another
   * log nothing is whole, whatever the rooms: a client with none has values of rooms it may come back to.
   */
  isWholeFor(rooms: ReadonlyMap<string, number>, position: number): boolean {
    if (!this.isOfEpoch(position)) return false;
    for (const [room, since] of rooms) if (!this.isWhole(room, Math.max(position, since))) return false;
    return true;
  }

  /** True when the room was sent something at or after `position`. */
  hasNews(room: string, position: number): boolean {
    return (this.#rooms.get(room)?.end ?? 0) > position;
  }

  /** The position from which on a session has all of the room that came before `position`. */
  endBefore(room: string, position: number): number {
    return this.#rooms.get(room)?.endBefore(position) ?? this.#forgottenRoomsEnd;
  }

  /** How many events the room was sent in `[from, to)`, and their bytes. */
  weigh(room: string, from: number, to: number): { readonly events: number; readonly bytes: number } {
    return this.#rooms.get(room)?.weigh(from, to) ?? { events: 0, bytes: 0 };
  }

  /** Up to `limit` of the room's events with positions in `[from, to)`, oldest first. */
  between(room: string, from: number, to: number, limit: number): readonly Event[] {
    return this.#rooms.get(room)?.between(from, to, limit) ?? [];
  }

  /** True when a newer value of the event's slot is known, of the same epoch: reading on from the event leads to it. */
  isSuperseded({ room, slot, id }: Event): boolean {
    const newest = slot === null ? undefined : this.#rooms.get(room)?.newest(slot);
    return newest !== undefined && compareLogIds(newest.id, id) > 0;
  }

  /** The newest event of each of the room's slots, oldest first. */
  latest(room: string): readonly Event[] {
    return this.#rooms.get(room)?.latest ?? [];
  }

  /** How many events {@link latest} has. */
  valuesIn(room: string): number {
    return this.#rooms.get(room)?.values ?? 0;
  }

  /** Lets go of rooms that hold nothing; call when every session that could has been moved to `position` or beyond. */
  forgetEmptyRooms(position: number): void {
    for (const [name, room] of this.#rooms) {
      if (!room.isEmpty || room.wholeFrom > position) continue;
      this.#forgottenRoomsEnd = Math.max(this.#forgottenRoomsEnd, room.wholeFrom);
      this.#rooms.delete(name);
    }
  }

  #roomFor(name: string): RoomHistory {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      this.#rooms.set(name, (room = new RoomHistory(this.#forgottenRoomsEnd)));
    }
    return room;
  }

  #forgetValues(): void {
    this.#epochStart = this.#head;
    for (const room of this.#rooms.values()) for (const event of room.latest) this.#retained.release(event);
    this.#rooms.clear();
  }

  #trim(rooms: readonly string[], position: number): void {
    for (const name of rooms) {
      for (const event of this.#rooms.get(name)?.trim(position) ?? []) this.#retained.add(event);
    }
  }
}
