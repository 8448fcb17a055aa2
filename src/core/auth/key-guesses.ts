import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';

/** Wrong keys of one address before it waits. */
const FREE = 20;
/** The first wait after those, ms, and the longest; each wait is twice the one before. */
const WAIT_MS = { first: 1000, longest: 60_000 };
/** After so long without a new wrong key an address begins anew, ms. */
const FORGIVEN_MS = 10 * 60_000;
/** The last wrong keys of an address that are remembered: shown again, they are no new guesses. */
const REMEMBERED = 32;
/** Addresses that are remembered for wrong keys. */
const MAX_ADDRESSES = 4096;
/** Keys that are remembered for having been good at an address, and for how long after the last time, ms. */
const MAX_GOOD = 20_000;
const GOOD_MS = 12 * 3_600_000;

/** The record of an address that showed wrong keys. */
interface Guesser {
  guesses: number;
  /** When the last guess was made, as {@link Clock.elapsed}. */
  lastAt: number;
  /** Until when new keys are not looked at. */
  waitsUntil: number;
  /** Digests, oldest first. */
  readonly wrong: string[];
}

/**
 * Slows down guessing of API keys: an address that has shown twenty different wrong ones waits, at first for a second, at last
 * for a minute. While it waits, a key counts only where it has been good at that address, or is known to be wrong: a guesser
 * learns nothing, and clients that were let in before notice nothing. Of keys only digests are kept.
 */
export class KeyGuesses {
  readonly #clock: Clock;
  readonly #guessers = new LRUCache<string, Guesser>({ max: MAX_ADDRESSES });
  readonly #good: LRUCache<string, true>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#good = new LRUCache({
      max: MAX_GOOD,
      ttl: GOOD_MS,
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now: () => clock.elapsed() },
    });
  }

  /** For how many ms a key from `address` is not looked at; 0: it may be. */
  waitOf(address: string, digest: string): number {
    const guesser = this.#guessers.get(address);
    const waitMs = guesser === undefined ? 0 : guesser.waitsUntil - this.#clock.elapsed();
    if (waitMs <= 0 || guesser?.wrong.includes(digest)) return 0;
    return this.#good.has(placeOf(address, digest)) ? 0 : waitMs;
  }

  /** A key was looked at, and is a good one. */
  good(address: string, digest: string): void {
    const place = placeOf(address, digest);
    if (this.#good.get(place) === undefined) this.#good.set(place, true);
  }

  /** A key was looked at, and is none. */
  wrong(address: string, digest: string): void {
    const now = this.#clock.elapsed();
    const guesser = this.#guessers.get(address) ?? { guesses: 0, lastAt: now, waitsUntil: 0, wrong: [] };
    if (guesser.wrong.includes(digest)) return;
    guesser.wrong.push(digest);
    if (guesser.wrong.length > REMEMBERED) guesser.wrong.shift();
    guesser.guesses = now - guesser.lastAt < FORGIVEN_MS ? guesser.guesses + 1 : 1;
    guesser.lastAt = now;
    if (guesser.guesses >= FREE) {
      const waitMs = Math.min(WAIT_MS.longest, WAIT_MS.first * 2 ** (guesser.guesses - FREE));
      guesser.waitsUntil = now + waitMs;
    }
    this.#guessers.set(address, guesser);
  }
}

function placeOf(address: string, digest: string): string {
  return `${digest} ${address}`;
}
