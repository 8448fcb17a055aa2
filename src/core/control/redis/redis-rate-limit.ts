import type { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Refusal } from '../../errors.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { type RateLimit, rateLimited } from '../rate-limit.js';

/**
 * A limit that all nodes count together, in fixed windows of a second that start with a key's first use: at most twice
 * the rate within any one second. While Redis is away each node counts alone.
 */
export class RedisRateLimit implements RateLimit {
  readonly #redis: RedisConnection;
  readonly #keyPrefix: string;
  readonly #perSecond: number;
  #limiter: RateLimiterRedis | undefined;

  /**
   * @param redis Fails at once while Redis is away; closed by whoever opened it.
   * @param perSecond Uses per second and key, a whole number ≥ 1.
   */
  constructor(redis: RedisConnection, keyPrefix: string, perSecond: number) {
    this.#redis = redis;
    this.#keyPrefix = keyPrefix;
    this.#perSecond = perSecond;
  }

  async take(key: string): Promise<true | Refusal> {
    // Not before somebody commands: it loads limiters for many stores.
    const { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } = await import('rate-limiter-flexible');
    const limit = { points: this.#perSecond, duration: 1, keyPrefix: `${this.#keyPrefix}:rate` };
    this.#limiter ??= new RateLimiterRedis({
      ...limit,
      storeClient: this.#redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(limit),
    });
    try {
      await this.#limiter.consume(key);
      return true;
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return rateLimited(this.#perSecond, refused.msBeforeNext);
    }
  }
}
