import type { Clock } from '../clock.js';
import type { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';

/** Shortest time between two warnings of one kind, ms. */
const QUIET_MS = 10_000;
/** Kinds that are told apart; the others count as one. */
const MAX_KINDS = 50;

/** Refusals of one kind. */
interface Kind {
  warnedAt: number;
  sinceThen: number;
}

/**
 * Notes events that were refused where no publisher waits for an answer. Each is counted (`events_refused`, by code). The
 * log gets a warning of each kind, with the reason of the newest: at most one every ten seconds. A kind is a code and the
 * channel that the events came on.
 */
export class RefusedEvents {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counters: Counters;
  readonly #source: string;
  readonly #kinds = new Map<string, Kind>();

  /** `source` says where the events come from. */
  constructor(source: string, parts: { clock: Clock; logger: Logger; counters: Counters }) {
    this.#source = source;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#counters = parts.counters;
  }

  /** One was refused; `channel` where it has one. Its content is not logged: it may hold secrets. */
  note(refusal: Refusal, channel?: string): void {
    const { code, message } = refusal;
    this.#counters.add('events_refused', code);
    const now = this.#clock.elapsed();
    const kind = this.#kindOf(`${code} ${channel ?? ''}`, now);
    kind.sinceThen += 1;
    if (now - kind.warnedAt < QUIET_MS) return;
    this.#logger.warn('refused events', {
      source: this.#source,
      ...(channel === undefined ? {} : { channel }),
      count: kind.sinceThen,
      code,
      reason: message,
    });
    kind.warnedAt = now;
    kind.sinceThen = 0;
  }

  #kindOf(name: string, now: number): Kind {
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    if (this.#kinds.size >= MAX_KINDS) {
      // Channels of a pattern may be many: kinds that are quiet make room.
      for (const [other, { warnedAt }] of this.#kinds) {
        if (now - warnedAt >= QUIET_MS) this.#kinds.delete(other);
      }
    }
    const kind = { warnedAt: -Infinity, sinceThen: 0 };
    const isRoom = this.#kinds.size < MAX_KINDS;
    if (!isRoom && this.#kinds.has('')) return this.#kinds.get('') ?? kind;
    this.#kinds.set(isRoom ? name : '', kind);
    return kind;
  }
}
