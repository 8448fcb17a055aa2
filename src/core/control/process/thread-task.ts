import type { Principal } from '../../command.js';

/** What the pool hands to a thread. */
export interface ThreadTask {
  /** Which run of the pool this is. */
  readonly run: number;
  /** The command's id. */
  readonly id: string;
  readonly action: string;
  readonly data: unknown;
  readonly principal: Principal;
  /** ms from the handler's start. */
  readonly timeoutMs: number;
}

/** What every thread of a pool is given when it starts. */
export interface ThreadWorkerData {
  /** Absolute path of the module with the handlers. */
  readonly commandsModule: string;
  /** Most bytes a result may have as JSON text. */
  readonly maxResultBytes: number;
}

/** Key of the message by which a thread says that a handler starts now: `{[STARTED]: run}`. */
export const STARTED = 'flipgateStarted';

/** The run that a message from a thread says is starting; undefined for any other message. */
export function startedRun(message: unknown): number | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const run = (message as Record<string, unknown>)[STARTED];
  return typeof run === 'number' ? run : undefined;
}
