import type { Caller } from '../auth/caller.js';
import type { Event } from '../event.js';
import { Traffic } from '../metrics/traffic.js';
import type { Outlet } from './outlet.js';
import type { Slice } from './slice.js';

/** The transports a session may come over. */
export type Transport = 'websocket' | 'sse';

/**
 * `opening`: it waits for the log, or is being caught up from it. `live`: it follows the timeline. `closed`: gone.
 */
export type SessionState = 'opening' | 'live' | 'closed';

// Most sessions are owed nothing, and share these; a flush to thousands is quicker the less memory it has to look at.
const NOTHING: readonly Event[] = [];
const NO_SLICES: readonly Slice[] = [];

/** One connected client as core sees it: who it is, its rooms and its place in the timeline. Holds no socket. */
export class Session {
  /** Unique and hard to guess: whoever knows it may change the session's rooms. */
  readonly id: string;
  /** Whose it is. */
  readonly principal: Caller;
  readonly transport: Transport;
  /** Where its events go. */
  readonly outlet: Outlet;
  /** Where what it is written is counted, with all sessions of its transport. */
  readonly #traffic: Traffic;
  readonly #rooms = new Map<string, number>();
  #onlyRoom: string | null = null;
  #coveredFrom = 0;
  /** When it ends since what its client showed expires, epoch ms; null: never. */
  endsAt: number | null;
  state: SessionState = 'opening';
  /** True once it was told so. */
  welcomed = false;
  /** It has everything before this position, in all its rooms. */
  position = 0;
  /** Slices to be written before anything from the timeline: a snapshot, oldest first. */
  ahead: readonly Slice[] = NO_SLICES;
  /**
   * Events it is owed before anything from the timeline, oldest first, since it had fallen too far behind. Shared with
   * other sessions, so it is never shortened: {@link paid} says how many of them were written.
   */
  owed: readonly Event[] = NOTHING;
  paid = 0;
  /** Rooms it begins as a newcomer, whatever its cursor says: it joined them before the log had been read. */
  readonly newcomerIn = new Set<string>();
  /** True until it has caught up after it came back with a cursor: until then it may lag without limit. */
  resuming = false;
  /** When it was first found unable to take what awaits it, {@link Clock.elapsed}; null while it keeps up. */
  stalledAt: number | null = null;

  constructor(id: string, principal: Caller, transport: Transport, outlet: Outlet, traffic = new Traffic()) {
    this.id = id;
    this.principal = principal;
    this.endsAt = principal.expiresAt;
    this.transport = transport;
    this.outlet = outlet;
    this.#traffic = traffic;
  }

  /** One write through its outlet, counted. Throws what the outlet throws. */
  deliver(slices: readonly Slice[], cursor: string | null): void {
    const traffic = this.#traffic;
    const bytes = this.outlet.deliver(slices, cursor);
    traffic.bytes += bytes;
    for (const { events, covers } of slices) {
      traffic.events += events.length;
      traffic.owed += covers;
    }
    if (bytes > 0) traffic.writes += 1;
  }

  /** So many events that awaited it are not to be written any more, since newer values of them are. */
  supersede(events: number): void {
    this.#traffic.owed += events;
  }

  /** How many of the events it is owed were not written yet. */
  get unpaid(): number {
    return this.owed.length - this.paid;
  }

  /** True when something other than the timeline awaits it. */
  get isOwed(): boolean {
    return this.ahead.length > 0 || this.unpaid > 0;
  }

  /** Adds slices to what goes before anything from the timeline. */
  putAhead(slices: readonly Slice[]): void {
    if (slices.length > 0) this.ahead = [...this.ahead, ...slices];
  }

  /** Takes the next of these slices out; undefined when there is none. */
  takeAhead(): Slice | undefined {
    const [next, ...rest] = this.ahead;
    this.ahead = rest.length === 0 ? NO_SLICES : rest;
    return next;
  }

  /** Says what it is owed from now on. */
  owe(events: readonly Event[]): void {
    this.owed = events.length === 0 ? NOTHING : events;
    this.paid = 0;
  }

  /** So many more of what it is owed were written. */
  pay(events: number): void {
    this.paid += events;
    if (this.paid >= this.owed.length) this.owe(NOTHING);
  }

  /**
   * Its rooms, each with the position from which on it gets the room's events from the timeline; Infinity while that is
   * not known: while it is `opening`, for those it came with.
   */
  get rooms(): ReadonlyMap<string, number> {
    return this.#rooms;
  }

  /** Its room, where it has only one and gets its events, else null. */
  get onlyRoom(): string | null {
    return this.#onlyRoom;
  }

  /**
   * The position at which the last of its rooms began. A client must be told no cursor before it: resuming there
   * would give it older values of that room than the room's snapshot did.
   */
  get coveredFrom(): number {
    return this.#coveredFrom;
  }

  /** It gets the room's events from position `since` on, whether it had the room before or not. */
  enter(room: string, since: number): void {
    this.#rooms.set(room, since);
    if (since !== Infinity) this.newcomerIn.delete(room);
    this.#survey();
  }

  /** It has the room no longer. */
  exit(room: string): void {
    this.newcomerIn.delete(room);
    if (this.#rooms.delete(room)) this.#survey();
  }

  /** Every flush asks these of every session, so they are kept. */
  #survey(): void {
    let coveredFrom = 0;
    let entered: string | null = null;
    for (const [room, since] of this.#rooms) {
      if (since === Infinity) continue;
      entered = room;
      if (since > coveredFrom) coveredFrom = since;
    }
    this.#onlyRoom = this.#rooms.size === 1 ? entered : null;
    this.#coveredFrom = coveredFrom;
  }
}
