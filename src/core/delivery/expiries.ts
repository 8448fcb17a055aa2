import type { Clock } from '../clock.js';
import type { Session } from './session.js';
import { inStretches } from './stretch.js';

/** Sessions that are ended between two looks at the clock. */
const SESSIONS_PER_LOOK = 10;

/** Which sessions end when because what their clients showed expires: by the second, whoever many there are. */
export class Expiries {
  readonly #clock: Clock;
  readonly #bySecond = new Map<number, Set<Session>>();
  #isSweeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers a session that came in. */
  add(session: Session): void {
    const second = secondOf(session);
    if (second === undefined) return;
    const sessions = this.#bySecond.get(second);
    if (sessions === undefined) this.#bySecond.set(second, new Set([session]));
    else sessions.add(session);
  }

  /** Forgets a session that is gone. */
  remove(session: Session): void {
    const second = secondOf(session);
    if (second === undefined) return;
    const sessions = this.#bySecond.get(second);
    if (sessions?.delete(session) === true && sessions.size === 0) this.#bySecond.delete(second);
  }

  /** A session has something that its client has until `expiresAt` only, epoch ms; null: for good. */
  shorten(session: Session, expiresAt: number | null): void {
    if (expiresAt === null || (session.endsAt !== null && session.endsAt <= expiresAt)) return;
    this.remove(session);
    session.endsAt = expiresAt;
    this.add(session);
  }

  /** Ends those that are to end by now, in stretches: all may have shown the same token. */
  async sweep(end: (session: Session) => void): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const now = this.#clock.now();
    const seconds = [...this.#bySecond].filter(([second]) => second * 1000 <= now);
    const due = seconds.flatMap(([, sessions]) => [...sessions]);
    await inStretches(this.#clock, SESSIONS_PER_LOOK, due, end);
    this.#isSweeping = false;
  }
}

/** The whole second by which it is over. */
function secondOf({ endsAt }: Session): number | undefined {
  return endsAt === null ? undefined : Math.ceil(endsAt / 1000);
}
