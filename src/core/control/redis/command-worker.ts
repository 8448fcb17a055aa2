import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Clock } from '../../clock.js';
import type { Command } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { Logger } from '../../logger.js';
import { connectRedis, type ErrorListener, type RedisConnection } from '../../redis/redis-connection.js';
import { bullPrefix, failureMessage, readJob } from './command-job.js';
import { type CommandSpec, DEFAULT_QUEUEING } from '../command-queue.js';
import { DEFAULT_TIMEOUT_MS } from '../commands-module.js';
import { messageOf } from '../execution.js';
import { ThreadQueue, type ThreadQueueOptions } from '../process/thread-queue.js';
import { within } from '../../within.js';

/** What a {@link CommandWorker} is made of. */
export interface CommandWorkerOptions
  extends Pick<
    ThreadQueueOptions,
    'commandsModule' | 'threads' | 'workerFile' | 'clock' | 'logger' | 'tracing'
  > {
  readonly url: string;
  readonly keyPrefix: string;
  /** Is told every error that Redis answers. */
  readonly onError?: ErrorListener;
  /** The queue whose commands it executes, all of them. */
  readonly queue: string;
  /** ms without a sign of life after which a worker's command is another's. Default 15,000. */
  readonly lockMs?: number;
  /** How often it is looked for such commands, ms. Default 2000. */
  readonly stalledMs?: number;
  /** ms that `close` waits for what runs before it kills it and gives it to another worker. Default 20,000. */
  readonly closeMs?: number;
}

/** How often a command may be begun again because its worker died. */
const MAX_STALLED = 1;
/** How often locks are renewed, ms: Redis may be away for what is left of them. */
const RENEW_MS = 3000;
/** How long noting the last outcomes may take once nothing runs any more, ms. */
const NOTE_MS = 3000;
/** Pause after Redis failed, ms. */
const RETRY_MS = 1000;

/**
 * Executes the commands of one queue, each in a thread of its own, so that whatever a handler does, the locks by which
 * other workers see that this one lives are renewed in time. As many at once as it has threads.
 */
export class CommandWorker {
  readonly #redis: RedisConnection;
  readonly #threads: ThreadQueue;
  readonly #worker: Worker<unknown, unknown>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #closed: Promise<void> | undefined;

  constructor(options: CommandWorkerOptions) {
    const { url, keyPrefix, queue, lockMs = 15_000, stalledMs = 2000, closeMs = 20_000 } = options;
    const { clock, logger } = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#redis = connectRedis(url, 'work', logger, options.onError);
    this.#threads = new ThreadQueue({ ...options, closeMs });
    this.#worker = new Worker<unknown, unknown>(queue, (job, token) => this.#process(job, token ?? ''), {
      connection: this.#redis,
      // It asks INFO, which may be refused: the worker would never begin.
      skipVersionCheck: true,
      prefix: bullPrefix(keyPrefix),
      concurrency: this.#threads.threads,
      lockDuration: lockMs,
      lockRenewTime: Math.min(RENEW_MS, lockMs / 2),
      stalledInterval: stalledMs,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: RETRY_MS,
    });
    this.#worker.on('error', (error) => {
      // That Redis is away, the connection logs.
      const level = this.#redis.status === 'ready' ? 'warn' : 'debug';
      logger[level]('a worker failed at something', { queue, reason: messageOf(error) });
    });
    this.#worker.on('stalled', (id) => {
      logger.warn('the worker of a command was lost; another begins it again', { queue, id });
    });
  }

  /**
   * Begins nothing more, lets what runs end, for `closeMs` at most, and gives the rest to other workers. Idempotent.
   */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const closed = this.#worker.close();
    await this.#threads.close();
    // All that is left is to note how commands ended, which takes a Redis that is there.
    await within(this.#clock, NOTE_MS, closed);
    this.#redis.disconnect();
  }

  /** Returns a command's result; throws what BullMQ is to note as its failure. */
  async #process(job: Job<unknown, unknown>, token: string): Promise<unknown> {
    const { command, spec } = commandOf(job);
    const { id, action } = command;
    const told = { id, action, queue: job.queueName, attempt: job.attemptsMade + 1 };
    const begunAt = this.#clock.elapsed();
    this.#logger.info('a command begins', told);
    const receipt = await this.#threads.offer(command, spec);
    const outcome = receipt instanceof Refusal ? failed(receipt) : await receipt.outcome;
    const ms = Math.round(this.#clock.elapsed() - begunAt);
    if (outcome.status === 'succeeded') {
      this.#logger.info('a command succeeded', { ...told, ms });
      return outcome.result;
    }
    const { code, message } = outcome.error;
    if (code === 'shutting_down') {
      this.#logger.info('a command is given to another worker', { ...told, ms });
      await job.moveToWait(token);
      throw new WaitingError();
    }
    this.#logger.info('a command failed', { ...told, ms, code });
    // Another attempt of this worker would find no handler either.
    const Failure = code === 'unknown_action' ? UnrecoverableError : Error;
    throw new Failure(failureMessage(code, message));
  }
}

function failed(refusal: Refusal): {
  readonly status: 'failed';
  readonly error: { code: string; message: string };
} {
  return { status: 'failed', error: refusal.toBody().error };
}

/** What a job asks for, also one that somebody else put into the queue. */
function commandOf(job: Job<unknown, unknown>): { readonly command: Command; readonly spec: CommandSpec } {
  const { data, principal, timeoutMs = DEFAULT_TIMEOUT_MS, traceparent } = readJob(job.data);
  const { name: action } = job;
  return {
    command: { id: String(job.id), action, data, principal, traceparent },
    spec: { ...DEFAULT_QUEUEING, action, timeoutMs, role: undefined, publishes: null, where: 'worker' },
  };
}
