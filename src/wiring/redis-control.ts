import { AwaitedOutcomes } from '../core/control/redis/awaited-outcomes.js';
import { BullQueue } from '../core/control/redis/bull-queue.js';
import type { CommandJournal } from '../core/control/command-journal.js';
import { DEFAULT_QUEUEING } from '../core/control/command-queue.js';
import type { CommandRegistry } from '../core/control/command-registry.js';
import { IdempotencyKeys } from '../core/control/redis/idempotency-keys.js';
import { OutcomeFollower } from '../core/control/redis/outcome-follower.js';
import { OutcomeLedger } from '../core/control/redis/outcome-ledger.js';
import { RedisCommandStore } from '../core/control/redis/redis-command-store.js';
import { RedisRateLimit } from '../core/control/redis/redis-rate-limit.js';
import { connectRedis } from '../core/redis/redis-connection.js';
import type { Base } from './base.js';

/** Commands that nodes share, and their limit. */
export interface RedisControl {
  readonly store: RedisCommandStore;
  readonly rateLimit: RedisRateLimit;
}

/** What {@link openRedisControl} works with. */
export interface RedisControlParts {
  readonly registry: CommandRegistry;
  readonly journal: CommandJournal;
}

/** Queues, keys and limits in Redis, and what reports how commands ended. */
export function openRedisControl(
  { config, clock, logger, counters, permissions, closers }: Base,
  url: string,
  { registry, journal }: RedisControlParts,
): RedisControl {
  const { redisKeyPrefix: keyPrefix, logMaxEvents: maxEvents } = config;
  const onError = permissions.of('commands');
  const redis = connectRedis(url, 'write', logger, onError);
  const reader = connectRedis(url, 'read', logger, onError);
  closers.add('command connection', () => {
    redis.disconnect();
  });
  const queues = [...new Set([DEFAULT_QUEUEING.queue, ...registry.queues])];
  const awaited = new AwaitedOutcomes(clock);
  const ledger = new OutcomeLedger(redis, { keyPrefix, maxEvents });
  const follower = new OutcomeFollower({
    reader,
    redis,
    keyPrefix,
    queues,
    ledger,
    maxDataBytes: config.maxHttpBufferBytes,
    outcomeType: config.commandOutcomeType,
    onOutcome: (id, outcome) => {
      awaited.settle(id, outcome);
    },
    clock,
    logger,
    counters,
    journal,
  });
  closers.add('command outcomes', () => {
    follower.close();
  });
  follower.start();
  const queue = new BullQueue({ redis, keyPrefix, queues, awaited, followed: follower.begun, clock });
  // The first command for a worker does not wait for it.
  if (registry.queues.length > 0) void queue.open();
  const keys = new IdempotencyKeys(redis, keyPrefix);
  return {
    store: new RedisCommandStore({ queue, keys, awaited }),
    rateLimit: new RedisRateLimit(redis, keyPrefix, config.controlRatePerSecond),
  };
}
