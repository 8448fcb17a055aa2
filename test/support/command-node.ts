import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { systemClock } from '../../src/core/clock.js';
import type { Outcome } from '../../src/core/command.js';
import { CommandJournal } from '../../src/core/control/command-journal.js';
import { AwaitedOutcomes } from '../../src/core/control/redis/awaited-outcomes.js';
import { BullQueue } from '../../src/core/control/redis/bull-queue.js';
import { CommandWorker, type CommandWorkerOptions } from '../../src/core/control/redis/command-worker.js';
import { IdempotencyKeys } from '../../src/core/control/redis/idempotency-keys.js';
import { OutcomeFollower } from '../../src/core/control/redis/outcome-follower.js';
import { OutcomeLedger } from '../../src/core/control/redis/outcome-ledger.js';
import { RedisCommandStore } from '../../src/core/control/redis/redis-command-store.js';
import { connectRedis, type RedisConnection } from '../../src/core/redis/redis-connection.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { ROOT } from './launched-gateway.js';
import { testRedisUrl } from './opened-logs.js';
import { silentLogger } from './silent-logger.js';

/** What a {@link CommandNode} may be told. */
export interface CommandNodeSettings {
  readonly url?: string;
  /** Nodes of the same prefix share their commands. Default: one of its own. */
  readonly keyPrefix?: string;
  readonly queues?: readonly string[];
  readonly maxWaiting?: number;
  /** False: it does not follow outcomes before its follower is started. Default true. */
  readonly follows?: boolean;
}

/** What a gateway has of commands with Redis, without the rest of it. */
export class CommandNode {
  readonly keyPrefix: string;
  readonly redis: RedisConnection;
  readonly awaited = new AwaitedOutcomes(systemClock);
  readonly counters = new Counters();
  readonly ledger: OutcomeLedger;
  readonly follower: OutcomeFollower;
  readonly queue: BullQueue;
  readonly keys: IdempotencyKeys;
  readonly store: RedisCommandStore;
  /** All outcomes it was told, by the command's id. */
  readonly heard = new Map<string, Outcome>();
  readonly #url: string;

  constructor(settings: CommandNodeSettings = {}) {
    const { keyPrefix = `test-${randomUUID()}`, queues = ['commands'], follows = true } = settings;
    const { url = testRedisUrl(), maxWaiting = 1000 } = settings;
    this.#url = url;
    this.keyPrefix = keyPrefix;
    this.redis = connectRedis(url, 'write', silentLogger);
    this.ledger = new OutcomeLedger(this.redis, { keyPrefix, maxEvents: 1000 });
    const common = { redis: this.redis, keyPrefix, queues, clock: systemClock };
    this.follower = new OutcomeFollower({
      ...common,
      reader: connectRedis(url, 'read', silentLogger),
      ledger: this.ledger,
      maxDataBytes: 100_000,
      onOutcome: (id, outcome) => {
        this.heard.set(id, outcome);
        this.awaited.settle(id, outcome);
      },
      logger: silentLogger,
      counters: this.counters,
      journal: new CommandJournal({
        clock: systemClock,
        logger: silentLogger,
        counters: this.counters,
        actions: [],
      }),
    });
    if (follows) this.follower.start();
    const { awaited } = this;
    this.queue = new BullQueue({ ...common, awaited, followed: this.follower.begun, maxWaiting });
    this.keys = new IdempotencyKeys(this.redis, keyPrefix);
    this.store = new RedisCommandStore({ queue: this.queue, keys: this.keys, awaited });
  }

  /** A worker of `test/support/commands.mjs` for this node's commands; closed by whoever asked for it. */
  work(options: Partial<CommandWorkerOptions> = {}): CommandWorker {
    return new CommandWorker({
      url: this.#url,
      keyPrefix: this.keyPrefix,
      queue: 'commands',
      commandsModule: path.join(ROOT, 'test/support/commands.mjs'),
      workerFile: path.join(
        process.env['FLIPGATE_DIST'] ?? path.join(ROOT, 'dist'),
        'core/control/process/thread-worker.js',
      ),
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
  }

  /** What outcomes were published, in the log's order. */
  async published(): Promise<{ readonly type: string; readonly data: ReturnType<typeof JSON.parse> }[]> {
    const entries = await this.redis.xrange(`${this.keyPrefix}:{log}`, '-', '+');
    return entries.map(([, fields]) => ({
      type: String(fields[fields.indexOf('type') + 1]),
      data: JSON.parse(String(fields[fields.indexOf('data') + 1])),
    }));
  }

  async close(): Promise<void> {
    this.follower.close();
    await this.queue.close();
    this.redis.disconnect();
  }
}
