import type { Event, LogEntry } from '../event.js';
import type { EventTypes } from '../event-types.js';
import { BoundedQueue } from '../log/bounded-queue.js';
import { entrySize } from '../log/entry-size.js';
import { compareLogIds, FIRST_LOG_ID, isLogId } from '../log/log-id.js';
import type { LogBounds } from '../log/memory-log.js';
import type { Counters } from '../metrics/counters.js';
import { RoomHistory } from './room-history.js';

/** Newest values kept for newcomers although their events left the log: at most so many … */
const MAX_RETAINED_EVENTS = 10_000;
/** … and at most this part of the log's bytes. */
const RETAINED_SHARE = 0.25;

/** Where a cursor stands: at a position, `ahead` of what this process has read, or `lost` (not whole any more). */
export type Standing = { readonly position: number } | 'ahead' | 'lost';

/**
 * The end of the log that this process holds in memory, by room. The nth entry has position n; a session at
 * position p has everything before p. All sessions read the same events from here.
 */
export class Timeline {
  readonly #types: EventTypes;
  readonly #counters: Counters;
  readonly #entries: BoundedQueue<{
    readonly id: string;
    readonly position: number;
    readonly rooms: string[];
    readonly at: number;
  }>;
  readonly #rooms = new Map<string, RoomHistory>();
  readonly #retained = new Map<Event, number>();
  readonly #maxRetainedBytes: number;
  #retainedBytes = 0;
  #head = 0;
  #floor = FIRST_LOG_ID;
  #forgottenRoomsEnd = 0;
  #begun = false;

  constructor(types: EventTypes, bounds: LogBounds, counters: Counters) {
    this.#types = types;
    this.#counters = counters;
    this.#entries = new BoundedQueue(bounds.maxEvents, bounds.maxBytes);
    this.#maxRetainedBytes = bounds.maxBytes * RETAINED_SHARE;
  }

  /** The position after the newest entry. */
  get head(): number {
    return this.#head;
  }

  /** The cursor of {@link head}. */
  get headCursor(): string {
    return this.cursorAt(this.#head);
  }

  /** Entries held. */
  get length(): number {
    return this.#entries.length;
  }

  /** Starts anew after the id `floor`: sessions at earlier positions have lost events. Newest values stay. */
  reset(floor: string): void {
    for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
      this.#trim(entry.rooms, entry.position + 1);
    }
    // A position of its own for the break, so that no session that stood at the old head passes for whole.
    if (this.#begun) this.#head += 1;
    this.#begun = true;
    for (const room of this.#rooms.values()) room.breakAt(this.#head);
    this.#forgottenRoomsEnd = this.#head;
    this.#floor = floor;
  }

  /** Adds the log's next entries, which arrived at `at` ({@link Clock.elapsed}); returns the rooms they go to. */
  append(batch: readonly LogEntry[], at = 0): Set<string> {
    const touched = new Set<string>();
    for (const entry of batch) {
      const position = this.#head++;
      const rooms: string[] = [];
      for (const event of this.#types.place(entry, position)) {
        rooms.push(event.room);
        touched.add(event.room);
        const superseded = this.#roomFor(event.room).push(event);
        if (superseded !== undefined) this.#release(superseded);
      }
      this.#entries.push({ id: entry.id, position, rooms, at }, entrySize(entry), (dropped) => {
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
    const oldest = this.#entries.at(0);
    if (oldest === undefined) return this.#floor;
    return this.#entries.at(position - 1 - oldest.position)?.id ?? this.#floor;
  }

  /** When the entry at `position` arrived, or, where that is gone, the oldest that is held; undefined when none is. */
  arrivedAt(position: number): number | undefined {
    const oldest = this.#entries.at(0);
    if (oldest === undefined) return undefined;
    return this.#entries.at(Math.max(0, position - oldest.position))?.at;
  }

  /** Where a client's cursor stands; any text may come in. */
  locate(cursor: string): Standing {
    if (!isLogId(cursor) || compareLogIds(cursor, this.#floor) < 0) return 'lost';
    if (compareLogIds(cursor, this.headCursor) > 0) return 'ahead';
    const oldest = this.#entries.at(0);
    if (oldest === undefined) return { position: this.#head };
    const index = this.#entries.firstIndexWhere((entry) => compareLogIds(entry.id, cursor) > 0);
    // An id that lies between those of the log is from before the log was lost.
    const isOwn = cursor === (index === 0 ? this.#floor : this.#entries.at(index - 1)?.id);
    return isOwn ? { position: oldest.position + index } : 'lost';
  }

  /** True when nothing the room was sent since `position` is missing here. */
  isWhole(room: string, position: number): boolean {
    return position >= (this.#rooms.get(room)?.wholeFrom ?? this.#forgottenRoomsEnd);
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
      this.#forgottenRoomsEnd = Math.max(this.#forgottenRoomsEnd, room.wholeFrom);
      this.#rooms.delete(name);
    }
  }

  #roomFor(name: string): RoomHistory {
    let room = this.#rooms.get(name);
    if (room === undefined) this.#rooms.set(name, (room = new RoomHistory(this.#forgottenRoomsEnd)));
    return room;
  }

  #trim(rooms: readonly string[], position: number): void {
    for (const name of rooms) {
      for (const event of this.#rooms.get(name)?.trim(position) ?? []) this.#retain(event);
    }
  }

  #retain(event: Event): void {
    const size = entrySize(event);
    this.#retained.set(event, size);
    this.#retainedBytes += size;
    for (const oldest of this.#retained.keys()) {
      if (this.#retained.size <= MAX_RETAINED_EVENTS && this.#retainedBytes <= this.#maxRetainedBytes) break;
      this.#release(oldest);
      this.#rooms.get(oldest.room)?.forget(oldest);
      this.#counters.add('snapshot_values_forgotten');
    }
  }

  #release(event: Event): void {
    const size = this.#retained.get(event);
    if (size === undefined) return;
    this.#retained.delete(event);
    this.#retainedBytes -= size;
  }
}
