import { LRUCache } from 'lru-cache';
import type { Caller } from '../auth/caller.js';
import { blockId } from '../auth/principal-id.js';
import type { Clock } from '../clock.js';
import { TokenBucket } from '../token-bucket.js';
import type { Session } from './session.js';

/** Seconds of the rate that may be used at once: a session may leave all its rooms for others. */
const BURST_SECONDS = { ofSession: 2, ofPrincipal: 1 };
/** Principals whose use is remembered; the least recently seen go first. */
const MAX_PRINCIPALS = 10_000;

/** How much work may be done in a second, in units of its cost. */
export interface WorkRates {
  /** For one session, > 0. */
  readonly perSession: number;
  /** For all sessions of one principal together; 0 = no limit, for sessions neither. */
  readonly perPrincipal: number;
}

/**
 * Limits the work that clients ask for, by its cost: for a session, so that it leaves something to others with the same key,
 * and for a principal, however many sessions it opens. Anonymous callers from one address block are one principal.
 */
export class WorkLimit {
  readonly #rates: WorkRates;
  readonly #clock: Clock;
  readonly #sessions = new WeakMap<Session, TokenBucket>();
  readonly #principals = new LRUCache<string, TokenBucket>({ max: MAX_PRINCIPALS });

  constructor(rates: WorkRates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
  }

  /** Takes the cost of work for a session that `by` asks for; returns the ms to wait where it may not begin, else 0. */
  take(session: Session, by: Caller, cost: number): number {
    const { perSession, perPrincipal } = this.#rates;
    if (perPrincipal === 0) return 0;
    const now = this.#clock.elapsed();
    let own = this.#sessions.get(session);
    if (own === undefined)
      this.#sessions.set(session, (own = newBucket(perSession, BURST_SECONDS.ofSession)));
    const principal = blockId(by.id);
    let shared = this.#principals.get(principal);
    if (shared === undefined)
      this.#principals.set(principal, (shared = newBucket(perPrincipal, BURST_SECONDS.ofPrincipal)));
    const waitMs = Math.max(own.waitMs(now), shared.waitMs(now));
    if (waitMs > 0) return waitMs;
    own.take(cost, now);
    shared.take(cost, now);
    return 0;
  }
}

function newBucket(perSecond: number, burstSeconds: number): TokenBucket {
  return new TokenBucket(perSecond, perSecond * burstSeconds);
}
