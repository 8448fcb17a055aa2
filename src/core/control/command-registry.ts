import type { CommandSpec } from './command-queue.js';
import { CommandFaults, type ImportModule, importCommands } from './commands-module.js';

/** The actions that clients may ask for. */
export class CommandRegistry {
  readonly #specs: ReadonlyMap<string, CommandSpec>;

  /** @param specs One per action; of two with the same name, the later one counts. */
  constructor(specs: Iterable<CommandSpec>) {
    this.#specs = new Map([...specs].map((spec) => [spec.action, spec]));
  }

  /** What is known of an action; undefined when nobody executes it. */
  find(action: string): CommandSpec | undefined {
    return this.#specs.get(action);
  }

  /** The queues that commands for workers wait in. */
  get queues(): readonly string[] {
    const workers = [...this.#specs.values()].filter(({ where }) => where === 'worker');
    return [...new Set(workers.map(({ queue }) => queue))];
  }

  /** Every action, in the order of registration. */
  get actions(): readonly string[] {
    return [...this.#specs.keys()];
  }
}

/** How {@link loadCommands} reads a module. */
export interface LoadCommandsOptions {
  /** True when workers outside this process execute commands; else each needs a handler here. Default false. */
  readonly workers?: boolean;
  readonly importModule?: ImportModule;
}

/**
 * The registry of a process: what is built in, and what the module at `file` defines. Every fault of the module is
 * returned at once, so that a start can be refused with the whole list.
 * @param file Absolute path, from `COMMANDS_MODULE`; undefined: only what is built in.
 */
export async function loadCommands(
  file: string | undefined,
  builtIn: readonly CommandSpec[],
  { workers = false, importModule }: LoadCommandsOptions = {},
): Promise<CommandRegistry | CommandFaults> {
  if (file === undefined) return new CommandRegistry(builtIn);
  const commands = await importCommands(file, importModule);
  if (commands instanceof CommandFaults) return commands;
  const faults = builtIn
    .filter(({ action }) => commands.has(action))
    .map(({ action }) => `${file}: "${action}" is built in; choose another name`);
  for (const [action, { handler }] of commands) {
    if (handler !== undefined || workers) continue;
    faults.push(
      `${file}: "${action}" has no handler: its workers are reached through REDIS_URL, which is not set`,
    );
  }
  if (faults.length > 0) return new CommandFaults(faults);
  return new CommandRegistry([...builtIn, ...[...commands.values()].map(({ spec }) => spec)]);
}
