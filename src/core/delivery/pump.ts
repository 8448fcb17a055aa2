import type { Clock } from '../clock.js';
import type { BacklogLimits } from './backlog.js';
import type { Hub } from './hub.js';
import type { Session } from './session.js';
import type { Slice } from './slice.js';
import { MAX_SLICE_BYTES, MAX_SLICE_EVENTS, type RoomNews, type Slicer } from './slicer.js';
import { Stretch } from './stretch.js';
import type { Timeline } from './timeline.js';
import { FlushWindow, type WindowBounds } from './window.js';

/** How often sessions that had their writes are looked at again, ms. */
const THROTTLE_MS = 50;
/** Most bytes in one write of several rooms, unless a single event is larger. */
const MAX_WRITE_BYTES = MAX_SLICE_BYTES;

/** What a {@link Pump} works with. */
export interface PumpParts {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly window: WindowBounds;
  /** Sessions served between two looks at the clock. */
  readonly stretchSessions: number;
  /** Writes that may await one session; of what is more the oldest append events are left out. */
  readonly maxQueue: number;
  /** So many events were left out for the session; must tell it. */
  readonly onOverflow: (session: Session, dropped: number) => void;
  /** A live session stands where the timeline is no longer whole; must move it on. */
  readonly onLost: (session: Session) => void;
  /** A connection threw where it must not; must end the session. Others go on. */
  readonly onFault: (session: Session, error: unknown) => void;
}

/**
 * Moves sessions along the timeline. A flush takes all members of the rooms that have news to the head; a session
 * whose connection can't take more is skipped, stays where it is and is caught up when woken. Both yield the loop.
 */
export class Pump {
  readonly #parts: PumpParts;
  readonly #window: FlushWindow;
  readonly #behind = new Set<Session>();
  readonly #throttled = new Set<Session>();
  #news = new Set<string>();
  #flushedTo = 0;
  #catchingUp = false;
  #flushes = 0;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#window = new FlushWindow(parts.clock, parts.window, () => this.#flush());
  }

  /** The window's width now, in ms. */
  get windowMs(): number {
    return this.#window.widthMs;
  }

  /** Flushes so far. */
  get flushes(): number {
    return this.#flushes;
  }

  /** These rooms have news in the timeline. */
  changed(rooms: ReadonlySet<string>): void {
    for (const room of rooms) this.#news.add(room);
    this.#window.request();
  }

  /** The session may have something to take, and its connection may take it: it was resumed, joined or drained. */
  wake(session: Session): void {
    if (session.state !== 'live') return;
    this.#behind.add(session);
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.#parts.clock.soon(() => void this.#catchUp());
  }

  /** The session is gone. */
  drop(session: Session): void {
    this.#behind.delete(session);
    this.#throttled.delete(session);
  }

  async #flush(): Promise<number> {
    const { timeline, slicer, hub, clock } = this.#parts;
    const rooms = this.#news;
    this.#news = new Set();
    const since = this.#flushedTo;
    const to = timeline.head;
    this.#flushedTo = to;
    this.#flushes += 1;
    const stretch = new Stretch(clock, this.#parts.stretchSessions);
    const now = clock.elapsed();
    for (const room of rooms) {
      const members = hub.members(room);
      const news = members.size > 1 ? slicer.news(room, since, to) : undefined;
      for (const session of members) {
        if (news !== undefined && isNext(session, room, news, now)) this.#pass(session, news);
        else if (this.#step(session)) this.wake(session);
        if (stretch.isOver()) await stretch.yield();
      }
    }
    if (!this.#catchingUp) slicer.forget();
    return stretch.end();
  }

  /** Takes woken sessions to where the last flush went, one write each in turn. */
  async #catchUp(): Promise<void> {
    // One step may cut and encode a slice of its own, so the clock is looked at after each.
    const stretch = new Stretch(this.#parts.clock, 1);
    for (const session of this.#behind) {
      this.#behind.delete(session);
      // Added again it comes last, so all get their turn; the loop ends when nobody is left.
      if (this.#step(session)) this.#behind.add(session);
      if (stretch.isOver()) await stretch.yield();
    }
    this.#catchingUp = false;
    this.#parts.slicer.forget();
  }

  /** Gives the session its room's news: what most sessions get in most flushes. */
  #pass(session: Session, { slices, cursor, events }: RoomNews): void {
    session.position = this.#flushedTo;
    session.stalledAt = null;
    session.resuming = false;
    session.allowance?.spend(events);
    try {
      session.outlet.deliver(slices, cursor);
    } catch (error) {
      this.#parts.onFault(session, error);
    }
  }

  /** At most one write to a session; true when more awaits it that its connection can take. */
  #step(session: Session): boolean {
    try {
      return this.#write(session, this.#flushedTo);
    } catch (error) {
      this.#parts.onFault(session, error);
      return false;
    }
  }

  #write(session: Session, to: number): boolean {
    if (session.state !== 'live' || (session.position >= to && !awaits(session))) return false;
    if (!session.outlet.writable) {
      session.stalledAt ??= this.#parts.clock.elapsed();
      return false;
    }
    session.stalledAt = null;
    const { timeline, onLost } = this.#parts;
    if (!timeline.isWholeFor(session.rooms, session.position)) {
      // Also what waits ahead is not written: its cursor would hide the gap.
      onLost(session);
      return awaits(session);
    }
    const slice = session.ahead.shift();
    if (slice !== undefined) {
      session.outlet.deliver([slice], awaits(session) ? null : this.#cursorOf(session));
      return awaits(session) || session.position < to;
    }
    const writes = session.allowance?.available(this.#parts.clock.elapsed()) ?? Infinity;
    if (writes === 0) {
      this.#throttle(session);
      return false;
    }
    this.#bound(session, to);
    return session.owed.length > 0 ? this.#payOff(session, to, writes) : this.#advance(session, to, writes);
  }

  /** The session has had its writes for now: it is woken when it may get the next ones. */
  #throttle(session: Session): void {
    this.#throttled.add(session);
    if (this.#throttled.size > 1) return;
    this.#parts.clock.after(THROTTLE_MS, () => {
      const throttled = [...this.#throttled];
      this.#throttled.clear();
      for (const one of throttled) this.wake(one);
    });
  }

  /** Shortens what awaits a session that fell further behind than it may. */
  #bound(session: Session, to: number): void {
    if (session.resuming || session.owed.length + to - session.position <= this.#parts.maxQueue) return;
    const { slicer, timeline } = this.#parts;
    const limits = this.#limitsOf(session);
    let events = session.owed.length;
    let bytes = 0;
    for (const [room, since] of session.rooms) {
      const weight = timeline.weigh(room, Math.max(session.position, since), to);
      events += weight.events;
      bytes += weight.bytes;
    }
    if (events <= limits.maxEvents && bytes <= limits.maxBytes) return;
    const { events: left, dropped } = slicer.shorten(session, to, limits);
    session.owed = left;
    session.position = to;
    if (dropped > 0) this.#parts.onOverflow(session, dropped);
  }

  /** What may await the session: as many writes as the configuration says. */
  #limitsOf(session: Session): BacklogLimits {
    const { maxQueue } = this.#parts;
    return session.outlet.unbundled
      ? { maxEvents: maxQueue, maxBytes: Infinity }
      : { maxEvents: maxQueue * MAX_SLICE_EVENTS, maxBytes: maxQueue * MAX_SLICE_BYTES };
  }

  /** One write of what the session is owed. */
  #payOff(session: Session, to: number, writes: number): boolean {
    const maxEvents = session.outlet.unbundled ? writes : MAX_SLICE_EVENTS;
    const cursor = this.#parts.timeline.cursorAt(session.position);
    const slice = this.#parts.slicer.first(session.owed, maxEvents, session.position, cursor);
    session.owed = session.owed.slice(slice.events.length);
    session.allowance?.spend(slice.events.length);
    session.outlet.deliver([slice], session.owed.length > 0 ? null : this.#cursorOf(session));
    return session.owed.length > 0 || session.position < to;
  }

  #advance(session: Session, to: number, writes: number): boolean {
    const { slices, end } = this.#cut(session, to, writes);
    session.position = end;
    if (end === to) session.resuming = false;
    if (slices.length > 0) {
      session.allowance?.spend(slices.reduce((sum, { events }) => sum + events.length, 0));
      session.outlet.deliver(slices, this.#cursorOf(session));
    }
    return end < to;
  }

  /** The cursor of the session's position, once it covers all rooms. */
  #cursorOf(session: Session): string | null {
    return session.position < session.coveredFrom ? null : this.#parts.timeline.cursorAt(session.position);
  }

  /** The slices of the session's rooms up to the same `end`, together small enough for one write. */
  #cut(
    session: Session,
    to: number,
    writes: number,
  ): { readonly slices: readonly Slice[]; readonly end: number } {
    const slices: Slice[] = [];
    const maxEvents = session.outlet.unbundled ? Math.min(writes, MAX_SLICE_EVENTS) : MAX_SLICE_EVENTS;
    let bytes = 0;
    let events = 0;
    for (const [room, since] of session.rooms) {
      const slice = this.#parts.slicer.slice(room, Math.max(session.position, since), to, maxEvents);
      if (slice === undefined) continue;
      // One room's slice is too much for one write: the others must not run ahead of it.
      if (slice.end < to && session.rooms.size > 1) return this.#cut(session, slice.end, writes);
      slices.push(slice);
      bytes += slice.bytes;
      events += slice.events.length;
    }
    const width = to - session.position;
    if ((bytes > MAX_WRITE_BYTES || events > maxEvents) && slices.length > 1 && width > 1) {
      return this.#cut(session, session.position + Math.ceil(width / 2), writes);
    }
    return { slices, end: slices[0]?.end ?? to };
  }
}

/** True when something other than the timeline awaits the session. */
function awaits({ ahead, owed }: Session): boolean {
  return ahead.length > 0 || owed.length > 0;
}

/** True when the session lacks exactly the news of `room`, its only one, and can take them now. */
function isNext(session: Session, room: string, { from, upTo, events }: RoomNews, now: number): boolean {
  const { position, rooms, allowance } = session;
  return (
    session.state === 'live' &&
    rooms.size === 1 &&
    !awaits(session) &&
    position >= from &&
    position <= upTo &&
    position >= (rooms.get(room) ?? Infinity) &&
    (allowance === null || allowance.available(now) >= events) &&
    session.outlet.writable
  );
}
