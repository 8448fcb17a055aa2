import { pathToFileURL } from 'node:url';
import type { Principal } from '../command.js';
import { isRoomName, isTypeName, RESERVED_TYPES } from '../event.js';
import { type CommandSpec, DEFAULT_QUEUEING, type OutcomeEvent } from './command-queue.js';

/** What a handler is told besides the data. */
export interface CommandContext {
  /** The command's id, the same on every retry: what to make an effect idempotent by. */
  readonly id: string;
  readonly action: string;
  readonly principal: Principal;
  /** Aborted when the command's time is up; a handler that ignores it is killed with its thread soon after. */
  readonly signal: AbortSignal;
}

/** Executes a command; what it returns, or resolves to, must be JSON. What it throws is the failure's message. */
export type CommandHandler = (data: unknown, ctx: CommandContext) => unknown;

/** One action of a commands module: its handler and what the gate needs to know of it. */
export interface CommandDefinition {
  readonly spec: CommandSpec;
  /** Undefined when workers of another kind execute it. */
  readonly handler: CommandHandler | undefined;
}

/** What is wrong with a commands module: every fault, for people. */
export class CommandFaults {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    this.faults = faults;
  }
}

/** Default of a command's `timeoutMs`. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Type of the event that tells an outcome when a command names none; `COMMAND_OUTCOME_TYPE` gives it another name. Not
 * `command_response`, which a legacy page takes for the answer to its own query.
 */
export const DEFAULT_OUTCOME_TYPE = 'command_outcome';

/** Most that a command's `timeoutMs` may be. */
export const MAX_TIMEOUT_MS = 3_600_000;
const MAX_ATTEMPTS = 10;
/** What the queue of a command may be called. */
export const QUEUE = /^[A-Za-z0-9_.-]{1,64}$/;
const FIELDS: readonly string[] = [
  'handler',
  'timeoutMs',
  'role',
  'publishes',
  'queue',
  'attempts',
  'backoffMs',
];

/** Imports an ES or CommonJS module by its URL; the runtime's own `import` unless a test brings another. */
export type ImportModule = (url: string) => Promise<unknown>;

/**
 * Imports the module at `file` (absolute path) and reads the commands it exports.
 * A module that cannot be imported is a fault like any other.
 */
export async function importCommands(
  file: string,
  importModule: ImportModule = (url) => import(url),
): Promise<Map<string, CommandDefinition> | CommandFaults> {
  let exported: unknown;
  try {
    // A bare Windows path, C:\…, is not something import() takes.
    exported = await importModule(pathToFileURL(file).href);
  } catch (error) {
    return new CommandFaults([`${file} cannot be imported: ${error instanceof Error ? error.message : ''}`]);
  }
  const commands = parseCommands(exported);
  return commands instanceof CommandFaults
    ? new CommandFaults(commands.faults.map((fault) => `${file}: ${fault}`))
    : commands;
}

/**
 * Reads a module's exports, `commands` or the default one:
 * `{ "governor.start": { handler(data, ctx), timeoutMs, role, publishes: {type, room} } }`. `timeoutMs` is 1–3,600,000
 * (default 30,000); `publishes` may be left out (then `command_outcome` tells the outcome) or be false (nothing does).
 * `queue`, `attempts` and `backoffMs` are {@link Queueing}'s. An entry without `handler` is executed by workers of another
 * kind: it names their queue, in which no entry may have one, since who serves a queue executes all of its commands.
 */
export function parseCommands(exported: unknown): Map<string, CommandDefinition> | CommandFaults {
  const table = tableOf(exported);
  if (table === undefined) {
    return new CommandFaults(['its default export (or one named "commands") must be an object of commands']);
  }
  const commands = new Map<string, CommandDefinition>();
  const faults: string[] = [];
  for (const [action, value] of Object.entries(table)) {
    const found = parseDefinition(action, value);
    if (Array.isArray(found)) faults.push(...found.map((fault) => `"${action}": ${fault}`));
    else commands.set(action, found);
  }
  faults.push(...sharedQueues([...commands.values()]));
  return faults.length > 0 ? new CommandFaults(faults) : commands;
}

/** Faults of entries without a handler in a queue that other entries have handlers for. */
function sharedQueues(commands: readonly CommandDefinition[]): string[] {
  const served = new Set(commands.flatMap(({ spec, handler }) => (handler ? [spec.queue] : [])));
  return commands
    .filter(({ spec, handler }) => handler === undefined && served.has(spec.queue))
    .map(({ spec }) => `"${spec.action}": has no handler, but others in its queue "${spec.queue}" have one`);
}

function tableOf(exported: unknown): Record<string, unknown> | undefined {
  if (!isObject(exported)) return undefined;
  const named = exported['commands'];
  if (isObject(named)) return named;
  const fallback = exported['default'];
  if (!isObject(fallback)) return undefined;
  // What a compiler makes of `export default` in a CommonJS module.
  return fallback['__esModule'] === true && isObject(fallback['default']) ? fallback['default'] : fallback;
}

function parseDefinition(action: string, value: unknown): CommandDefinition | string[] {
  if (!isObject(value)) return ['must be an object {handler, timeoutMs?, role?, publishes?}'];
  const { handler, timeoutMs = DEFAULT_TIMEOUT_MS, role, queue = DEFAULT_QUEUEING.queue } = value;
  const { attempts = DEFAULT_QUEUEING.attempts, backoffMs = DEFAULT_QUEUEING.backoffMs } = value;
  const publishes = parsePublishes(value['publishes']);
  const faults: string[] = [];
  if (!isTypeName(action)) faults.push('an action is named by 1–128 of A-Z a-z 0-9 _ . : -');
  if (!(typeof handler === 'function' || (handler === undefined && value['queue'] !== undefined))) {
    faults.push(
      'handler must be a function (data, ctx), or be left out where "queue" names that of other workers',
    );
  }
  if (!isWhole(timeoutMs, 1, MAX_TIMEOUT_MS))
    faults.push('timeoutMs must be a whole number of ms, 1–3600000');
  if (role !== undefined && !isTypeName(role)) {
    faults.push('role must be 1–128 of A-Z a-z 0-9 _ . : -');
  }
  if (typeof publishes === 'string') faults.push(publishes);
  if (!(typeof queue === 'string' && QUEUE.test(queue)))
    faults.push('queue must be 1–64 of A-Z a-z 0-9 _ . -');
  if (!isWhole(attempts, 1, MAX_ATTEMPTS)) faults.push('attempts must be a whole number, 1–10');
  if (!isWhole(backoffMs, 1, MAX_TIMEOUT_MS))
    faults.push('backoffMs must be a whole number of ms, 1–3600000');
  for (const field of Object.keys(value)) {
    if (!FIELDS.includes(field)) faults.push(`has a field "${field}"; known are ${FIELDS.join(', ')}`);
  }
  if (faults.length > 0) return faults;
  return {
    handler: handler as CommandHandler | undefined,
    spec: {
      action,
      timeoutMs: timeoutMs as number,
      role: role as string | undefined,
      publishes: publishes as OutcomeEvent | null,
      where: 'worker',
      queue: queue as string,
      attempts: attempts as number,
      backoffMs: backoffMs as number,
    },
  };
}

function parsePublishes(value: unknown): OutcomeEvent | null | string {
  if (value === undefined) return { type: DEFAULT_OUTCOME_TYPE, room: undefined };
  if (value === false) return null;
  if (!isObject(value)) return 'publishes must be {type, room?}, or false for no event';
  const { type, room } = value;
  if (!isTypeName(type)) return 'publishes.type must be 1–128 of A-Z a-z 0-9 _ . : -';
  if (RESERVED_TYPES.has(type))
    return `publishes.type "${type}" is kept by the Socket.IO protocol for itself`;
  if (room !== undefined && !isRoomName(room)) return 'publishes.room must be 1–128 of A-Z a-z 0-9 _ . : -';
  return { type, room };
}

function isWhole(value: unknown, from: number, to: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
