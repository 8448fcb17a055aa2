import { SSE_PATH } from '../../profile-document.js';
import { type ChannelParts, type MessageParts, message, sends, serverRefs } from '../channel.js';
import { listOf, ref, type Schema } from '../schema.js';
import { EVENTS, GAP, notices, WELCOME } from './notices.js';

const CHANNEL = 'stream';

const messages: Readonly<Record<string, Schema>> = {
  welcome: named('welcome', { summary: 'Comes first.', payload: ref('Welcome'), example: WELCOME }),
  events: message({
    summary: 'A bundle of events. The `id` comes with the last block of a flush; the list may be empty then.',
    headers: fields({ id: ref('Cursor') }),
    payload: listOf(ref('Event')),
    example: EVENTS,
    exampleHeaders: { id: EVENTS[0]?.id },
  }),
  gap: named('gap', { summary: 'Events were lost to this session.', payload: ref('Gap'), example: GAP }),
  ...Object.fromEntries(
    Object.entries(notices).map(([name, { says, ...told }]) => [
      name,
      named(name, { ...told, payload: says }),
    ]),
  ),
};

/** Server-Sent Events: a message's headers are the fields of its block, its payload is the `data`. */
export const streamChannel: ChannelParts = {
  channels: {
    [CHANNEL]: {
      address: SSE_PATH,
      title: 'Server-Sent Events',
      description:
        'Framed per the WHATWG standard. First `welcome`, with `retry:`; to a newcomer the snapshot, else what followed its ' +
        'cursor. A comment `: ping` comes after `PING_INTERVAL` s of silence, with an `id:` when the cursor moved. ' +
        'The stream ends without a last chunk. A block has at most 60 KiB unless a single event is larger.',
      servers: serverRefs('http'),
      messages,
    },
  },
  operations: {
    sendToStreams: sends(CHANNEL, Object.keys(messages), 'What a stream is sent.', {
      bindings: {
        http: {
          method: 'GET',
          query: {
            type: 'object',
            properties: {
              rooms: { type: 'string', description: 'Names of rooms, separated by commas.' },
              lastEventId: ref('Cursor'),
              client: {
                type: 'string',
                description: 'What the client calls itself: the SDK `sdk/<version>`.',
              },
            },
          },
          bindingVersion: '0.3.0',
        },
      },
    }),
  },
};

function named(name: string, parts: MessageParts): Schema {
  return message({
    ...parts,
    name,
    headers: fields({ event: { const: name } }, 'event'),
    exampleHeaders: { event: name },
  });
}

function fields(properties: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}
