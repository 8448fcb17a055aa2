import { WEBSOCKET_PATH } from '../../profile-document.js';
import { type OperationParts, operation } from '../operation.js';
import { CLIENT_LABEL, inPath, optional } from '../request-parts.js';
import { closed, oneOfNames, type Schema, text } from '../schema.js';

/** How Engine.IO says no. Source: https://socket.io/docs/v4/engine-io-protocol/ */
const ENGINE_REFUSAL: Schema = closed<{ readonly code: number; readonly message: string }>(
  'An error in the shape of Engine.IO.',
  { code: { type: 'integer' }, message: text() },
);

const parts = {
  tag: 'events',
  access: 'connected',
  parameters: [
    optional(
      'query',
      'EIO',
      'The revision of Engine.IO; 3 while `ALLOW_EIO3` is on.',
      { enum: ['4', '3'] },
      { required: true, example: '4' },
    ),
    optional('query', 'transport', 'How packets travel.', oneOfNames(['polling', 'websocket']), {
      required: true,
      example: 'polling',
    }),
    optional('query', 'sid', 'The session of Engine.IO; none for a handshake.', text()),
    CLIENT_LABEL,
  ],
  refusals: ['unknown_session', 'transport_disabled', 'shutting_down'],
} satisfies Partial<OperationParts>;

const packets = (description: string): Schema => ({
  description,
  content: { 'text/plain': { schema: text('Packets of Engine.IO.') } },
});
const refused: Schema = {
  description: 'Engine.IO does not understand the request.',
  content: { 'application/json': { schema: ENGINE_REFUSAL } },
};

const open = operation({
  ...parts,
  id: 'openSocket',
  summary: 'Connect by Socket.IO',
  text:
    'For clients of Socket.IO, which speak Engine.IO here: a handshake, a poll, or the upgrade to a websocket. What they ' +
    'send and get is described by `/asyncapi.json`.',
  answers: {
    101: { description: 'The connection is a websocket now.' },
    200: packets('The handshake, or packets that were waiting.'),
    400: refused,
  },
});

const send = operation({
  ...parts,
  id: 'sendPackets',
  summary: 'Send packets by Socket.IO',
  text: 'Of a client that polls.',
  answers: {
    200: { description: 'Taken.', content: { 'text/html': { schema: { const: 'ok' } } } },
    400: refused,
    413: { description: 'More than `MAX_HTTP_BUFFER_SIZE` bytes.' },
  },
});

const script = operation({
  id: 'readSocketIoClient',
  tag: 'pages',
  summary: 'The stock client of Socket.IO',
  text: 'Where pages look for it.',
  access: 'public',
  parameters: [inPath('file', "The file's name.", text(), 'socket.io.js')],
  answers: {
    200: {
      description: 'The file.',
      headers: { 'Cache-Control': { required: true, schema: { const: 'public, max-age=3600' } } },
      content: {
        'text/javascript': { schema: { type: 'string' } },
        'application/json': { schema: { type: 'string' } },
      },
    },
  },
  refusals: ['transport_disabled'],
});

/** Paths of Socket.IO. */
export const socketIoPaths: Readonly<Record<string, Schema>> = {
  [`${WEBSOCKET_PATH}/`]: { get: open, post: send },
  [`${WEBSOCKET_PATH}/{file}`]: { get: script },
};
