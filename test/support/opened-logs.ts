import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { systemClock } from '../../src/core/clock.js';
import { RedisLog, type RedisLogSettings } from '../../src/core/log/redis-log.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { silentLogger } from './silent-logger.js';

/** The Redis of the whole run. */
export function testRedisUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set: run the tests through jest');
  return url;
}

/** Redis logs and connections of a test file; `closeAll` in `afterEach`. Each log has a key prefix of its own. */
export class OpenedLogs {
  readonly #closers: (() => unknown)[] = [];

  /** A log that has not started, with what tests look at beside it. `key` is the stream. */
  open(settings: Partial<RedisLogSettings> = {}): {
    readonly log: RedisLog;
    readonly counters: Counters;
    readonly keyPrefix: string;
    readonly key: string;
  } {
    const keyPrefix = settings.keyPrefix ?? `test-${randomUUID()}`;
    const counters = new Counters();
    const log = new RedisLog(
      {
        url: testRedisUrl(),
        maxEvents: 100_000,
        maxDataBytes: 100_000,
        minReplicas: 0,
        ...settings,
        keyPrefix,
      },
      { clock: systemClock, logger: silentLogger, counters },
    );
    this.#closers.push(() => log.close());
    return { log, counters, keyPrefix, key: `${keyPrefix}:{log}` };
  }

  /** A client of the test's own, as a publisher in another language would have one. */
  connect(url = testRedisUrl()): Redis {
    const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => undefined);
    this.#closers.push(() => {
      redis.disconnect();
    });
    return redis;
  }

  /** Something else to be closed with the rest. */
  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }
}
