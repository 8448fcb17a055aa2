import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { fetchJwks } from './fetch-jwks.js';
import { isJwksUrl } from './jwks-url.js';
import type { JwtAlgorithm, VerificationKey } from './verification-key.js';

/** How long keys are used without asking for them again, by use; and how long before a token waits for that. */
const FRESH_MS = 5 * 60_000;
const OVERDUE_MS = 10 * 60_000;
/** How long keys are used that can't be fetched again. */
const LAST_GOOD_MS = 24 * 3_600_000;
/** Fetches that may follow each other at once, and the time after which one more may. */
const BURST = 3;
const EVERY_MS = 5000;
/** Shortest time from a failed fetch to the next: when a token waits for it, and when none does. */
const RETRY_MS = 5000;
const RETRY_BEHIND_MS = 30_000;
/** Tokens that wait for a fetch at the same time; more must come again after so many ms. */
const MAX_WAITING = 1000;
const BUSY_RETRY_MS = 1000;

/** What a {@link JwksSource} stands on. */
export interface JwksParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts `jwks_fetches`: `good`, `failed`. */
  readonly counters: Counters;
}

/**
 * The keys of a JWKS (RFC 7517) at a URL. They are fetched by use, and all who need them share a fetch.
 *
 * - A token whose key is known does not wait. When the keys are 5 minutes old, it has them fetched behind its back.
 * - It waits, for up to 5 s, only when that was not even tried for 10 minutes (nobody came), so that a withdrawn key is
 *   not known for longer than that while the URL answers. When the room to wait is full, it does not: that fetch is on its way.
 * - A token whose key nobody knows waits for a fetch, if one may be made: 3 at once, then one in 5 s; after one that
 *   failed, 5 s later. So a few strange tokens take nothing from a key that is really new, and a flood 5 s. Up to 1000 wait.
 * - When fetches fail, the last good keys serve on for up to 24 hours; they are asked for again each 30 s.
 */
export class JwksSource {
  readonly #url: string;
  readonly #parts: JwksParts;
  /** `at`: when they were asked for. */
  #good: { readonly keys: readonly VerificationKey[]; readonly at: number } | undefined;
  /** Whether it will have been good. */
  #fetching: Promise<boolean> | undefined;
  #waiting = 0;
  #isLastGood = false;
  /** When the last fetch that failed had ended. */
  #failedAt = Number.NEGATIVE_INFINITY;
  /** When the fetches that were made are paid for, at one in EVERY_MS. */
  #paidAt = Number.NEGATIVE_INFINITY;

  /** @throws when the URL is none that keys may be fetched from: see {@link isJwksUrl}. */
  constructor(url: string, parts: JwksParts) {
    if (!isJwksUrl(url)) throw new Error('keys are fetched by https, or from this machine');
    this.#url = url;
    this.#parts = parts;
  }

  /**
   * The keys for this algorithm with this name; all for this algorithm when the token names none. Empty: there is certainly none.
   * `auth_unavailable` when there may be one, but nobody can say now: then try again after `retryAfterMs`.
   * @param tried Keys that are known not to be it: newer ones are wanted.
   */
  async keysFor(
    alg: JwtAlgorithm,
    kid: string | undefined,
    tried: readonly VerificationKey[] = [],
  ): Promise<readonly VerificationKey[] | Refusal> {
    const known = this.#known(alg, kid, tried);
    const isFull = this.#waiting >= MAX_WAITING;
    if (known.length > 0 && (isFull || !this.#isOverdue())) {
      this.#refreshBehind();
      return known;
    }
    if (isFull)
      return new Refusal(
        'auth_unavailable',
        'too many tokens wait for keys to check them with',
        BUSY_RETRY_MS,
      );
    const isFetched = await this.#fetched();
    const keys = this.#known(alg, kid, tried);
    // Only what was fetched after the token came can say that its key is none: it may be newer than what is known.
    if (keys.length > 0 || isFetched) return keys;
    const waitMs = Math.max(1, Math.ceil(this.#nextAt() - this.#parts.clock.elapsed()));
    return new Refusal('auth_unavailable', 'the keys to check the token with cannot be had now', waitMs);
  }

  #known(
    alg: JwtAlgorithm,
    kid: string | undefined,
    tried: readonly VerificationKey[],
  ): readonly VerificationKey[] {
    if (this.#good === undefined || this.#ageMs() >= LAST_GOOD_MS) return [];
    return this.#good.keys.filter(
      (key) => key.alg === alg && (kid === undefined || key.kid === kid) && !tried.includes(key),
    );
  }

  #ageMs(): number {
    return this.#good === undefined ? Number.POSITIVE_INFINITY : this.#parts.clock.elapsed() - this.#good.at;
  }

  #sinceFailedMs(): number {
    return this.#parts.clock.elapsed() - this.#failedAt;
  }

  #isOverdue(): boolean {
    return Math.min(this.#ageMs(), this.#sinceFailedMs()) >= OVERDUE_MS;
  }

  /** When the next fetch may be made that a token waits for. */
  #nextAt(): number {
    return Math.max(this.#failedAt + RETRY_MS, this.#paidAt - (BURST - 1) * EVERY_MS);
  }

  #refreshBehind(): void {
    if (this.#ageMs() >= FRESH_MS && this.#sinceFailedMs() >= RETRY_BEHIND_MS) void this.#shared();
  }

  /** Waits for the fetch that is under way, or one more; false when it failed or none may be made now. */
  async #fetched(): Promise<boolean> {
    if (this.#fetching === undefined && this.#parts.clock.elapsed() < this.#nextAt()) return false;
    this.#waiting += 1;
    try {
      return await this.#shared();
    } finally {
      this.#waiting -= 1;
    }
  }

  #shared(): Promise<boolean> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<boolean> {
    const { clock, logger, counters } = this.#parts;
    const at = clock.elapsed();
    this.#paidAt = Math.max(this.#paidAt, at) + EVERY_MS;
    const keys = await fetchJwks(this.#url, clock);
    const wasGood = this.#isLastGood;
    this.#isLastGood = typeof keys !== 'string';
    if (typeof keys === 'string') {
      counters.add('jwks_fetches', 'failed');
      const isUsed = this.#ageMs() < LAST_GOOD_MS;
      logger.warn('the keys of tokens could not be fetched', { fault: keys, lastGoodKeysServe: isUsed });
      this.#failedAt = clock.elapsed();
      return false;
    }
    counters.add('jwks_fetches', 'good');
    if (!wasGood) logger.info('the keys of tokens were fetched', { keys: keys.length });
    this.#good = { keys, at };
    return true;
  }
}
