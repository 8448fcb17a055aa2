import type { Clock } from '../clock.js';
import type { Session } from './session.js';

/** Which sessions end when because what their clients showed expires: by the second, whoever many there are. */
export class Expiries {
  readonly #clock: Clock;
  readonly #bySecond = new Map<number, Set<Session>>();

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

  /** The sessions that are to end by now. */
  due(): readonly Session[] {
    const now = this.#clock.now();
    const seconds = [...this.#bySecond].filter(([second]) => second * 1000 <= now);
    return seconds.flatMap(([, sessions]) => [...sessions]);
  }
}

/** The whole second by which it is over. */
function secondOf({ principal: { expiresAt } }: Session): number | undefined {
  return expiresAt === null ? undefined : Math.ceil(expiresAt / 1000);
}
