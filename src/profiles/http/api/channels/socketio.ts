import { WEBSOCKET_PATH } from '../../profile-document.js';
import { type ChannelParts, message, receives, repliedWith, sends, serverRefs } from '../channel.js';
import { anyJson, closed, count, listOf, oneOfNames, open, orNull, ref, type Schema } from '../schema.js';
import { EVENTS, GAP, notices, WELCOME } from './notices.js';

const ROOMS = { oneOf: [ref('Name'), listOf(ref('Name'))] };
const NAMED_ROOMS = {
  description: 'Rooms: one, a list, or either under `room` or `rooms`.',
  oneOf: [
    ...ROOMS.oneOf,
    open<{ readonly rooms: unknown }>('Rooms.', { rooms: ROOMS }),
    open<{ readonly room: unknown }>('Rooms.', { room: ROOMS }),
  ],
};
const COMMAND = { action: 'host-monitor.interval', data: { ms: 500 } };
const STATE = {
  id: '9065786a-6a87-4676-ac7b-0f7422aad5c5',
  action: 'host-monitor.interval',
  status: 'succeeded',
  result: { running: true, intervalMs: 500 },
};

/** What a client that asks for bundles is sent. */
const bundleMessages: Readonly<Record<string, Schema>> = {
  welcome: emitted('welcome', 'Comes first.', [ref('Welcome')], [WELCOME]),
  events: emitted(
    'events',
    'A bundle of events, and the cursor; null when that did not move.',
    [listOf(ref('Event')), orNull(ref('Cursor'))],
    [EVENTS, EVENTS[0]?.id],
  ),
  gap: emitted('gap', 'Events were lost to this session.', [ref('Gap')], [GAP]),
  ...Object.fromEntries(
    Object.entries(notices).map(([name, { summary, says, example }]) => [
      name,
      emitted(name, summary, [says], [example]),
    ]),
  ),
  reply: message({
    summary:
      'What the mapping answers an event with that a client emitted: to it alone, under a name of the mapping.',
    payload: args([anyJson]),
    example: [{ running: false }],
  }),
};

/** What a client that knows nothing of flipgate is sent. */
const legacyMessages: Readonly<Record<string, Schema>> = {
  event: message({
    summary:
      'One event: emitted under its `type`, with its `data` alone. So is what the mapping greets a client with, or answers.',
    payload: args([anyJson]),
    example: [{ facts: 42 }],
  }),
};

/** What any client may emit, and what that is acked with. */
const requests: Readonly<Record<string, Schema>> = {
  join: emitted('join', 'Come into rooms; their snapshot follows.', [NAMED_ROOMS], [['default', 'monitor']]),
  leave: emitted('leave', 'Go out of rooms.', [NAMED_ROOMS], ['monitor']),
  control: emitted('control', 'Run a command.', [ref('EmittedCommand')], [COMMAND]),
  action: message({
    summary: 'An event named like an action is that command; its argument is the data.',
    payload: { type: 'array', maxItems: 1 },
    example: [{ ms: 500 }],
  }),
  mapped: message({
    summary:
      'An event that the mapping (`config/hak-gal.json`) names: a command, or a request for the snapshot.',
    payload: { type: 'array', maxItems: 1 },
    example: [{ action: 'start' }],
  }),
  rooms: acked('All rooms that the session has now.', ref('Rooms'), { rooms: ['default', 'monitor'] }),
  state: acked('What became of the command.', ref('CommandState'), STATE),
  snapshot: acked(
    'How many values are on their way, to this client alone.',
    closed<{ readonly events: number }>('A snapshot.', { events: count() }),
    { events: 3 },
  ),
  refused: acked('Why not.', ref('Error'), {
    error: { code: 'unknown_event', message: 'no such event is handled here', retryable: false },
  }),
};

const HOW =
  'Protocol 5 over Engine.IO 4, default namespace, websocket and polling; socket.io-client 2.x over Engine.IO 3 while ' +
  '`ALLOW_EIO3` is on. A payload is the list of arguments after the name of the event, or, of an ack, what the callback is ' +
  'called with; to ask for an ack is optional. Who is refused gets `connect_error`, with the body of the error as its `data`. ' +
  'Until it is admitted, a client may send 16 KiB; the rest of its rooms follow `auth.moreRooms: true` with the first `join`. ' +
  'A token comes as `auth.token`, an API key also as `auth.apiKey` or as `apiKey` in the data of a command, besides the ways of HTTP.';

/** Socket.IO: clients that ask for bundles, and legacy ones. */
export const socketIoChannels: ChannelParts = {
  channels: {
    bundles: channel(
      'Socket.IO, bundles',
      `For \`io(url, {auth: {bundle: true}})\`. ${HOW}`,
      bundleMessages,
      {
        ws: {
          query: {
            type: 'object',
            properties: {
              EIO: { const: '4' },
              transport: oneOfNames(['websocket', 'polling']),
              client: {
                type: 'string',
                description: 'What the client calls itself: the SDK `sdk/<version>`.',
              },
              from: {
                type: 'string',
                description: 'The transport of its last session, where that was another.',
              },
            },
          },
          bindingVersion: '0.1.0',
        },
      },
    ),
    legacy: channel('Socket.IO, legacy', `For \`io(url)\`, in \`DEFAULT_ROOMS\`. ${HOW}`, legacyMessages, {}),
  },
  operations: {
    sendBundles: sends('bundles', Object.keys(bundleMessages), 'What clients that ask for bundles are sent.'),
    sendLegacyEvents: sends('legacy', Object.keys(legacyMessages), 'What legacy clients are sent.'),
    ...takenFrom('bundles', 'Bundle'),
    ...takenFrom('legacy', 'Legacy'),
  },
};

function channel(
  title: string,
  description: string,
  messages: Readonly<Record<string, Schema>>,
  bindings: Schema,
): Schema {
  return {
    address: `${WEBSOCKET_PATH}/`,
    title,
    description,
    servers: serverRefs('websocket'),
    messages: { ...messages, ...requests },
    bindings,
  };
}

function takenFrom(channel: string, kind: string): Readonly<Record<string, Schema>> {
  const rooms = repliedWith(channel, 'rooms', 'refused');
  const state = repliedWith(channel, 'state', 'refused');
  return {
    [`take${kind}Join`]: receives(channel, ['join'], 'A client joins rooms.', rooms),
    [`take${kind}Leave`]: receives(channel, ['leave'], 'A client leaves rooms.', rooms),
    [`take${kind}Control`]: receives(channel, ['control', 'action'], 'A client has a command run.', state),
    [`take${kind}Mapped`]: receives(
      channel,
      ['mapped'],
      'A client emits what the mapping knows.',
      repliedWith(channel, 'state', 'snapshot', 'refused'),
    ),
  };
}

function emitted(name: string, summary: string, says: readonly Schema[], example: unknown): Schema {
  return message({ name, summary, payload: args(says), example });
}

function acked(summary: string, payload: Schema, example: unknown): Schema {
  return message({ summary: `An ack: ${summary}`, payload, example });
}

function args(items: readonly Schema[]): Schema {
  return { type: 'array', items, minItems: items.length, additionalItems: false };
}
