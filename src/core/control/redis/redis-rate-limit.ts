import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Refusal } from '../../errors.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { type RateLimit, rateLimited } from '../rate-limit.js';

/**
 * A limit that all nodes count together, in fixed windows of a second that start with a key's first use: at most twice
 * the rate within any one second. While Redis is away each node counts alone.
 */
export class RedisRateLimit implements RateLimit {
  readonly #limiter: RateLimiterRedis;
  readonly #perSecond: number;

  /**
   * @param redis Fails at once while Redis is away; closed by whoever opened it.
   * @param perSecond Uses per second and key, a whole number ≥ 1.
   */
  constructor(redis: RedisConnection, keyPrefix: string, perSecond: number) {
    const limit = { points: perSecond, duration: 1, keyPrefix: `${keyPrefix}:rate` };
    this.#perSecond = perSecond;
    this.#limiter = new RateLimiterRedis({
      ...limit,
      storeClient: redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(limit),
    });
  }

  async take(key: string): Promise<true | Refusal> {
    try {
      await this.#limiter.consume(key);
      return true;
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return rateLimited(this.#perSecond, refused.msBeforeNext);
    }
  }
}
