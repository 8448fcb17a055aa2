import type { Clock } from '../clock.js';
import type { Session } from './session.js';
import type { Slice } from './slice.js';
import { MAX_SLICE_BYTES, MAX_SLICE_EVENTS, type Slicer } from './slicer.js';
import type { Timeline } from './timeline.js';

/** Most bytes in one write of several rooms, unless a single event is larger. */
const MAX_WRITE_BYTES = MAX_SLICE_BYTES;

/** What a {@link Feeder} works with. */
export interface FeederParts {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly clock: Clock;
  /** Writes that may await one session, each of as much as a slice holds; of what is more the oldest append events are left out. */
  readonly maxQueue: number;
  /** So many events were left out for the session; must tell it. */
  readonly onOverflow: (session: Session, dropped: number) => void;
  /** A live session stands where the timeline is no longer whole; must move it on. */
  readonly onLost: (session: Session) => void;
}

/** Gives one session its next write: what waits ahead, what it is owed, then the timeline's next stretch. */
export class Feeder {
  readonly #parts: FeederParts;

  constructor(parts: FeederParts) {
    this.#parts = parts;
  }

  /**
   * At most one write of what awaits the session before position `to`. True when more awaits it. Throws what its
   * connection throws.
   */
  feed(session: Session, to: number): boolean {
    const { timeline, onLost } = this.#parts;
    const { state, position, isOwed } = session;
    if (state !== 'live' || (position >= to && !isOwed && timeline.isOfEpoch(position))) return false;
    if (!session.outlet.writable) {
      session.stalledAt ??= this.#parts.clock.elapsed();
      return false;
    }
    session.stalledAt = null;
    if (!timeline.isWholeFor(session.rooms, session.position)) {
      // Also what waits ahead is not written: its cursor would hide the gap.
      onLost(session);
      return session.isOwed;
    }
    const slice = session.ahead.length === 0 ? undefined : session.takeAhead();
    if (slice !== undefined) {
      session.deliver([slice], session.isOwed ? null : this.#cursorOf(session));
      return session.isOwed || session.position < to;
    }
    this.#bound(session, to);
    if (session.isOwed) this.#payOff(session);
    else this.#advance(session, to);
    return session.isOwed || session.position < to;
  }

  /** Shortens what awaits a session that fell further behind than it may. */
  #bound(session: Session, to: number): void {
    const { slicer, timeline, maxQueue } = this.#parts;
    if (session.resuming || session.unpaid + to - session.position <= maxQueue) return;
    const limits = { maxEvents: maxQueue * MAX_SLICE_EVENTS, maxBytes: maxQueue * MAX_SLICE_BYTES };
    let events = session.unpaid;
    let bytes = 0;
    for (const [room, since] of session.rooms) {
      const weight = timeline.weigh(room, Math.max(session.position, since), to);
      events += weight.events;
      bytes += weight.bytes;
    }
    if (events <= limits.maxEvents && bytes <= limits.maxBytes) return;
    const { events: left, dropped } = slicer.shorten(session, to, limits);
    session.supersede(events - left.length - dropped);
    session.owe(left);
    session.position = to;
    if (dropped > 0) this.#parts.onOverflow(session, dropped);
  }

  /** One write of what the session is owed. */
  #payOff(session: Session): void {
    const cursor = this.#parts.timeline.cursorAt(session.position);
    const slice = this.#parts.slicer.payment(session, cursor);
    session.pay(slice.events.length);
    session.deliver([slice], session.isOwed ? null : this.#cursorOf(session));
  }

  #advance(session: Session, to: number): void {
    const { slices, end } = this.#cut(session, to);
    session.position = end;
    if (end === to) session.resuming = false;
    if (slices.length === 0) return;
    session.deliver(slices, this.#cursorOf(session));
  }

  /** The cursor of the session's position, once it covers all rooms. */
  #cursorOf(session: Session): string | null {
    const { position, coveredFrom } = session;
    return position < coveredFrom ? null : this.#parts.timeline.cursorAt(position);
  }

  /** The slices of the session's rooms up to the same `end`, together small enough for one write. */
  #cut(session: Session, to: number): { readonly slices: readonly Slice[]; readonly end: number } {
    const slices: Slice[] = [];
    let bytes = 0;
    let events = 0;
    for (const [room, since] of session.rooms) {
      const slice = this.#parts.slicer.slice(room, Math.max(session.position, since), to);
      if (slice === undefined) continue;
      // One room's slice is too much for one write: the others must not run ahead of it.
      if (slice.end < to && session.rooms.size > 1) return this.#cut(session, slice.end);
      slices.push(slice);
      bytes += slice.bytes;
      events += slice.events.length;
    }
    const width = to - session.position;
    if ((bytes > MAX_WRITE_BYTES || events > MAX_SLICE_EVENTS) && slices.length > 1 && width > 1) {
      return this.#cut(session, session.position + Math.ceil(width / 2));
    }
    return { slices, end: slices[0]?.end ?? to };
  }
}
