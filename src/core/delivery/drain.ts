import type { Clock } from '../clock.js';
import type { Session } from './session.js';

/** Most ms between two sessions that are ended: where there are few, nobody waits for the whole time. */
const LONGEST_PAUSE_MS = 10;
/** How often those that are due are ended, ms. */
const TICK_MS = 10;

/** What a {@link Drain} works with. */
export interface DrainParts {
  readonly clock: Clock;
  /** Random number in [0, 1). */
  readonly random: () => number;
  /** The sessions that are to go, as of now. */
  readonly leaving: () => readonly Session[];
  /** Ends one, if it has not ended. */
  readonly end: (session: Session) => void;
  /** ms over which they are ended; fewer than 100 a second go in less. */
  readonly overMs: number;
}

/**
 * Ends sessions one by one, spread evenly and with jitter, so that they don't come back all at once. Those that can be
 * told why go first, and at once look for another node; legacy clients, which count their attempts, go last.
 */
export class Drain {
  /** Sessions that are to go. */
  readonly total: number;
  /** Resolves when all are gone; never after {@link stop}. */
  readonly done: Promise<void>;
  readonly #parts: DrainParts;
  readonly #sessions: readonly Session[];
  readonly #pauseMs: number;
  readonly #startedAt: number;
  #next = 0;
  /** When the next one is due, ms since the start. */
  #dueMs = 0;
  #endTicks: () => void = () => undefined;
  #onDone: () => void = () => undefined;

  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#sessions = inOrderOfLeaving(parts.leaving(), parts.random);
    this.total = this.#sessions.length;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, parts.overMs / Math.max(1, this.total));
    this.#startedAt = parts.clock.elapsed();
    this.done = new Promise((resolve) => {
      this.#onDone = resolve;
    });
    this.#draw();
    if (this.total === 0 || parts.overMs === 0) this.#tick();
    if (this.#next < this.total) {
      this.#endTicks = parts.clock.every(TICK_MS, () => {
        this.#tick();
      });
    }
  }

  /** Sessions that have not gone. */
  get left(): number {
    return this.#sessions.reduce((left, { state }) => (state === 'closed' ? left : left + 1), 0);
  }

  /** Ends no more; who is left stays. */
  stop(): void {
    this.#endTicks();
  }

  /** Each goes at a random time within its own part of the whole. */
  #draw(): void {
    this.#dueMs = (this.#next + this.#parts.random()) * this.#pauseMs;
  }

  #tick(): void {
    const { clock, end, leaving } = this.#parts;
    const now = clock.elapsed() - this.#startedAt;
    while (this.#next < this.total && this.#dueMs <= now) {
      const session = this.#sessions[this.#next];
      this.#next += 1;
      this.#draw();
      if (session !== undefined) end(session);
    }
    if (this.#next < this.total) return;
    this.#endTicks();
    // Who was on the way in when it began.
    for (const session of leaving()) end(session);
    this.#onDone();
  }
}

function inOrderOfLeaving(sessions: readonly Session[], random: () => number): readonly Session[] {
  return sessions
    .map((session) => ({ session, rank: (session.outlet.isTold ? 0 : 1) + random() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ session }) => session);
}
