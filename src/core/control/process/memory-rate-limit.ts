import type { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Refusal } from '../../errors.js';
import { type RateLimit, rateLimited } from '../rate-limit.js';

/**
 * A limit that this process alone counts, in fixed windows that start with a key's first use: at most as many uses
 * per window as the rate allows, so at most twice the rate within any one second. Keys are forgotten with their window.
 */
export class MemoryRateLimit implements RateLimit {
  #limiter: RateLimiterMemory | undefined;
  readonly #perSecond: number;

  /** @param perSecond Uses per second and key, > 0; fractions allowed (0.5: one every 2 s). 0 = no limit. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  async take(key: string): Promise<true | Refusal> {
    const perSecond = this.#perSecond;
    if (perSecond <= 0) return true;
    // Not before somebody commands: it loads limiters for many stores.
    const { RateLimiterMemory, RateLimiterRes } = await import('rate-limiter-flexible');
    const points = Math.max(1, Math.floor(perSecond));
    this.#limiter ??= new RateLimiterMemory({ points, duration: points / perSecond });
    try {
      await this.#limiter.consume(key);
      return true;
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return rateLimited(perSecond, refused.msBeforeNext);
    }
  }
}
