import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';

/** How many wrong tokens are checked: so many at once, so many a second after that. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Of one address. */
const PER_ADDRESS: Rate = { burst: 200, perSecond: 50 };
/** Of all addresses: a check takes some 0.2 ms, so this is a tenth of a core. */
const IN_ALL: Rate = { burst: 1000, perSecond: 500 };
/** Checks that were under way when a rate was used up count, too; for at most so long, ms. */
const LONGEST_WAIT_MS = 10_000;
/** Addresses that are remembered for wrong tokens. */
const MAX_ADDRESSES = 4096;

/** What is left of a rate. */
interface Balance {
  left: number;
  /** When that was so, as {@link Clock.elapsed}. */
  at: number;
}

/**
 * Bounds the work that wrong JWTs make, of one address and of all. Only wrong ones are counted, once they were checked: good
 * tokens take nothing from it, however many come at once.
 */
export class SignatureBudget {
  readonly #clock: Clock;
  readonly #byAddress = new LRUCache<string, Balance>({ max: MAX_ADDRESSES });
  readonly #inAll: Balance;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#inAll = { left: IN_ALL.burst, at: clock.elapsed() };
  }

  /** For how many ms no new token from `address` is checked; 0: it may be. */
  waitOf(address: string): number {
    const own = this.#byAddress.get(address);
    const ownMs = own === undefined ? 0 : this.#waitOf(own, PER_ADDRESS);
    return Math.max(ownMs, this.#waitOf(this.#inAll, IN_ALL));
  }

  /** A token was checked, and is wrong. */
  wrong(address: string): void {
    const own = this.#byAddress.get(address) ?? { left: PER_ADDRESS.burst, at: this.#clock.elapsed() };
    this.#byAddress.set(address, own);
    this.#take(own, PER_ADDRESS);
    this.#take(this.#inAll, IN_ALL);
  }

  #take(balance: Balance, rate: Rate): void {
    this.#refill(balance, rate);
    balance.left = Math.max(balance.left - 1, (-rate.perSecond * LONGEST_WAIT_MS) / 1000);
  }

  #waitOf(balance: Balance, rate: Rate): number {
    this.#refill(balance, rate);
    return balance.left >= 1 ? 0 : ((1 - balance.left) / rate.perSecond) * 1000;
  }

  #refill(balance: Balance, { burst, perSecond }: Rate): void {
    const now = this.#clock.elapsed();
    balance.left = Math.min(burst, balance.left + ((now - balance.at) * perSecond) / 1000);
    balance.at = now;
  }
}
