import { Refusal } from '../errors.js';
import type { CommandContext, CommandHandler } from './commands-module.js';
import { resultToJson } from './result-json.js';

/** What a worker reports of one execution; plain, so that it crosses threads and processes. */
export type Execution =
  | { readonly ok: true; readonly resultJson: string }
  | {
      readonly ok: false;
      readonly code: 'command_failed' | 'command_timeout' | 'unknown_action';
      readonly message: string;
    };

/** What {@link execute} needs besides the handler. */
export interface ExecutionInput extends Omit<CommandContext, 'signal'> {
  readonly data: unknown;
  /** ms until `ctx.signal` is aborted and the execution counts as timed out. */
  readonly timeoutMs: number;
  /** Most bytes the result may have as JSON text. */
  readonly maxResultBytes: number;
}

const MAX_MESSAGE_CHARACTERS = 1000;

/**
 * Runs one handler where a worker has it, with a signal that is aborted when its time is up. Never rejects: what
 * the handler throws, or returns that JSON cannot carry, is a failed execution, without a stack.
 * It cannot stop a handler that does not look at its signal; whoever owns the worker has to.
 */
export async function execute(handler: CommandHandler, input: ExecutionInput): Promise<Execution> {
  const { id, action, principal, data, timeoutMs } = input;
  const deadline = new AbortController();
  const startedMs = performance.now();
  const timer = setTimeout(() => {
    deadline.abort(new DOMException(timeoutMessage(action, timeoutMs), 'TimeoutError'));
  }, timeoutMs);
  try {
    const result = await handler(data, { id, action, principal, signal: deadline.signal });
    if (isLate()) return timedOut(action, timeoutMs);
    return { ok: true, resultJson: resultToJson(result, input.maxResultBytes) };
  } catch (error) {
    if (isLate()) return timedOut(action, timeoutMs);
    return { ok: false, code: 'command_failed', message: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }

  // A handler that kept the thread busy past its time never let the timer fire.
  function isLate(): boolean {
    return deadline.signal.aborted || performance.now() - startedMs > timeoutMs;
  }
}

/** The refusal that a failed execution stands for. */
export function refusalOf(execution: Extract<Execution, { ok: false }>): Refusal {
  return new Refusal(execution.code, execution.message);
}

/** What clients are told of a command that took too long. */
export function timeoutMessage(action: string, timeoutMs: number): string {
  return `${action} was not done within ${String(timeoutMs)} ms`;
}

/** What was thrown, in at most 1,000 characters and without a stack. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message || thrown.name : asText(thrown);
  return message.slice(0, MAX_MESSAGE_CHARACTERS);
}

function timedOut(action: string, timeoutMs: number): Execution {
  return { ok: false, code: 'command_timeout', message: timeoutMessage(action, timeoutMs) };
}

function asText(thrown: unknown): string {
  return typeof thrown === 'string' && thrown !== ''
    ? thrown
    : 'the handler threw something that is no Error';
}
