import type { CommandState } from '../../../../core/command.js';
import { IDEMPOTENCY_KEY } from '../../../../core/control/claim.js';
import type { CommandSummary } from '../../../../core/control/command-store.js';
import { MAX_TIMEOUT_MS } from '../../../../core/control/commands-module.js';
import type { CommandRequest } from '../../../../core/control/gate.js';
import { type CommandJob, FAILURE_CODES } from '../../../../core/control/redis/command-job.js';
import {
  amount,
  anyJson,
  closed,
  count,
  listOf,
  oneOfNames,
  open,
  orNull,
  ref,
  type Schema,
} from '../schema.js';

type Queued = Extract<CommandState, { readonly status: 'queued' }>;
type Succeeded = Extract<CommandState, { readonly status: 'succeeded' }>;
type Failed = Extract<CommandState, { readonly status: 'failed' }>;
type Asked = Pick<CommandRequest, 'action' | 'data'>;

const id: Schema = {
  type: 'string',
  minLength: 1,
  description: 'Given by the gateway; not to be guessed.',
};
const action = { ...ref('Name') };
const data: Schema = { description: "The command's argument: any JSON value; null without." };

const KEY_TOO = 'An API key, where legacy pages put it; also as `apiKey` in `data`. It is not passed on.';

/** Schemas of commands: what is asked for, what became of it, and what workers are given. */
export const commandSchemas: Readonly<Record<string, Schema>> = {
  CommandRequest: open<Asked & { readonly apiKey?: string }>(
    'A command.',
    { action, data, apiKey: { type: 'string', description: KEY_TOO } },
    'data',
    'apiKey',
  ),
  EmittedCommand: open<Asked & Pick<CommandRequest, 'idempotencyKey'>>(
    'A command, as Socket.IO clients ask for it.',
    { action, data, idempotencyKey: ref('IdempotencyKey') },
    'data',
    'idempotencyKey',
  ),
  IdempotencyKey: {
    type: 'string',
    pattern: IDEMPOTENCY_KEY.source,
    description:
      '1–255 printable ASCII characters. Asked again with the same one, a command is not run again.',
  },
  CommandQueued: closed<Queued>('Taken, and not done yet.', { id, action, status: { const: 'queued' } }),
  CommandSucceeded: closed<Succeeded>('Done.', {
    id,
    action,
    status: { const: 'succeeded' },
    result: { description: 'What the handler returned: any JSON value.' },
  }),
  CommandFailed: closed<Failed>('Taken, and failed.', {
    id,
    action,
    status: { const: 'failed' },
    error: ref('ErrorDetail'),
  }),
  CommandState: { oneOf: [ref('CommandQueued'), ref('CommandSucceeded'), ref('CommandFailed')] },
  CommandSummary: closed<CommandSummary>(
    'A command as operators see it: nothing of its data, its result or who asked.',
    {
      id,
      action,
      status: oneOfNames(['queued', 'succeeded', 'failed']),
      at: count('When it was taken, epoch ms.'),
      durationMs: amount('From then until it ended, the wait in the queue included, ms.'),
      error: ref('ErrorDetail'),
    },
    'durationMs',
    'error',
  ),
  Commands: closed<{ readonly commands: readonly CommandSummary[] }>('The newest commands, newest first.', {
    commands: listOf(ref('CommandSummary')),
  }),
  CommandJob: closed<CommandJob>(
    'What a worker is given: the data of a BullMQ job.',
    {
      action,
      data: anyJson,
      principal: open<CommandJob['principal']>('Who asked.', { id: { type: 'string' } }),
      timeoutMs: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_TIMEOUT_MS,
        description: 'ms the worker may take; to keep it is its own affair.',
      },
      publishes: orNull(
        closed<NonNullable<CommandJob['publishes']>>(
          'The event its outcome is told by; null: none. For gateways.',
          { type: ref('EventType'), room: ref('Name') },
          'room',
        ),
      ),
      traceparent: {
        type: 'string',
        description: 'The span that had it queued (W3C Trace Context), where it is traced.',
      },
    },
    'traceparent',
  ),
  FailureReason: {
    type: 'string',
    description:
      'The message of what the worker throws. One that begins with a code in brackets has that code, else it is ' +
      `\`command_failed\`. Codes: ${FAILURE_CODES.map((code) => `\`${code}\``).join(', ')}.`,
    examples: ['the governor does not answer', '[command_timeout] it took too long'],
  },
};
