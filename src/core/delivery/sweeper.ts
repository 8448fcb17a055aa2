import type { Session } from './session.js';
import type { Timeline } from './timeline.js';

/** What a {@link Sweeper} works with. */
export interface SweeperParts {
  readonly sessions: Iterable<Session>;
  readonly timeline: Timeline;
  /** How long a connection may be unable to take what awaits it, ms. */
  readonly maxBacklogMs: number;
  /** A connection was unable for longer; must end the session. */
  readonly onStalled: (session: Session) => void;
}

/** Looks after the sessions no flush comes by: those that stalled, and those whose rooms are quiet. */
export class Sweeper {
  readonly #parts: SweeperParts;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** Looks at all sessions; `now` in the time of {@link Session.stalledAt}. */
  sweep(now: number): void {
    const { sessions, timeline, maxBacklogMs, onStalled } = this.#parts;
    for (const session of sessions) {
      if (session.stalledAt !== null && now - session.stalledAt > maxBacklogMs) onStalled(session);
      else if (this.moveToHead(session)) session.stalledAt = null;
    }
    timeline.forgetEmptyRooms();
  }

  /**
   * Moves a session that lacks nothing to the head, so that what others are sent, and the log forgets, is no gap to
   * it. True when it did.
   */
  moveToHead(session: Session): boolean {
    const { timeline } = this.#parts;
    const { state, ahead, rooms, position } = session;
    if (state !== 'live' || ahead.length > 0 || !timeline.isWholeFor(rooms, position)) return false;
    for (const [room, since] of rooms) if (timeline.hasNews(room, Math.max(position, since))) return false;
    session.position = timeline.head;
    return true;
  }
}
