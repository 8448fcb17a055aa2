import type { ErrorCode } from '../../../../core/errors.js';
import { CONTROL_PATH } from '../../profile-document.js';
import { jsonAnswer } from '../answers.js';
import { type OperationParts, operation } from '../operation.js';
import { inPath, jsonBody, optional } from '../request-parts.js';
import { ref, type Schema, text } from '../schema.js';

const ID = '9065786a-6a87-4676-ac7b-0f7422aad5c5';
const SUCCEEDED = {
  id: ID,
  action: 'host-monitor.stop',
  status: 'succeeded',
  result: { running: false, intervalMs: 1000 },
};

/** What a command may fail with that was taken. */
const FAILURES: readonly ErrorCode[] = [
  'bad_request',
  'unknown_action',
  'command_failed',
  'worker_lost',
  'command_timeout',
  'shutting_down',
];

const LOCATION: Schema = {
  description: 'Where its outcome is to be found.',
  required: true,
  schema: { type: 'string', pattern: `^${CONTROL_PATH}/.+$` },
};

const submitted = {
  tag: 'commands',
  access: 'command',
  trailed: true,
  answers: {
    200: jsonAnswer('Done.', ref('CommandSucceeded'), SUCCEEDED),
    202: jsonAnswer(
      'Taken; it takes longer than `CONTROL_WAIT_MS`.',
      ref('CommandQueued'),
      { id: ID, action: 'governor.start', status: 'queued' },
      { Location: LOCATION },
    ),
  },
  refusals: [
    'invalid_action',
    'invalid_data',
    'unknown_action',
    'unknown_command',
    'transport_disabled',
    'idempotency_mismatch',
    'rate_limited',
    'queue_full',
    'queue_unavailable',
    'shutting_down',
  ],
  failures: FAILURES,
} satisfies Partial<OperationParts>;

const KEY = optional(
  'header',
  'Idempotency-Key',
  'Asked again with the same one, the first outcome is given and nothing is run again.',
  ref('IdempotencyKey'),
);

const HOW =
  'Waits for the outcome for up to `CONTROL_WAIT_MS`. A command that fails has the status of its `error.code`, and its state ' +
  'for a body; one that was not taken, the bare error.';

const submit = operation({
  ...submitted,
  id: 'runCommand',
  summary: 'Run a command',
  text: HOW,
  parameters: [KEY],
  body: jsonBody(ref('CommandRequest'), {
    stop: { action: 'host-monitor.stop' },
    interval: { action: 'host-monitor.interval', data: { ms: 500 } },
  }),
});

const submitToTarget = operation({
  ...submitted,
  id: 'runCommandOf',
  summary: 'Run a command of a target',
  text: `The same as the action \`{target}.{action}\`. ${HOW}`,
  parameters: [inPath('target', 'What the action begins with.', text(), 'host-monitor'), KEY],
  body: jsonBody(ref('CommandRequest'), { stop: { action: 'stop' } }),
});

const read = operation({
  id: 'readCommand',
  tag: 'commands',
  summary: 'Ask for the state of a command',
  text: 'For the principal whose command it is, and by the right `status`; for others there is none. Its outcome is there for an hour after it ended. A command that failed is told with 200, too.',
  access: 'known',
  parameters: [inPath('id', "The command's id.", text(), ID)],
  answers: { 200: jsonAnswer('Its state.', ref('CommandState'), SUCCEEDED) },
  refusals: ['unknown_command', 'transport_disabled', 'queue_unavailable'],
});

/** Paths of commands. */
export const commandPaths: Readonly<Record<string, Schema>> = {
  [CONTROL_PATH]: { post: submit },
  '/api/{target}/control': { post: submitToTarget },
  [`${CONTROL_PATH}/{id}`]: { get: read },
};
