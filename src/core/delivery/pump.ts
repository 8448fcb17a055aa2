import type { Clock } from '../clock.js';
import type { DeliveryTraces } from './delivery-traces.js';
import { Feeder, type FeederParts } from './feeder.js';
import type { Hub } from './hub.js';
import type { LatencyMeter } from './latency-meter.js';
import type { Session } from './session.js';
import type { RoomNews, Slicer } from './slicer.js';
import { Stretch } from './stretch.js';
import type { Timeline } from './timeline.js';
import { FlushWindow, type WindowBounds } from './window.js';

/** What a {@link Pump} works with. */
export interface PumpParts extends FeederParts {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly window: WindowBounds;
  readonly latency: LatencyMeter;
  /** Undefined where nothing is traced. */
  readonly traces: DeliveryTraces | undefined;
  /** Sessions served between two looks at the clock. */
  readonly stretchSessions: number;
  /** A connection threw where it must not; must end the session. Others go on. */
  readonly onFault: (session: Session, error: unknown) => void;
}

/**
 * Moves sessions along the timeline. A flush takes all members of the rooms that have news to the head; a session
 * whose connection can't take more is skipped, stays where it is and is caught up when woken. Only one of the two works
 * at a time, the flush first; both yield the loop after a stretch, and catching up leaves it half of its time.
 */
export class Pump {
  readonly #parts: PumpParts;
  readonly #feeder: Feeder;
  readonly #window: FlushWindow;
  readonly #behind = new Set<Session>();
  #news = new Set<string>();
  #flushedTo = 0;
  #catchingUp = false;
  /** The flush that is under way. */
  #flushing: Promise<number> | undefined;
  #flushes = 0;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#feeder = new Feeder(parts);
    this.#window = new FlushWindow(parts.clock, parts.window, async () => {
      this.#flushing = this.#flush();
      const tookMs = await this.#flushing;
      this.#flushing = undefined;
      return tookMs;
    });
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

  /** The session is about to end: gives it all that awaits it, as far as its connection takes it now. */
  finish(session: Session): void {
    const { timeline, onFault } = this.#parts;
    try {
      while (this.#feeder.feed(session, timeline.head));
    } catch (error) {
      onFault(session, error);
    }
  }

  /** The session is gone. */
  drop(session: Session): void {
    this.#behind.delete(session);
  }

  /** Gives every member of a room that has news one write, up to the head. Returns the loop time it took, ms. */
  async #flush(): Promise<number> {
    const { timeline, slicer, hub, clock, stretchSessions } = this.#parts;
    const rooms = this.#news;
    this.#news = new Set();
    const since = this.#flushedTo;
    const to = timeline.head;
    this.#flushedTo = to;
    this.#flushes += 1;
    const stretch = new Stretch(clock, stretchSessions);
    const now = clock.elapsed();
    for (const room of rooms) {
      const members = hub.members(room);
      const news = members.size > 1 ? slicer.news(room, since, to) : undefined;
      for (const session of members) {
        if (news !== undefined && isNext(session, room, news)) this.#pass(session, news);
        else if (this.#feed(session)) this.wake(session);
        if (stretch.isOver()) await stretch.yield();
      }
    }
    this.#parts.latency.flushed(since, to);
    this.#parts.traces?.flushed(timeline, since, to, clock.elapsed() - now);
    if (!this.#catchingUp) slicer.forget();
    return stretch.end();
  }

  /** Takes woken sessions to where the last flush went. */
  async #catchUp(): Promise<void> {
    while (this.#behind.size > 0) {
      await this.#flushing;
      const tookMs = this.#catchUpStretch();
      if (this.#behind.size > 0) await this.#rest(tookMs);
    }
    this.#catchingUp = false;
    this.#parts.slicer.forget();
  }

  /** One write each in turn, for one stretch. Returns the time it took, ms. */
  #catchUpStretch(): number {
    // One write may cut and encode a slice of its own, so the clock is looked at after each.
    const stretch = new Stretch(this.#parts.clock, 1);
    for (const session of this.#behind) {
      this.#behind.delete(session);
      // Added again it comes last, so all get their turn; the loop ends when nobody is left.
      if (this.#feed(session)) this.#behind.add(session);
      if (stretch.isOver()) break;
    }
    return stretch.end();
  }

  /** Leaves the loop to others for as long as a stretch took. */
  #rest(tookMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(tookMs, resolve);
    });
  }

  /** Gives the session its room's news: what most sessions get in most flushes. */
  #pass(session: Session, { slices, cursor }: RoomNews): void {
    session.position = this.#flushedTo;
    session.stalledAt = null;
    session.resuming = false;
    try {
      session.deliver(slices, cursor);
    } catch (error) {
      this.#parts.onFault(session, error);
    }
  }

  /** At most one write to a session; true when more awaits it that its connection can take. */
  #feed(session: Session): boolean {
    try {
      return this.#feeder.feed(session, this.#flushedTo);
    } catch (error) {
      this.#parts.onFault(session, error);
      return false;
    }
  }
}

/** True when the session lacks exactly the news of `room`, its only one, and can take them now. */
function isNext(session: Session, room: string, { from, upTo }: RoomNews): boolean {
  const { position } = session;
  return (
    session.state === 'live' &&
    session.onlyRoom === room &&
    position >= from &&
    position <= upTo &&
    position >= session.coveredFrom &&
    !session.isOwed &&
    session.outlet.writable
  );
}
