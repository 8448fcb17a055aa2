import type { Clock } from '../clock.js';
import type { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';

/** Shortest time between two warnings, ms. */
const QUIET_MS = 10_000;

/**
 * Events that were refused where nobody waits for an answer: each is counted (`events_refused`, by code), and the log
 * has a warning with an example, at most one every ten seconds.
 */
export class RefusedEvents {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counters: Counters;
  readonly #source: string;
  #warnedAt = -Infinity;
  #sinceThen = 0;

  /** `source` says where the events come from. */
  constructor(source: string, parts: { clock: Clock; logger: Logger; counters: Counters }) {
    this.#source = source;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#counters = parts.counters;
  }

  /** One was refused. Its content is not logged: it may hold secrets. */
  note(refusal: Refusal): void {
    this.#counters.add('events_refused', refusal.code);
    this.#sinceThen += 1;
    const now = this.#clock.elapsed();
    if (now - this.#warnedAt < QUIET_MS) return;
    const { code, message } = refusal;
    this.#logger.warn('refused events', {
      source: this.#source,
      count: this.#sinceThen,
      code,
      reason: message,
    });
    this.#warnedAt = now;
    this.#sinceThen = 0;
  }
}
