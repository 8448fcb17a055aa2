import type { Counters } from '../metrics/counters.js';
import type { GapReason } from './outlet.js';
import type { Resumption } from './resumption.js';
import type { Session } from './session.js';
import type { ShardInterest } from './shard-interest.js';
import type { Slicer } from './slicer.js';
import type { Timeline } from './timeline.js';

/** What {@link Beginnings} work with. */
export interface BeginningsParts {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly resumption: Resumption;
  readonly interest: ShardInterest;
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
  /** Sessions that begin, at the cursor they brought, when the log has moved or is back. */
  readonly #waiting = new Map<Session, string | null>();
  /** Sessions that begin when the shards of their rooms have been read. */
  readonly #unready = new Map<Session, string | null>();

  constructor(parts: BeginningsParts) {
    this.#parts = parts;
  }

  /** Begins a session at the cursor it brought, as soon as its rooms' shards are ready; null is a newcomer. */
  begin(session: Session, cursor: string | null): void {
    if (!this.#isReady(session)) {
      this.#unready.set(session, cursor);
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
    if (this.#waiting.size > 0) this.#beginAll(this.#waiting);
  }

  /** A shard has been read: begins those that wait for it. */
  beginReady(): void {
    if (this.#unready.size > 0) this.#beginAll(this.#unready);
    this.beginWaiting();
  }

  /** The session has left rooms: it may have waited for their shards alone. */
  roomsChanged(session: Session): void {
    const cursor = this.#unready.get(session);
    if (cursor === undefined || !this.#isReady(session)) return;
    this.#unready.delete(session);
    this.begin(session, cursor);
  }

  #beginAll(sessions: Map<Session, string | null>): void {
    const waiting = [...sessions];
    sessions.clear();
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
    this.#unready.delete(session);
    this.#parts.resumption.wake(session);
  }

  /** Tells a session that it can't be given what came before, and begins it anew. */
  beginAfterGap(session: Session, reason: GapReason): void {
    const { counters, timeline } = this.#parts;
    counters.add('gaps', reason);
    const scope = timeline.scopes.of(session.rooms.keys());
    session.outlet.gap({ reason, dropped: null, cursor: timeline.cursorAt(timeline.head, scope) });
    this.#startAtHead(session);
  }

  /** Tells a session that it was too far behind to be given everything; what is left follows. */
  announceOverflow(session: Session, dropped: number): void {
    const { counters, timeline } = this.#parts;
    counters.add('gaps', 'overflow');
    session.outlet.gap({
      reason: 'overflow',
      dropped,
      cursor: timeline.cursorAt(session.position, session.scope),
    });
  }

  async #resume(session: Session, cursor: string): Promise<void> {
    const { resumption, timeline } = this.#parts;
    const resumed = await resumption.resume(session, cursor, () => {
      this.#welcome(session, cursor);
    });
    if (session.state === 'closed') return;
    if (resumed === 'lost') {
      this.#welcome(session, null);
      this.beginAfterGap(session, timeline.isTrimmed(cursor) ? 'trimmed' : 'unknown_cursor');
    } else if (resumed === 'newcomer') {
      this.begin(session, null);
    } else if ('waitAt' in resumed) {
      this.#waiting.set(session, resumed.waitAt);
    } else {
      this.#goOnFrom(session, resumed.places);
    }
  }

  /** True when all rooms it came with can be served. */
  #isReady(session: Session): boolean {
    for (const room of session.rooms.keys()) {
      if (!this.#parts.interest.isReady(room) && !session.newcomerIn.has(room)) return false;
    }
    return true;
  }

  #welcome(session: Session, cursor: string | null): void {
    if (session.welcomed) return;
    session.welcomed = true;
    session.outlet.welcome({
      sessionId: session.id,
      profile: this.#parts.profile(),
      rooms: [...session.rooms.keys()],
      cursor,
      resumed: cursor !== null,
      heartbeatMs: this.#parts.heartbeatMs,
    });
  }

  #startAtHead(session: Session): void {
    const { timeline, slicer, interest, onLive } = this.#parts;
    session.position = timeline.head;
    session.state = 'live';
    session.ahead = [];
    session.owe([]);
    session.resuming = false;
    for (const room of session.rooms.keys()) {
      // What is not ready comes when it is.
      if (!interest.isReady(room)) continue;
      session.enter(room, session.position);
      session.putAhead(slicer.snapshot(room));
    }
    if (session.ahead.length === 0) session.deliver([], timeline.cursorAt(session.position, session.scope));
    else onLive(session);
  }

  /**
   * It has everything before these positions, by shard, of the rooms it came with, and of those it joined since then
   * less. Rooms of other shards, of which its cursor says nothing, it begins as a newcomer.
   */
  #goOnFrom(session: Session, places: ReadonlyMap<number, number>): void {
    const { timeline, slicer, interest, onLive } = this.#parts;
    for (const [room, since] of session.rooms) {
      if (since !== Infinity || !interest.isReady(room)) continue;
      const position = places.get(timeline.shards.ofRoom(room));
      session.enter(room, position ?? timeline.head);
      if (position === undefined) session.putAhead(slicer.snapshot(room));
    }
    session.position = Math.min(timeline.head, ...places.values(), ...session.rooms.values());
    session.resuming = true;
    session.state = 'live';
    onLive(session);
  }
}
