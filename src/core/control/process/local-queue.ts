import { type Command, failedWith, type Outcome } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { Logger } from '../../logger.js';
import { NO_TRACING, type Tracing } from '../../tracing.js';
import type { CommandQueue, CommandSpec, Receipt } from '../command-queue.js';
import { messageOf } from '../execution.js';
import { beginExecution, endExecution } from '../execution-span.js';
import { resultToJson } from '../result-json.js';

/**
 * Executes a command in this process, at once: for what steers the process itself. It must be done within a
 * fraction of a millisecond; there is no timeout. It refuses what it cannot do with a value; a throw is a bug.
 */
export type LocalHandler = (data: unknown) => unknown;

/** A command that this process executes itself. */
export interface LocalCommand {
  readonly spec: CommandSpec;
  readonly handler: LocalHandler;
}

const MAX_RESULT_BYTES = 64 * 1024;

/** The queue that is none: what is offered has been executed when the receipt is there. */
export class LocalQueue implements CommandQueue {
  readonly #handlers: ReadonlyMap<string, LocalHandler>;
  readonly #logger: Logger;
  readonly #tracing: Tracing;
  #closed = false;

  /** `tracing` is where executions are traced; default: nowhere. */
  constructor(commands: Iterable<LocalCommand>, logger: Logger, tracing: Tracing = NO_TRACING) {
    this.#handlers = new Map([...commands].map(({ spec, handler }) => [spec.action, handler]));
    this.#logger = logger;
    this.#tracing = tracing;
  }

  offer(command: Command): Promise<Receipt | Refusal> {
    if (this.#closed) return Promise.resolve(new Refusal('shutting_down', 'the gateway is stopping'));
    const span = beginExecution(this.#tracing, command);
    const outcome = this.#execute(command);
    endExecution(span, outcome);
    return Promise.resolve({ outcome: Promise.resolve(outcome) });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #execute({ id, action, data }: Command): Outcome {
    const handler = this.#handlers.get(action);
    if (handler === undefined) {
      return failedWith(new Refusal('unknown_action', `this process does not execute ${action}`));
    }
    try {
      const result = handler(data);
      if (result instanceof Refusal) return failedWith(result);
      return { status: 'succeeded', result: JSON.parse(resultToJson(result, MAX_RESULT_BYTES)) as unknown };
    } catch (error) {
      this.#logger.error('a built-in command failed', { id, action, error });
      return failedWith(new Refusal('command_failed', messageOf(error)));
    }
  }
}
