import { MAX_EVENTS } from '../../../../core/publisher.js';
import { SSE_PATH } from '../../profile-document.js';
import { HISTORY_LIMIT } from '../../routes/rooms.js';
import { ETAG, jsonAnswer, NOT_MODIFIED } from '../answers.js';
import { operation } from '../operation.js';
import { CLIENT_LABEL, FROM_LABEL, inPath, jsonBody, optional } from '../request-parts.js';
import { listOf, ref, type Schema, text } from '../schema.js';

const EVENT = {
  id: '1795334945969-0',
  type: 'kb_update',
  room: 'default',
  key: 'host-1',
  data: { facts: 42 },
  timestamp: 1795334945.969,
};
const EPOCH = 'q2aXw0Zf';
const CURSOR = `${EPOCH}.${EVENT.id}`;
/** Clients may keep the answer, and ask each time whether it is still the same. */
const REVALIDATED: Schema = { required: true, schema: { const: 'no-cache' } };
const ROOM = inPath('room', "The room's name.", ref('Name'), 'default');

const publish = operation({
  id: 'publishEvents',
  tag: 'events',
  summary: 'Publish events',
  text: `Publishes one event or a list of up to ${String(MAX_EVENTS)}, all or none. The answer comes once the log has them.`,
  access: 'publish',
  trailed: true,
  body: jsonBody(ref('NewEvents'), {
    one: { type: 'kb_update', key: 'host-1', data: { facts: 42 } },
    several: [
      { type: 'fact_added', room: 'default', data: { fact: 'water is wet' }, timestamp: 1732219200.123 },
      { type: 'fact_added', room: 'default', data: null },
    ],
  }),
  answers: { 202: jsonAnswer('The log has them.', ref('PublishedIds'), { ids: [EVENT.id] }) },
  refusals: [
    'invalid_event',
    'invalid_type',
    'invalid_room',
    'invalid_key',
    'invalid_timestamp',
    'too_many_events',
    'log_unavailable',
    'outcome_unknown',
  ],
});

const stream = operation({
  id: 'followEvents',
  tag: 'events',
  summary: 'Follow events as a stream',
  text:
    'A stream of Server-Sent Events. What is in it is described by `/asyncapi.json`. A node that stops answers 200 with ' +
    '`event: draining` and ends the stream, since an `EventSource` would take a 503 for final.',
  access: 'subscribe',
  parameters: [
    optional(
      'query',
      'rooms',
      'Rooms to be in, separated by commas, or each in a parameter of its own (`rooms=a&rooms=b`); without any, `DEFAULT_ROOMS`.',
      listOf(ref('Name')),
      { style: 'form', explode: false, example: ['default'] },
    ),
    optional('query', 'lastEventId', 'The cursor to go on from.', ref('Cursor')),
    optional('header', 'Last-Event-ID', 'The same; it wins over the parameter.', ref('Cursor')),
    CLIENT_LABEL,
    FROM_LABEL,
  ],
  answers: {
    200: {
      description: 'The stream.',
      headers: {
        'Cache-Control': { required: true, schema: { const: 'no-cache, no-transform' } },
        'X-Accel-Buffering': { required: true, schema: { const: 'no' } },
      },
      content: { 'text/event-stream': { schema: text('Blocks as the WHATWG standard has them.') } },
    },
  },
  refusals: ['invalid_room', 'too_many_rooms', 'bad_request', 'room_full', 'transport_disabled'],
});

const changeRooms = operation({
  id: 'changeRooms',
  tag: 'events',
  summary: 'Change the rooms of a live session',
  text:
    "All of it is done, or nothing. Through any node, and by the session's own client alone; the snapshot of rooms that are " +
    'joined comes with the stream.',
  access: 'subscribe',
  parameters: [inPath('id', 'The `sessionId` of the welcome.', text(), '23078e51a337.f4aac312')],
  body: jsonBody(ref('RoomChange'), { change: { join: ['monitor'], leave: ['default'] } }),
  answers: { 200: jsonAnswer('Changed.', ref('Rooms'), { rooms: ['monitor'] }) },
  refusals: [
    'invalid_room',
    'too_many_rooms',
    'unknown_session',
    'room_full',
    'rate_limited',
    'queue_full',
    'node_unavailable',
    'shutting_down',
  ],
});

const state = operation({
  id: 'readRoomState',
  tag: 'events',
  summary: 'Read the newest values of a room',
  text: 'The snapshot that a newcomer gets, for pages that poll.',
  access: 'subscribe',
  parameters: [ROOM, optional('header', 'If-None-Match', 'An `ETag` of an earlier answer.', text())],
  answers: {
    200: {
      ...jsonAnswer('The newest values.', ref('RoomState'), {
        room: 'default',
        epoch: EPOCH,
        cursor: CURSOR,
        events: [EVENT],
      }),
      headers: { ETag: ETAG, 'Cache-Control': REVALIDATED },
    },
    304: NOT_MODIFIED,
  },
  refusals: ['invalid_room', 'not_ready', 'rate_limited'],
});

const history = operation({
  id: 'readRoomHistory',
  tag: 'events',
  summary: 'Read what a room was sent',
  text: "For healing a gap. From what this process holds in memory. A page has at most 1 MiB of events, or one: where `more` is true, read on from the answer's `cursor`.",
  access: 'subscribe',
  parameters: [
    ROOM,
    optional('query', 'after', 'A cursor; without one, from the oldest event there is.', ref('Cursor')),
    optional('query', 'limit', 'Most events of the answer.', {
      type: 'integer',
      minimum: 1,
      maximum: HISTORY_LIMIT.max,
      default: HISTORY_LIMIT.default,
    }),
    optional('header', 'If-None-Match', 'An `ETag` of an earlier answer.', text()),
  ],
  answers: {
    200: {
      ...jsonAnswer('A stretch of it.', ref('RoomPage'), {
        room: 'default',
        cursor: CURSOR,
        whole: true,
        more: false,
        events: [EVENT],
      }),
      headers: { ETag: ETAG, 'Cache-Control': REVALIDATED },
    },
    304: NOT_MODIFIED,
  },
  refusals: ['invalid_room', 'not_ready', 'rate_limited'],
});

/** Paths of events and of the rooms they go to. */
export const eventPaths: Readonly<Record<string, Schema>> = {
  '/api/events': { post: publish },
  [SSE_PATH]: { get: stream },
  '/api/sessions/{id}/rooms': { post: changeRooms },
  '/api/rooms/{room}/state': { get: state },
  '/api/rooms/{room}/events': { get: history },
};
