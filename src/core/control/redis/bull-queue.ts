import type { Queue } from 'bullmq';
import type { Clock } from '../../clock.js';
import type { Command, Outcome } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { parseJson } from '../../parse-json.js';
import { isUnanswered } from '../../redis/unanswered.js';
import type { AwaitedOutcomes } from './awaited-outcomes.js';
import {
  bullKey,
  bullPrefix,
  type CommandJob,
  failedFor,
  readJob,
  succeededWith,
  toJob,
} from './command-job.js';
import type { CommandQueue, CommandSpec, Receipt } from '../command-queue.js';
import type { CommandSummary } from '../command-store.js';
import { newestIn } from './queue-list.js';
import { within } from '../../within.js';

/** What a {@link BullQueue} is made of. */
export interface BullQueueOptions {
  /** Fails at once while Redis is away; closed by whoever opened it. */
  readonly redis: RedisConnection;
  readonly keyPrefix: string;
  /** The names of all queues there are. */
  readonly queues: readonly string[];
  /** Where outcomes are told once somebody has executed a command. */
  readonly awaited: AwaitedOutcomes;
  /** Resolves once outcomes are followed: what ended before that, nobody would hear of. */
  readonly followed: Promise<unknown>;
  readonly clock: Clock;
  /** Most commands that wait in a queue, ≥ 1. Default 1000; beyond: `queue_full`. */
  readonly maxWaiting?: number;
}

/** A command that BullMQ knows. */
export interface QueuedCommand {
  readonly action: string;
  /** The id of the principal whose it is; `unknown` where the job does not say. */
  readonly principal: string;
  /** Undefined as long as it has not ended. */
  readonly outcome: Outcome | undefined;
}

/** Events that BullMQ keeps of a queue: more than 1000 waiting commands cause, even if all are tried ten times. */
const MAX_QUEUE_EVENTS = 50_000;
/** How long, and how many, commands are kept that have ended. */
const KEPT = { age: 3600, count: 10_000 };
/** ms after which a full queue, or Redis, is worth another try. */
const RETRY_AFTER_MS = 1000;
/** For how long adding a job whose answer was lost is tried again, ms. */
const PATIENCE_MS = 6000;
/** How long a command waits for a process that starts to be ready, ms. */
const FOLLOW_MS = 2000;
/** Pause between two such tries, ms. */
const PAUSE_MS = 50;

/**
 * The queues of gateways that share a Redis: BullMQ's. Who executes is another process's affair; how commands end is
 * told by {@link AwaitedOutcomes}. Offering a command again whose id is known changes nothing.
 */
export class BullQueue implements CommandQueue {
  readonly #options: BullQueueOptions;
  readonly #maxWaiting: number;
  #opened: Promise<ReadonlyMap<string, Queue<CommandJob>>> | undefined;
  /** How many offers to a queue have not learned yet how many wait in it. */
  readonly #counting = new Map<string, number>();
  #isFollowed = false;
  #closed = false;

  constructor(options: BullQueueOptions) {
    this.#options = options;
    this.#maxWaiting = options.maxWaiting ?? 1000;
    void options.followed.then(() => (this.#isFollowed = true));
  }

  /**
   * Loads BullMQ, which is large, and opens the queues. Without it the first offer does so: a node that has no commands
   * for workers is spared it.
   */
  async open(): Promise<void> {
    await this.#open();
  }

  async offer(command: Command, spec: CommandSpec): Promise<Receipt | Refusal> {
    const queue = (await this.#open()).get(spec.queue);
    if (queue === undefined) throw new Error(`${spec.action} needs a queue ${spec.queue}; there is none`);
    if (this.#closed) return new Refusal('shutting_down', 'the gateway is stopping', RETRY_AFTER_MS);
    const job = toJob(command, spec);
    if (!isWritable(job)) return new Refusal('invalid_data', 'data is nested too deep');
    await this.ready();
    if (!this.#isFollowed || this.#options.redis.status !== 'ready') return unavailable('nothing was queued');
    const { awaited } = this.#options;
    const outcome = awaited.of(command.id);
    const refusal = (await this.#refusalOfFull(queue)) ?? (await this.#add(queue, command.id, job, spec));
    if (refusal !== undefined) awaited.forget(command.id);
    return refusal ?? { outcome };
  }

  /** Resolves once it can take commands for the first time, or after 2 s: a process that starts need not refuse any. */
  async ready(): Promise<void> {
    if (!this.#isFollowed) await within(this.#options.clock, FOLLOW_MS, this.#options.followed);
  }

  /** The command with this id, in whichever queue; undefined when there is none, or no longer. */
  async find(id: string): Promise<QueuedCommand | Refusal | undefined> {
    try {
      const all = await Promise.all(this.#options.queues.map((queue) => this.#read(queue, id)));
      return all.find((one) => one !== undefined);
    } catch {
      return unavailable('its state is not known');
    }
  }

  /** The newest commands of all queues, newest first, at most `limit`. */
  async newest(limit: number): Promise<readonly CommandSummary[] | Refusal> {
    const { redis, keyPrefix, queues } = this.#options;
    try {
      const all = await Promise.all(
        queues.map((queue) => newestIn((part) => bullKey(keyPrefix, queue, part), redis, limit)),
      );
      return all
        .flat()
        .sort((one, other) => other.at - one.at)
        .slice(0, limit);
    } catch {
      return unavailable('its commands are not known');
    }
  }

  /** Takes nothing more. What was taken is others' to execute, and to tell of. */
  async close(): Promise<void> {
    this.#closed = true;
    const opened = await this.#opened;
    await Promise.all([...(opened?.values() ?? [])].map((queue) => queue.close()));
  }

  #open(): Promise<ReadonlyMap<string, Queue<CommandJob>>> {
    return (this.#opened ??= this.#openQueues());
  }

  async #openQueues(): Promise<ReadonlyMap<string, Queue<CommandJob>>> {
    const { Queue } = await import('bullmq');
    const { redis, keyPrefix, queues } = this.#options;
    const common = {
      connection: redis,
      prefix: bullPrefix(keyPrefix),
      streams: { events: { maxLen: MAX_QUEUE_EVENTS } },
      skipVersionCheck: true,
    };
    const opened = new Map(queues.map((name) => [name, new Queue<CommandJob>(name, common)]));
    // What fails is heard by whoever asked for it; that Redis is away, the connection logs.
    for (const queue of opened.values()) queue.on('error', () => undefined);
    return opened;
  }

  async #refusalOfFull(queue: Queue<CommandJob>): Promise<Refusal | undefined> {
    // Those that count now are added after this one has counted; those that were before it are in the count.
    const ahead = this.#counting.get(queue.name) ?? 0;
    this.#counting.set(queue.name, ahead + 1);
    try {
      const waiting = await queue.getJobCountByTypes('waiting', 'delayed');
      if (waiting + ahead < this.#maxWaiting) return undefined;
      return new Refusal(
        'queue_full',
        `${String(waiting + ahead)} commands are waiting already`,
        RETRY_AFTER_MS,
      );
    } catch {
      return unavailable('nothing was queued');
    } finally {
      this.#counting.set(queue.name, (this.#counting.get(queue.name) ?? 1) - 1);
    }
  }

  async #add(
    queue: Queue<CommandJob>,
    id: string,
    job: CommandJob,
    { attempts, backoffMs }: CommandSpec,
  ): Promise<Refusal | undefined> {
    const { clock } = this.#options;
    const options = {
      jobId: id,
      attempts,
      backoff: { type: 'exponential', delay: backoffMs },
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
      stackTraceLimit: 0,
    };
    const begunAt = clock.elapsed();
    for (let mayBeQueued = false; ; ) {
      try {
        await queue.add(job.action, job, options);
        return undefined;
      } catch (error) {
        if (isUnanswered(error)) mayBeQueued = true;
        if (!mayBeQueued) return unavailable('nothing was queued');
        if (clock.elapsed() - begunAt > PATIENCE_MS) {
          return unavailable('it is not known whether this was queued');
        }
      }
      // A job that is there already is left alone.
      await new Promise<void>((resolve) => {
        clock.after(PAUSE_MS, resolve);
      });
    }
  }

  async #read(queue: string, id: string): Promise<QueuedCommand | undefined> {
    const fields = ['name', 'data', 'finishedOn', 'returnvalue', 'failedReason'] as const;
    const { redis, keyPrefix } = this.#options;
    const found = await redis.hmget(bullKey(keyPrefix, queue, id), ...fields);
    const [action, jobJson, finishedOn, resultJson, failedReason] = found;
    if (typeof action !== 'string') return undefined;
    const job = parseJson(jobJson ?? '');
    const principal = readJob(job instanceof Refusal ? undefined : job.value).principal.id;
    if (typeof finishedOn !== 'string') return { action, principal, outcome: undefined };
    // One that succeeded at its second try has the reason of its first failure as well.
    const outcome =
      typeof resultJson === 'string' ? succeededWith(resultJson) : failedFor(failedReason ?? '');
    return { action, principal, outcome };
  }
}

function isWritable(job: CommandJob): boolean {
  try {
    JSON.stringify(job);
    return true;
  } catch {
    return false;
  }
}

function unavailable(what: string): Refusal {
  return new Refusal(
    'queue_unavailable',
    `the queue of commands can not be reached; ${what}`,
    RETRY_AFTER_MS,
  );
}
