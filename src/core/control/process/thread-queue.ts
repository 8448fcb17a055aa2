import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Clock } from '../../clock.js';
import { type Command, failedWith, type Outcome } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { CommandQueue, CommandSpec, Receipt } from '../command-queue.js';
import { type Execution, messageOf, refusalOf, timeoutMessage } from '../execution.js';
import { startedRun, type ThreadTask, type ThreadWorkerData } from './thread-task.js';
import { beginExecution, endExecution } from '../execution-span.js';
import { NO_TRACING, type Tracing } from '../../tracing.js';
import { within } from '../../within.js';

/** What a {@link ThreadQueue} is made of. */
export interface ThreadQueueOptions {
  /** Absolute path of the module with the handlers. Threads import it, once each. */
  readonly commandsModule: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where executions are traced. Default: nowhere. */
  readonly tracing?: Tracing;
  /** Most commands executed at once, one per thread, ≥ 1. Default: the number of cores, at least 4. */
  readonly threads?: number;
  /** Most commands that wait for a thread, ≥ 0. Default 1000; beyond: `queue_full`. */
  readonly maxQueue?: number;
  /** Most bytes a result may have as JSON text. Default 1 MiB; beyond: the command failed. */
  readonly maxResultBytes?: number;
  /** ms without work after which a thread is let go. Default 60,000. */
  readonly idleMs?: number;
  /** ms a thread may take to boot and to import the module. Default 10,000. */
  readonly bootMs?: number;
  /** ms a handler has to react to its aborted signal before its thread is killed. Default 200. */
  readonly graceMs?: number;
  /** ms that `close` waits for running commands before it kills them. Default 5000. */
  readonly closeMs?: number;
  /** Path of the compiled `thread-worker`. Default: the one beside this file. */
  readonly workerFile?: string;
}

/** A command between being taken and having ended. */
interface Run {
  readonly command: Command;
  readonly spec: CommandSpec;
  readonly settle: (outcome: Outcome) => void;
  /** Aborting it kills the thread. */
  readonly kill: AbortController;
  /** Why it was killed; undefined as long as it was not. */
  verdict: Refusal | undefined;
  /** A thread has begun it. */
  isStarted: boolean;
  cancelTimer: () => void;
}

/** ms after which a full queue is worth another try. */
const RETRY_AFTER_MS = 1000;

/**
 * The queue of a gateway without Redis: handlers run in worker threads, so that not even one that spins touches the
 * event loop. Nothing starts before the first command does.
 *
 * The waiting line is ours, and the pool is never given more than it has threads: piscina forgets its own limit and
 * its order for tasks that can be aborted, and leaves them lying when the last thread dies. A handler's time starts
 * when its thread says so. What a handler keeps in its module belongs to one thread of several and goes with it.
 */
export class ThreadQueue implements CommandQueue {
  readonly #options: Required<Omit<ThreadQueueOptions, 'commandsModule'>>;
  readonly #pool: Piscina<ThreadTask, Execution>;
  readonly #waiting: Run[] = [];
  readonly #running = new Map<number, Run>();
  #runs = 0;
  #closed: Promise<void> | undefined;
  #onIdle = nothing;

  constructor({ commandsModule, ...options }: ThreadQueueOptions) {
    this.#options = {
      threads: Math.max(4, availableParallelism()),
      maxQueue: 1000,
      maxResultBytes: 1024 * 1024,
      idleMs: 60_000,
      bootMs: 10_000,
      graceMs: 200,
      closeMs: 5000,
      tracing: NO_TRACING,
      workerFile: options.workerFile ?? fileURLToPath(new URL('./thread-worker.js', import.meta.url)),
      ...options,
    };
    const workerData: ThreadWorkerData = {
      commandsModule,
      maxResultBytes: this.#options.maxResultBytes,
    };
    this.#pool = new Piscina<ThreadTask, Execution>({
      filename: this.#options.workerFile,
      name: 'runTask',
      workerData,
      minThreads: 0,
      maxThreads: this.#options.threads,
      idleTimeout: this.#options.idleMs,
      recordTiming: false,
      // Handlers are ordinary Node code: what they leave open (a database's connection) needs its loop to turn.
      atomics: 'disabled',
    });
    this.#pool.on('message', (message: unknown) => {
      this.#onStarted(startedRun(message));
    });
    this.#pool.on('error', (error: unknown) => {
      this.#options.logger.error('a command thread failed between commands', { reason: messageOf(error) });
    });
  }

  /** Most commands executed at once. */
  get threads(): number {
    return this.#options.threads;
  }

  /** How many commands wait for a thread now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many commands are being executed now. */
  get running(): number {
    return this.#running.size;
  }

  offer(command: Command, spec: CommandSpec): Promise<Receipt | Refusal> {
    if (this.#closed !== undefined) return Promise.resolve(shuttingDown('the gateway is stopping'));
    if (this.#running.size >= this.#options.threads && this.#waiting.length >= this.#options.maxQueue) {
      const message = `${String(this.#waiting.length)} commands are waiting already`;
      return Promise.resolve(new Refusal('queue_full', message, RETRY_AFTER_MS));
    }
    const outcome = new Promise<Outcome>((settle) => {
      const kill = new AbortController();
      this.#waiting.push({
        command,
        spec,
        settle,
        kill,
        verdict: undefined,
        isStarted: false,
        cancelTimer: nothing,
      });
    });
    this.#startWaiting();
    return Promise.resolve({ outcome });
  }

  /** Fails what waits, gives what runs `closeMs` to end, then kills it: nothing it took ends without an outcome. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #startWaiting(): void {
    while (this.#running.size < this.#options.threads) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      void this.#execute(run);
    }
  }

  async #execute(run: Run): Promise<void> {
    const { command, spec, kill } = run;
    const number = ++this.#runs;
    const { id, action, data, principal } = command;
    this.#running.set(number, run);
    run.cancelTimer = this.#options.clock.after(this.#options.bootMs, () => {
      const message = `no thread was ready for ${action} within ${String(this.#options.bootMs)} ms`;
      this.#kill(run, new Refusal('command_timeout', message));
    });
    const span = beginExecution(this.#options.tracing, command);
    let outcome: Outcome;
    try {
      const task = { run: number, id, action, data, principal, timeoutMs: spec.timeoutMs };
      outcome = outcomeOf(await this.#pool.run(task, { signal: kill.signal }));
    } catch (error) {
      outcome = failedWith(run.verdict ?? this.#lost(run, error));
    }
    endExecution(span, outcome);
    run.cancelTimer();
    this.#running.delete(number);
    run.settle(outcome);
    if (this.#running.size === 0) this.#onIdle();
    this.#startWaiting();
  }

  #onStarted(number: number | undefined): void {
    const run = number === undefined ? undefined : this.#running.get(number);
    if (run === undefined) return;
    const { action, timeoutMs } = run.spec;
    run.isStarted = true;
    run.cancelTimer();
    // The thread keeps the time as well, and gives the handler a chance to end by itself; this is for those that don't.
    run.cancelTimer = this.#options.clock.after(timeoutMs + this.#options.graceMs, () => {
      this.#kill(run, new Refusal('command_timeout', timeoutMessage(action, timeoutMs)));
    });
  }

  #kill(run: Run, verdict: Refusal): void {
    const { command } = run;
    run.verdict = verdict;
    this.#options.logger.warn('a command was killed', {
      id: command.id,
      action: command.action,
      code: verdict.code,
    });
    run.kill.abort();
  }

  #lost(run: Run, error: unknown): Refusal {
    const { id, action } = run.command;
    // It could not be given to a thread: none has died of it.
    if (!run.isStarted && isOfDepth(error)) return new Refusal('invalid_data', 'data is nested too deep');
    const message = `the worker thread was lost before ${action} was done: ${messageOf(error)}`;
    this.#options.logger.error('a command thread died', { id, action, reason: messageOf(error) });
    return new Refusal('command_failed', message);
  }

  async #end(): Promise<void> {
    for (const run of this.#waiting.splice(0)) {
      run.settle(failedWith(shuttingDown('the gateway stopped before the command started')));
    }
    const { clock, closeMs } = this.#options;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    if (this.#running.size > 0) await within(clock, closeMs, idle);
    for (const run of this.#running.values()) {
      this.#kill(run, shuttingDown('the gateway stopped before the command was done'));
    }
    await this.#pool.destroy();
  }
}

function nothing(): void {}

/** Whether it was the stack that did not suffice. */
function isOfDepth(error: unknown): boolean {
  return (error as { readonly name?: unknown } | undefined)?.name === 'RangeError';
}

function outcomeOf(execution: Execution): Outcome {
  return execution.ok
    ? { status: 'succeeded', result: JSON.parse(execution.resultJson) as unknown }
    : failedWith(refusalOf(execution));
}

function shuttingDown(message: string): Refusal {
  return new Refusal('shutting_down', message, RETRY_AFTER_MS);
}
