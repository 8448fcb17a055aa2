import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { fetchJwks } from './fetch-jwks.js';
import { isJwksUrl } from './jwks-url.js';
import type { JwtAlgorithm, VerificationKey } from './verification-key.js';

/** How long keys are used without asking for them again. */
const FRESH_MS = 10 * 60_000;
/** How long keys are used that can't be fetched again. */
const LAST_GOOD_MS = 24 * 3_600_000;
/** Shortest time between two fetches while there are keys, and while there are none. */
const COOLDOWN_MS = 30_000;
const RETRY_MS = 5000;

/** What a {@link JwksSource} stands on. */
export interface JwksParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts `jwks_fetches`: `good`, `failed`. */
  readonly counters: Counters;
}

/**
 * The keys of a JWKS (RFC 7517) at a URL. They are fetched when they are needed: first, when they are 10 minutes old, and for
 * a key nobody knows, but at most once in 30 s; all who need them share a fetch. When that fails the last good ones serve
 * on, for up to 24 hours; with none at all the next may be tried after 5 s.
 */
export class JwksSource {
  readonly #url: string;
  readonly #parts: JwksParts;
  #good: { readonly keys: readonly VerificationKey[]; readonly at: number } | undefined;
  #fetching: Promise<void> | undefined;
  /** How many fetches have ended, and whether the last one was good. */
  #fetches = 0;
  #isLastGood = false;
  #nextAt = 0;

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
    const fetches = this.#fetches;
    if (this.#ageMs() >= FRESH_MS) await this.#refresh();
    let keys = this.#known(alg, kid, tried);
    if (keys.length === 0) {
      await this.#refresh();
      keys = this.#known(alg, kid, tried);
    }
    // Only what was fetched after the token came can say that its key is none: it may be newer than what is known.
    if (keys.length > 0 || (this.#fetches > fetches && this.#isLastGood)) return keys;
    const waitMs = Math.max(1, Math.ceil(this.#nextAt - this.#parts.clock.elapsed()));
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

  async #refresh(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#parts.clock.elapsed() < this.#nextAt) return;
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { clock, logger, counters } = this.#parts;
    const keys = await fetchJwks(this.#url, clock);
    const wasGood = this.#isLastGood;
    this.#fetches += 1;
    this.#isLastGood = typeof keys !== 'string';
    if (typeof keys === 'string') {
      counters.add('jwks_fetches', 'failed');
      const isUsed = this.#ageMs() < LAST_GOOD_MS;
      logger.warn('the keys of tokens could not be fetched', { fault: keys, lastGoodKeysServe: isUsed });
      this.#nextAt = clock.elapsed() + (isUsed ? COOLDOWN_MS : RETRY_MS);
      return;
    }
    counters.add('jwks_fetches', 'good');
    if (!wasGood) logger.info('the keys of tokens were fetched', { keys: keys.length });
    this.#good = { keys, at: clock.elapsed() };
    this.#nextAt = clock.elapsed() + COOLDOWN_MS;
  }
}
