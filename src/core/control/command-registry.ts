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

  /** Every action, in the order of registration. */
  get actions(): readonly string[] {
    return [...this.#specs.keys()];
  }
}

/**
 * The registry of a process: what is built in, and what the module at `file` defines. Every fault of the module is
 * returned at once, so that a start can be refused with the whole list.
 * @param file Absolute path, from `COMMANDS_MODULE`; undefined: only what is built in.
 */
export async function loadCommands(
  file: string | undefined,
  builtIn: readonly CommandSpec[],
  importModule?: ImportModule,
): Promise<CommandRegistry | CommandFaults> {
  if (file === undefined) return new CommandRegistry(builtIn);
  const commands = await importCommands(file, importModule);
  if (commands instanceof CommandFaults) return commands;
  const taken = builtIn.filter(({ action }) => commands.has(action));
  if (taken.length > 0) {
    return new CommandFaults(
      taken.map(({ action }) => `${file}: "${action}" is built in; choose another name`),
    );
  }
  return new CommandRegistry([...builtIn, ...[...commands.values()].map(({ spec }) => spec)]);
}
