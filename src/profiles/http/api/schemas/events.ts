import type { RoomChange } from '../../../../core/delivery/room-changes.js';
import type { RoomPage, RoomState } from '../../../../core/delivery/room-reader.js';
import { type Event, KEY, NAME, type NewEvent, RESERVED_TYPES } from '../../../../core/event.js';
import { MAX_EVENTS } from '../../../../core/publisher.js';
import { anyJson, closed, listOf, open, ref, type Schema, text } from '../schema.js';

/** An event as clients get it. */
type ToldEvent = Pick<Event, 'id' | 'type' | 'room' | 'timestamp'> & {
  readonly key?: string;
  readonly data: unknown;
};

/** An event as publishers send it. */
type SentEvent = Pick<NewEvent, 'type'> & {
  readonly room?: string;
  readonly key?: string;
  readonly data?: unknown;
  readonly timestamp?: number;
};

/** What is told of a room, and as of which cursor. */
interface ToldRoom {
  readonly room: string;
  readonly cursor: string;
  readonly events: readonly ToldEvent[];
}

const timestamp = { type: 'number', description: 'Epoch seconds.' };

/** Schemas of events and of the rooms they go to. */
export const eventSchemas: Readonly<Record<string, Schema>> = {
  Name: { type: 'string', pattern: NAME.source, description: '1–128 of `A-Z a-z 0-9 _ . : -`.' },
  EventType: {
    type: 'string',
    pattern: NAME.source,
    not: { enum: [...RESERVED_TYPES] },
    description: '1–128 of `A-Z a-z 0-9 _ . : -`, and none of the names that Socket.IO keeps for itself.',
  },
  EventKey: {
    type: 'string',
    pattern: KEY.source,
    description: '1–256 printable characters: within (room, type, key) the newest value wins.',
  },
  EventId: {
    type: 'string',
    pattern: '^[0-9]+-[0-9]+$',
    description: 'Given by the log: unique, and ordered within a room.',
  },
  Epoch: {
    type: 'string',
    pattern: '^[A-Za-z0-9_-]{1,32}$',
    description:
      'Names the log: ids and cursors of another epoch can not be compared with those of this one.',
  },
  Cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 74,
    description: '"Everything up to here, in all my rooms." Opaque: keep the newest and bring it along.',
  },
  Event: closed<ToldEvent>(
    'One published fact, as clients get it.',
    {
      id: ref('EventId'),
      type: ref('EventType'),
      room: ref('Name'),
      key: ref('EventKey'),
      data: anyJson,
      timestamp: { ...timestamp, description: 'Epoch seconds, as the publisher gave it, else of ingest.' },
    },
    'key',
  ),
  NewEvent: open<SentEvent>(
    'One fact to publish; other fields are passed over, null is as if left out.',
    {
      type: ref('EventType'),
      room: {
        type: ['string', 'null'],
        pattern: NAME.source,
        description: 'Without one it goes to the rooms of its type, else to `DEFAULT_ROOMS`.',
      },
      key: {
        type: ['string', 'null'],
        pattern: KEY.source,
        description: 'Makes the event `latest`: within (room, type, key) the newest value wins.',
      },
      data: { description: 'Any JSON value, at most `MAX_HTTP_BUFFER_SIZE` bytes as text; null without.' },
      timestamp: { type: ['number', 'null'], description: 'Epoch seconds; without one, the time of ingest.' },
    },
    'room',
    'key',
    'data',
    'timestamp',
  ),
  NewEvents: {
    description: `One event, or up to ${String(MAX_EVENTS)}: all are published, or none.`,
    oneOf: [ref('NewEvent'), { ...listOf(ref('NewEvent')), minItems: 1, maxItems: MAX_EVENTS }],
  },
  PublishedIds: closed<{ readonly ids: readonly string[] }>('The log has them.', {
    ids: { ...listOf(ref('EventId')), minItems: 1, description: 'One for each event, in order.' },
  }),
  RoomState: closed<ToldRoom & Pick<RoomState, 'epoch'>>(
    'The newest value of each (type, key) of a room under policy `latest`.',
    {
      room: ref('Name'),
      epoch: ref('Epoch'),
      cursor: ref('Cursor'),
      events: listOf(ref('Event')),
    },
  ),
  RoomPage: closed<ToldRoom & Pick<RoomPage, 'whole' | 'more'>>(
    'A stretch of what a room was sent, oldest first.',
    {
      room: ref('Name'),
      cursor: ref('Cursor'),
      whole: { type: 'boolean', description: 'False when what followed `after` is gone.' },
      more: {
        type: 'boolean',
        description:
          'True when the room was sent more after these events: read on from `cursor`. A page has at most 1 MiB of events, or one.',
      },
      events: listOf(ref('Event')),
    },
  ),
  RoomChange: open<Partial<RoomChange>>(
    'Rooms to leave and rooms to join, in this order.',
    { join: listOf(ref('Name')), leave: listOf(ref('Name')) },
    'join',
    'leave',
  ),
  Rooms: closed<{ readonly rooms: readonly string[] }>('All rooms that the session has now.', {
    rooms: listOf(ref('Name')),
  }),
  LogFields: open<Record<'type', string> & Partial<Record<'room' | 'key' | 'timestamp' | 'data', string>>>(
    'The fields of an entry of the stream; what is optional may also be empty.',
    {
      type: ref('EventType'),
      room: text('As in an event.'),
      key: text('As in an event.'),
      timestamp: text('Epoch seconds, as a decimal number.'),
      data: text('JSON text; `null` without.'),
    },
    'room',
    'key',
    'timestamp',
    'data',
  ),
};
