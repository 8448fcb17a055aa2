import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { TokenBucket } from '../token-bucket.js';

/** Wrong tokens of one address that are checked: a second, and at once. */
const PER_ADDRESS = { perSecond: 50, burst: 200 };
/** Those of all addresses, but for the first of each. A check takes some 0.2 ms of CPU, so this is a tenth of a core. */
const IN_ALL = { perSecond: 500, burst: 1000 };
/** Checks that are under way when a rate is used up count, too: for at most so long no more is checked, ms. */
const LONGEST_WAIT_MS = 10_000;
/** Addresses that are remembered for wrong tokens. */
const MAX_ADDRESSES = 4096;
/** Tokens that are remembered for having been good. */
const MAX_GOOD = 20_000;

/**
 * Bounds the work that wrong JWTs make, of one address and of all. Only wrong ones are counted, once they were checked: good
 * tokens take nothing from it, however many come at once. Always checked are those that were good before, and those of
 * addresses that have shown no wrong one. Of tokens only digests are kept.
 */
export class SignatureBudget {
  readonly #clock: Clock;
  readonly #byAddress = new LRUCache<string, TokenBucket>({ max: MAX_ADDRESSES });
  readonly #inAll = newBucket(IN_ALL);
  readonly #good = new LRUCache<string, true>({ max: MAX_GOOD });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For how many ms a token from `address` is not checked; 0: it may be. */
  waitOf(address: string, digest: string): number {
    const own = this.#byAddress.get(address);
    // A flood from elsewhere keeps out nobody whose address has shown no wrong one.
    if (own === undefined || this.#good.has(digest)) return 0;
    const now = this.#clock.elapsed();
    return Math.max(own.waitMs(now), this.#inAll.waitMs(now));
  }

  /** A token was checked, and is good. */
  good(digest: string): void {
    this.#good.set(digest, true);
  }

  /** A token was checked, and is wrong. */
  wrong(address: string, digest: string): void {
    this.#good.delete(digest);
    const own = this.#byAddress.get(address) ?? newBucket(PER_ADDRESS);
    const now = this.#clock.elapsed();
    this.#byAddress.set(address, own);
    for (const bucket of [own, this.#inAll]) if (bucket.waitMs(now) < LONGEST_WAIT_MS) bucket.take(1, now);
  }
}

function newBucket({ perSecond, burst }: typeof PER_ADDRESS): TokenBucket {
  return new TokenBucket(perSecond, burst);
}
