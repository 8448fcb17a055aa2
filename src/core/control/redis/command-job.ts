import { type Command, failedWith, type Outcome, type Principal } from '../../command.js';
import { Refusal } from '../../errors.js';
import { isRoomName, isTypeName } from '../../event.js';
import { parseJson } from '../../parse-json.js';
import type { CommandSpec, OutcomeEvent } from '../command-queue.js';
import { MAX_TIMEOUT_MS } from '../commands-module.js';
import { MAX_RESULT_DEPTH } from '../result-json.js';

/**
 * A command as BullMQ carries it: the data of a job whose name is the action and whose id is the command's. What workers
 * in any language read; `publishes` is for gateways.
 */
export interface CommandJob {
  readonly action: string;
  readonly data: unknown;
  readonly principal: { readonly id: string };
  /** ms a worker may take, from the handler's start. */
  readonly timeoutMs: number;
  /** The event its outcome is told by; null: none. */
  readonly publishes: { readonly type: string; readonly room?: string } | null;
  /** The span that had it queued, as W3C Trace Context has it; absent where the command is part of no trace. */
  readonly traceparent?: string;
}

/** Codes that a worker's failure may carry, as `[code] message`; without one it is `command_failed`. */
export const FAILURE_CODES = ['command_failed', 'command_timeout', 'unknown_action'] as const;

/** A code of a failure that a worker can tell. */
export type FailureCode = (typeof FAILURE_CODES)[number];

const CODED = new RegExp(`^\\[(${FAILURE_CODES.join('|')})\\] (.*)$`, 's');
const MAX_MESSAGE_CHARACTERS = 1000;

/** What BullMQ says of a job whose workers died, one after the other. Source: moveStalledJobsToWait-9.lua. */
const STALLED = 'job stalled more than allowable limit';

/** What the names of BullMQ's keys begin with. One hash tag: on a Cluster all keys of all queues share a slot. */
export function bullPrefix(keyPrefix: string): string {
  return `{${keyPrefix}}`;
}

/** The key under which BullMQ keeps a part of a queue: one of its lists or sets, or the job with that id. */
export function bullKey(keyPrefix: string, queue: string, part: string): string {
  return `${bullPrefix(keyPrefix)}:${queue}:${part}`;
}

/** The data of a command's job. */
export function toJob(
  { action, data, principal, traceparent }: Command,
  { timeoutMs, publishes }: CommandSpec,
): CommandJob {
  const told = publishes === null ? null : { type: publishes.type, ...roomOf(publishes.room) };
  return {
    action,
    data,
    principal: { id: principal.id },
    timeoutMs,
    publishes: told,
    ...partOf(traceparent),
  };
}

/** What a worker reads of a job's data, whoever wrote it; undefined or null where it says nothing that makes sense. */
export function readJob(job: unknown): {
  readonly data: unknown;
  readonly principal: Principal;
  readonly timeoutMs: number | undefined;
  readonly traceparent: string | undefined;
} {
  const {
    data = null,
    principal,
    timeoutMs,
    traceparent,
  } = isObject(job) ? job : ({} as Record<string, unknown>);
  const id = isObject(principal) ? principal['id'] : undefined;
  const isTimeout = typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS;
  return {
    data,
    principal: { id: typeof id === 'string' ? id : 'unknown' },
    timeoutMs: isTimeout ? timeoutMs : undefined,
    traceparent: textOf(traceparent),
  };
}

/**
 * The event that a job's outcome is told by, from its data as JSON text; null: none, undefined: the job came from
 * somewhere else than a gateway.
 */
export function publishesOf(dataJson: string): OutcomeEvent | null | undefined {
  const job = parsed(dataJson);
  const publishes = isObject(job) ? job['publishes'] : undefined;
  if (publishes === null) return null;
  if (!isObject(publishes)) return undefined;
  const { type, room } = publishes;
  if (!isTypeName(type) || !(room === undefined || isRoomName(room))) return undefined;
  return { type, room };
}

/** How a command ended whose worker returned this, as JSON text. */
export function succeededWith(resultJson: string): Outcome {
  const result = parseJson(resultJson, MAX_RESULT_DEPTH);
  return result instanceof Refusal
    ? failedWith(new Refusal('command_failed', `the worker's result cannot be read: ${result.message}`))
    : { status: 'succeeded', result: result.value };
}

/** How a command ended of which BullMQ says this as the reason of its failure. */
export function failedFor(reason: string): Outcome {
  if (reason === STALLED) {
    return failedWith(new Refusal('worker_lost', 'the workers were lost that executed the command'));
  }
  const [, code = 'command_failed', message = reason] = CODED.exec(reason) ?? [];
  return failedWith(new Refusal(code as FailureCode, message.slice(0, MAX_MESSAGE_CHARACTERS)));
}

/** The message of the error by which a worker tells a failure: what {@link failedFor} reads. */
export function failureMessage(code: string, message: string): string {
  return code === 'command_failed' && !CODED.test(message) ? message : `[${code}] ${message}`;
}

/** The span that had a job queued, from its data as JSON text. */
export function traceparentOf(dataJson: string): string | undefined {
  // Most are part of no trace, and their data may be large.
  if (!dataJson.includes('"traceparent"')) return undefined;
  const job = parsed(dataJson);
  return isObject(job) ? textOf(job['traceparent']) : undefined;
}

function partOf(traceparent: string | undefined): { readonly traceparent?: string } {
  return traceparent === undefined ? {} : { traceparent };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function roomOf(room: string | undefined): { readonly room?: string } {
  return room === undefined ? {} : { room };
}

/** Parses JSON text; undefined for text that is no JSON, or is nested too deep. */
function parsed(json: string): unknown {
  const read = parseJson(json);
  return read instanceof Refusal ? undefined : read.value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
