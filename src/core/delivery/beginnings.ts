import { parseCursor } from '../log/cursor.js';
import type { Counters } from '../metrics/counters.js';
import type { GapReason } from './outlet.js';
import type { Resumption } from './resumption.js';
import type { Session } from './session.js';
import type { Slicer } from './slicer.js';
import type { Timeline } from './timeline.js';

/** What {@link Beginnings} work with. */
export interface BeginningsParts {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly resumption: Resumption;
  readonly counters: Counters;
  /** The profile served now, as clients are told. */
  readonly profile: () => string;
  readonly heartbeatMs: number;
  /** A session is live and has something to take. */
  readonly onLive: (session: Session) => void;
  /** A connection threw where it must not; must end the session. */
  readonly onFault: (session: Session, error: unknown) => void;
}

/**
 * How sessions begin: welcomed, then shown the newest values (newcomers) or taken on from their cursor, at once or
 * when the log is ready; and how they begin again after a gap.
 */
export class Beginnings {
  readonly #parts: BeginningsParts;
  /** Sessions that begin, at the cursor they brought, when the log has been read, has moved or is back. */
  readonly #waiting = new Map<Session, string | null>();

  /** Sessions whose clients have yet to name the rest of their rooms, at the cursor they brought. */
  readonly #partial = new Map<Session, string | null>();
  /** Those of them that have not asked for a change of rooms. */
  readonly #unasked = new WeakSet<Session>();

  constructor(parts: BeginningsParts) {
    this.#parts = parts;
  }

  /** Waits with a session until its client has named all of its rooms. */
  hold(session: Session, cursor: string | null): void {
    this.#partial.set(session, cursor);
    this.#unasked.add(session);
  }

  /** True once, for a session that waits for the rest of its rooms: its first change of rooms is a part of its connection. */
  takeFirst(session: Session): boolean {
    return this.#unasked.delete(session);
  }

  /** Whether a session waits for the rest of its rooms. */
  isHeld(session: Session): boolean {
    return this.#partial.has(session);
  }

  /** The rooms of a session that was held are all there: begins it. */
  release(session: Session): void {
    const cursor = this.#partial.get(session) ?? null;
    if (this.#partial.delete(session)) this.begin(session, cursor);
  }

  /** Begins a session at the cursor it brought, as soon as the log has been read; null is a newcomer. */
  begin(session: Session, cursor: string | null): void {
    if (!this.#parts.timeline.isCaughtUp) {
      this.#waiting.set(session, cursor);
    } else if (cursor === null) {
      this.#welcome(session, null);
      this.#startAtHead(session);
    } else {
      this.#resume(session, cursor).catch((error: unknown) => {
        this.#parts.onFault(session, error);
      });
    }
  }

  /** The log has moved, or is back: begins those that wait for it. */
  beginWaiting(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [session, cursor] of waiting) {
      try {
        this.begin(session, cursor);
      } catch (error) {
        this.#parts.onFault(session, error);
      }
    }
  }

  /** The session is gone. */
  drop(session: Session): void {
    this.#waiting.delete(session);
    this.#partial.delete(session);
    this.#parts.resumption.wake(session);
  }

  /** Tells a session that it can't be given what came before, and begins it anew. */
  beginAfterGap(session: Session, reason: GapReason): void {
    const { counters, timeline } = this.#parts;
    counters.add('gaps', reason);
    const { epoch, headCursor: cursor } = timeline;
    session.outlet.gap({ reason, dropped: null, epoch, cursor });
    this.#startAtHead(session);
  }

  /** Tells a session that it was too far behind to be given everything; what is left follows. */
  announceOverflow(session: Session, dropped: number): void {
    const { counters, timeline } = this.#parts;
    counters.add('gaps', 'overflow');
    session.outlet.gap({
      reason: 'overflow',
      dropped,
      epoch: timeline.epoch,
      cursor: timeline.cursorAt(session.position),
    });
  }

  async #resume(session: Session, cursor: string): Promise<void> {
    const resumed = await this.#parts.resumption.resume(session, cursor, () => {
      this.#welcome(session, cursor);
    });
    if (session.state === 'closed') return;
    if ('loss' in resumed) {
      this.#welcome(session, null);
      this.beginAfterGap(session, resumed.loss);
    } else if ('waitAt' in resumed) {
      this.#waiting.set(session, resumed.waitAt);
    } else {
      this.#goOnFrom(session, resumed.position);
    }
  }

  #welcome(session: Session, cursor: string | null): void {
    if (session.welcomed) return;
    session.welcomed = true;
    session.outlet.welcome({
      sessionId: session.id,
      profile: this.#parts.profile(),
      rooms: [...session.rooms.keys()],
      epoch: (cursor === null ? undefined : parseCursor(cursor)?.epoch) ?? this.#parts.timeline.epoch,
      cursor,
      resumed: cursor !== null,
      heartbeatMs: this.#parts.heartbeatMs,
    });
  }

  #startAtHead(session: Session): void {
    const { timeline, slicer, onLive } = this.#parts;
    session.position = timeline.head;
    session.state = 'live';
    session.ahead = [];
    session.owe([]);
    session.resuming = false;
    for (const room of session.rooms.keys()) {
      session.enter(room, session.position);
      session.putAhead(slicer.snapshot(room));
    }
    if (session.ahead.length === 0) session.deliver([], timeline.headCursor);
    else onLive(session);
  }

  /** It has everything before `position` of the rooms it came with; rooms it joined since then it begins as a newcomer. */
  #goOnFrom(session: Session, position: number): void {
    const { timeline, slicer, onLive } = this.#parts;
    // Snapshots of rooms it joined since then, and left again, may be of a log that was replaced meanwhile.
    session.ahead = session.ahead.filter(({ end }) => timeline.isOfEpoch(end));
    for (const [room, since] of session.rooms) {
      if (since !== Infinity) continue;
      const isNew = session.newcomerIn.has(room);
      session.enter(room, isNew ? timeline.head : position);
      if (isNew) session.putAhead(slicer.snapshot(room));
    }
    session.position = Math.min(timeline.head, position, ...session.rooms.values());
    session.resuming = true;
    session.state = 'live';
    onLive(session);
  }
}
