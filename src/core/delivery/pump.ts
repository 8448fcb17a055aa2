import type { Clock } from '../clock.js';
import type { Hub } from './hub.js';
import type { Session } from './session.js';
import type { Slice } from './slice.js';
import type { RoomNews, Slicer } from './slicer.js';
import type { Timeline } from './timeline.js';
import { FlushWindow, type WindowBounds } from './window.js';

/** Longest time in ms that fan-out holds the loop before it lets others run. */
const MAX_STRETCH_MS = 5;
/** Most bytes in one write of several rooms, unless a single event is larger. */
const MAX_WRITE_BYTES = 256 * 1024;

/** What a {@link Pump} works with. */
export interface PumpParts {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly window: WindowBounds;
  /** Sessions served between two looks at the clock. */
  readonly stretchSessions: number;
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
    for (const room of rooms) {
      const members = hub.members(room);
      const news = members.size > 1 ? slicer.news(room, since, to) : undefined;
      for (const session of members) {
        if (news !== undefined && isNext(session, room, news)) this.#pass(session, news);
        else if (this.#step(session)) this.wake(session);
        if (stretch.isOver()) await stretch.yield();
      }
    }
    if (!this.#catchingUp) slicer.forget();
    return stretch.end();
  }

  /** Takes woken sessions to where the last flush went, one write each in turn. */
  async #catchUp(): Promise<void> {
    const stretch = new Stretch(this.#parts.clock, this.#parts.stretchSessions);
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
  #pass(session: Session, { slices, cursor }: RoomNews): void {
    session.position = this.#flushedTo;
    session.stalledAt = null;
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
    if (session.state !== 'live' || (session.position >= to && session.ahead.length === 0)) return false;
    if (!session.outlet.writable) {
      session.stalledAt ??= this.#parts.clock.elapsed();
      return false;
    }
    session.stalledAt = null;
    const { timeline, onLost } = this.#parts;
    if (!timeline.isWholeFor(session.rooms, session.position)) {
      // Also what waits ahead is not written: its cursor would hide the gap.
      onLost(session);
      return session.ahead.length > 0;
    }
    const slice = session.ahead.shift();
    if (slice !== undefined) {
      const cursor = session.ahead.length > 0 ? null : this.#cursorOf(session);
      session.outlet.deliver([slice], cursor);
      return session.ahead.length > 0 || session.position < to;
    }
    return this.#advance(session, to);
  }

  #advance(session: Session, to: number): boolean {
    const { slices, end } = this.#cut(session, to);
    session.position = end;
    if (slices.length > 0) session.outlet.deliver(slices, this.#cursorOf(session));
    return end < to;
  }

  /** The cursor of the session's position, once it covers all rooms. */
  #cursorOf(session: Session): string | null {
    return session.position < session.coveredFrom ? null : this.#parts.timeline.cursorAt(session.position);
  }

  /** The slices of the session's rooms up to the same `end`, together small enough for one write. */
  #cut(session: Session, to: number): { readonly slices: readonly Slice[]; readonly end: number } {
    const slices: Slice[] = [];
    let bytes = 0;
    for (const [room, since] of session.rooms) {
      const slice = this.#parts.slicer.slice(room, Math.max(session.position, since), to);
      if (slice === undefined) continue;
      // One room's slice is too much for one write: the others must not run ahead of it.
      if (slice.end < to && session.rooms.size > 1) return this.#cut(session, slice.end);
      slices.push(slice);
      bytes += slice.bytes;
    }
    const width = to - session.position;
    if (bytes > MAX_WRITE_BYTES && slices.length > 1 && width > 1) {
      return this.#cut(session, session.position + Math.ceil(width / 2));
    }
    return { slices, end: slices[0]?.end ?? to };
  }
}

/** True when the session lacks exactly the news of `room`, its only one, and can take them now. */
function isNext(session: Session, room: string, { from, upTo }: RoomNews): boolean {
  const { position, rooms } = session;
  return (
    session.state === 'live' &&
    rooms.size === 1 &&
    session.ahead.length === 0 &&
    position >= from &&
    position <= upTo &&
    position >= (rooms.get(room) ?? Infinity) &&
    session.outlet.writable
  );
}

/** An uninterrupted stretch of work on the loop. */
class Stretch {
  readonly #clock: Clock;
  readonly #sessions: number;
  #count = 0;
  #startedAt: number;
  #spentMs = 0;

  constructor(clock: Clock, sessions: number) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.#startedAt = clock.elapsed();
  }

  /** Counts one session; true when others should run now. */
  isOver(): boolean {
    this.#count += 1;
    return this.#count % this.#sessions === 0 && this.#clock.elapsed() - this.#startedAt >= MAX_STRETCH_MS;
  }

  /** Lets the loop serve what is waiting. */
  async yield(): Promise<void> {
    this.#spentMs += this.#clock.elapsed() - this.#startedAt;
    await new Promise<void>((resolve) => {
      this.#clock.soon(resolve);
    });
    this.#startedAt = this.#clock.elapsed();
  }

  /** The loop time spent, in ms. */
  end(): number {
    return this.#spentMs + this.#clock.elapsed() - this.#startedAt;
  }
}
