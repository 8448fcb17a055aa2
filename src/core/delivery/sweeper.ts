import type { Clock } from '../clock.js';
import type { Event } from '../event.js';
import type { Session } from './session.js';
import { inStretches } from './stretch.js';
import type { Timeline } from './timeline.js';

/** Sessions looked at between two looks at the clock. */
const SESSIONS_PER_LOOK = 50;
/** Who awaits something for longer counts as behind, ms: more than any window. */
const BEHIND_MS = 1000;

/** What a {@link Sweeper} works with. */
export interface SweeperParts {
  readonly sessions: Iterable<Session>;
  readonly timeline: Timeline;
  readonly clock: Clock;
  /** How long a connection may be unable to take what awaits it, and how old what awaits it may be, ms. */
  readonly maxBacklogMs: number;
  /** A session is behind by more; must end it. */
  readonly onTooSlow: (session: Session) => void;
}

/** How far sessions are behind; those that came back and are being caught up are not counted. */
export interface SessionBacklog {
  /** How long ago the oldest event arrived that some session still awaits, s; 0 when none awaits anything. */
  readonly oldestSeconds: number;
  /** Sessions that have awaited something for more than a second. */
  readonly sessionsBehind: number;
}

/** Looks after the sessions no flush comes by: those that are too slow, and those whose rooms are quiet. */
export class Sweeper {
  readonly #parts: SweeperParts;
  #sweeping = false;
  #backlog: SessionBacklog = { oldestSeconds: 0, sessionsBehind: 0 };
  #oldestMs = 0;
  #behind = 0;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** What the last sweep found. */
  get backlog(): SessionBacklog {
    return this.#backlog;
  }

  /** Looks at all sessions, in stretches; does nothing while it still does. */
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { clock, sessions, timeline } = this.#parts;
    const head = timeline.head;
    this.#oldestMs = 0;
    this.#behind = 0;
    await inStretches(clock, SESSIONS_PER_LOOK, sessions, (session) => {
      this.#lookAt(session);
    });
    this.#backlog = { oldestSeconds: this.#oldestMs / 1000, sessionsBehind: this.#behind };
    timeline.forgetEmptyRooms(head);
    this.#sweeping = false;
  }

  #lookAt(session: Session): void {
    const isCurrent = this.moveToHead(session);
    if (!session.outlet.writable) session.stalledAt ??= this.#parts.clock.elapsed();
    else if (isCurrent) session.stalledAt = null;
    if (isCurrent && session.stalledAt === null) return;
    const behindMs = this.#behindMs(session);
    this.#oldestMs = Math.max(this.#oldestMs, behindMs);
    if (behindMs > BEHIND_MS) this.#behind += 1;
    const { clock, maxBacklogMs, onTooSlow } = this.#parts;
    const isStuck = session.stalledAt !== null && clock.elapsed() - session.stalledAt > maxBacklogMs;
    if (isStuck || behindMs > maxBacklogMs) onTooSlow(session);
  }

  /** How long ago the oldest event arrived that it awaits, ms; 0 when it awaits none, or may lag without limit. */
  #behindMs(session: Session): number {
    const { clock, timeline } = this.#parts;
    if (session.state !== 'live' || session.resuming) return 0;
    const oldest = this.#oldestAwaiting(session);
    const arrivedAt = oldest === undefined ? undefined : timeline.arrivedAt(oldest.position);
    return arrivedAt === undefined ? 0 : clock.elapsed() - arrivedAt;
  }

  #oldestAwaiting({ owed, paid, rooms, position }: Session): Event | undefined {
    const { timeline } = this.#parts;
    if (owed[paid] !== undefined) return owed[paid];
    const firsts = [...rooms].flatMap(([room, since]) => [
      ...timeline.between(room, Math.max(position, since), timeline.head, 1),
    ]);
    return firsts.sort((a, b) => a.position - b.position)[0];
  }

  /**
   * Moves a session that lacks nothing to the head, so that what others are sent, and the log forgets, is no gap to
   * it. True when it did.
   */
  moveToHead(session: Session): boolean {
    const { timeline } = this.#parts;
    const { state, isOwed, rooms, position } = session;
    if (state !== 'live' || isOwed || !timeline.isWholeFor(rooms, position)) return false;
    for (const [room, since] of rooms) if (timeline.hasNews(room, Math.max(position, since))) return false;
    session.position = timeline.head;
    return true;
  }
}
