import type { Clock } from '../core/clock.js';
import type { EventLog } from '../core/log/event-log.js';

/** How often the state of the log is looked at, ms. */
const LOOK_MS = 1000;

/** Tells since when the log is in the state it is in, to a second. */
export class LogSince {
  readonly #clock: Clock;
  readonly #log: Pick<EventLog, 'state'>;
  readonly #endLooks: () => void;
  #state: EventLog['state'];
  #since: number;

  constructor(clock: Clock, log: Pick<EventLog, 'state'>) {
    this.#clock = clock;
    this.#log = log;
    this.#state = log.state;
    this.#since = clock.now();
    this.#endLooks = clock.every(LOOK_MS, () => {
      this.#look();
    });
  }

  /** When the present state began, epoch ms. */
  get since(): number {
    this.#look();
    return this.#since;
  }

  /** Looks no more. */
  close(): void {
    this.#endLooks();
  }

  #look(): void {
    if (this.#log.state === this.#state) return;
    this.#state = this.#log.state;
    this.#since = this.#clock.now();
  }
}
