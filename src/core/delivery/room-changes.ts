import { type Caller, isSameClient } from '../auth/caller.js';
import { Rights } from '../auth/rights.js';
import { Refusal } from '../errors.js';
import type { Event } from '../event.js';
import type { Counters } from '../metrics/counters.js';
import type { Admission } from './admission.js';
import type { Beginnings } from './beginnings.js';
import type { Hub } from './hub.js';
import type { Session } from './session.js';
import type { Slicer } from './slicer.js';
import type { Sweeper } from './sweeper.js';
import type { Timeline } from './timeline.js';
import type { WorkLimit } from './work-limit.js';

/** Slices that may await a session ahead of the timeline before it may ask for more snapshots. */
const MAX_AHEAD = 64;
/** Events that may be owed to a session before it may ask for more of them. */
const MAX_OWED = 10_000;
const GONE = new Refusal('unknown_session', 'the session has ended');
const BUSY = new Refusal('rate_limited', 'snapshots of earlier joins are still on their way', 1000);

/** Rooms to leave and to join, each any value a client sent. */
export interface RoomChange {
  readonly join: unknown;
  readonly leave: unknown;
}

/** What {@link RoomChanges} work with. */
export interface RoomChangesParts {
  readonly admission: Admission;
  readonly beginnings: Beginnings;
  readonly hub: Hub;
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly sweeper: Sweeper;
  readonly counters: Counters;
  /** Limits changes, by the rooms they name. */
  readonly changeLimit: WorkLimit;
  /** Limits the snapshots that clients ask for, by the values of their rooms. */
  readonly snapshotLimit: WorkLimit;
  /** A session has something to take. */
  readonly wake: (session: Session) => void;
}

/** How live sessions come into rooms and out of them, and are shown the newest values when they ask. */
export class RoomChanges {
  readonly #parts: RoomChangesParts;

  constructor(parts: RoomChangesParts) {
    this.#parts = parts;
  }

  /**
   * Takes rooms away and adds others: all of it, or, where that is refused, nothing. Answers all it has then. It is asked
   * for `by` somebody who must be the session's client, and whose rights count: they may be newer than its own.
   */
  change(session: Session, change: RoomChange, by: Caller): readonly string[] | Refusal {
    if (!isSameClient(session.principal, by)) {
      return this.#refuse(new Refusal('forbidden', "this is another client's session"));
    }
    const { admission, beginnings, changeLimit } = this.#parts;
    const { join, leave } = change;
    // A list that is too long costs next to nothing, and takes nothing of the limit.
    const tooLong = admission.checkLength(join) ?? admission.checkLength(leave);
    if (tooLong !== undefined) return this.#refuse(tooLong);
    // The rooms with which a session begins are part of its connection, but not what comes after some that were refused.
    const cost = Math.max(1, lengthOf(join) + lengthOf(leave));
    const waitMs = beginnings.takeFirst(session) ? 0 : changeLimit.take(session, by, cost);
    if (waitMs > 0) return this.#refuse(tooMany('changes of rooms', waitMs));
    return this.#change(session, change, by.rights);
  }

  /** The same, for who may do so with any session: other nodes and backends, which reach this one through Redis. */
  place(session: Session, change: RoomChange): readonly string[] | Refusal {
    return this.#change(session, change, Rights.ALL);
  }

  #change(session: Session, { join, leave }: RoomChange, rights: Rights): readonly string[] | Refusal {
    const { admission, beginnings, hub, sweeper, wake } = this.#parts;
    // What was sent before the end may be read after it; nobody would take it out of a room again.
    if (session.state === 'closed') return this.#refuse(GONE);
    if (session.ahead.length >= MAX_AHEAD) return this.#refuse(BUSY);
    const gone = admission.checkNames(leave);
    if (gone instanceof Refusal) return this.#refuse(gone);
    const held = new Set(session.rooms.keys());
    for (const room of gone) held.delete(room);
    const anew = admission.checkRooms(join, held, rights);
    if (anew instanceof Refusal) return this.#refuse(anew);
    for (const room of gone) hub.leave(session, room);
    sweeper.moveToHead(session);
    for (const room of anew) this.#enter(session, room);
    session.outlet.roomsChanged();
    if (beginnings.isHeld(session)) beginnings.release(session);
    else wake(session);
    return [...session.rooms.keys()];
  }

  #enter(session: Session, room: string): void {
    const { beginnings, hub, timeline, slicer } = this.#parts;
    // Its first rooms wait for these: all of them begin at its cursor.
    if (beginnings.isHeld(session)) hub.join(session, room, Infinity);
    else if (timeline.isCaughtUp) {
      hub.join(session, room, timeline.head);
      session.putAhead(slicer.snapshot(room));
    } else {
      hub.join(session, room, Infinity);
      session.newcomerIn.add(room);
    }
  }

  /**
   * Sends the session alone the newest values of its rooms: all, or those `wanted` says. Returns how many, with
   * those that were on their way to it already. Refused: `rate_limited`.
   */
  show(session: Session, wanted: (event: Event) => boolean): number | Refusal {
    const { timeline, slicer, counters, wake } = this.#parts;
    if (session.state !== 'live') return 0;
    if (session.ahead.length >= MAX_AHEAD || session.unpaid >= MAX_OWED) {
      counters.add('snapshots_skipped');
      return session.ahead.length + session.unpaid;
    }
    const entered = [...session.rooms.keys()].filter((room) => session.rooms.get(room) !== Infinity);
    const waitMs = this.#parts.snapshotLimit.take(session, session.principal, this.#valuesOf(entered));
    if (waitMs > 0) return tooMany('snapshots', waitMs);
    const values = entered.flatMap((room) => timeline.latest(room));
    const events = values.filter(wanted);
    // Values it has not come to yet are on their way to it anyway, and must not come before older ones.
    const passed = events.filter(
      ({ room, position }) => position < Math.max(session.position, session.rooms.get(room) ?? 0),
    );
    // What it is owed is older.
    const { owed, paid } = session;
    if (session.unpaid > 0) session.owe([...owed.slice(paid), ...passed]);
    // A room's snapshot is the same for all sessions, and encoded once.
    else if (passed.length === values.length)
      for (const room of entered) session.putAhead(slicer.snapshot(room));
    else session.putAhead(slicer.pack(passed, timeline.head, timeline.cursorAt(timeline.head)));
    wake(session);
    return events.length;
  }

  #valuesOf(rooms: readonly string[]): number {
    return rooms.reduce((sum, room) => sum + this.#parts.timeline.valuesIn(room), 1);
  }

  #refuse(refusal: Refusal): Refusal {
    this.#parts.counters.add('room_changes_refused', refusal.code);
    return refusal;
  }
}

function tooMany(what: string, waitMs: number): Refusal {
  return new Refusal('rate_limited', `too many ${what} in a short time`, waitMs);
}

/** How many rooms a client names. */
function lengthOf(rooms: unknown): number {
  return Array.isArray(rooms) ? rooms.length : 0;
}
