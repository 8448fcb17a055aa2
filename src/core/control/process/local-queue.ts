import { type Command, failedWith, type Outcome } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { CommandQueue, CommandSpec, Receipt } from '../command-queue.js';
import { messageOf } from '../execution.js';
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
  #closed = false;

  constructor(commands: Iterable<LocalCommand>, logger: Logger) {
    this.#handlers = new Map([...commands].map(({ spec, handler }) => [spec.action, handler]));
    this.#logger = logger;
  }

  offer(command: Command): Promise<Receipt | Refusal> {
    if (this.#closed) return Promise.resolve(new Refusal('shutting_down', 'the gateway is stopping'));
    return Promise.resolve({ outcome: Promise.resolve(this.#execute(command)) });
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
