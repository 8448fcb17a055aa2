import type { Command } from '../command.js';
import type { Refusal } from '../errors.js';
import type { CommandQueue, CommandSpec, Receipt } from './command-queue.js';

/** Queues by who executes; one that is left out has no commands. */
export type Routes = Readonly<Partial<Record<CommandSpec['where'], CommandQueue>>>;

/** Several queues as one: each command goes where its spec says. */
export class RoutedQueue implements CommandQueue {
  readonly #routes: Routes;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** @throws when a spec names a queue that was left out: a fault of the wiring, not of the command. */
  async offer(command: Command, spec: CommandSpec): Promise<Receipt | Refusal> {
    const queue = this.#routes[spec.where];
    if (queue === undefined) throw new Error(`${spec.action} needs a ${spec.where} queue; there is none`);
    return queue.offer(command, spec);
  }

  /** Closes every queue, each with its own deadline. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#routes).map((queue) => queue.close()));
  }
}
