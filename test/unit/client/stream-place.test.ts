import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Emitter } from '../../../src/client/emitter.js';
import type { StreamNews } from '../../../src/client/stream-parts.js';
import { StreamPlace } from '../../../src/client/stream-place.js';
import type { GatewayEvent, Welcome } from '../../../src/client/wire.js';

const ROOMS = ['a', 'b'] as const;

function eventOf(n: number, key?: string): GatewayEvent {
  const room = ROOMS[n % 2] ?? 'a';
  const event = { id: `${String(n)}-0`, type: 'counted', room, data: n, timestamp: n };
  return key === undefined ? event : { ...event, key };
}

function welcome(resumed: boolean, rooms: readonly string[] = ROOMS): Welcome {
  return { sessionId: 's', profile: 'SSE', rooms, cursor: null, resumed, heartbeatMs: 1000 };
}

/** A place, and what it told. */
function opened(rooms: readonly string[] = ROOMS, cursor: string | null = null) {
  const news = new Emitter<StreamNews>();
  const got: unknown[] = [];
  news.on('event', ({ data }) => got.push(data));
  return { place: new StreamPlace(rooms, cursor, news), got };
}

const OPEN = new AbortController().signal;

/** What a gateway does with a connection: flushes so many events, the last with a cursor or not; then it is cut. */
const connection = fc.array(fc.record({ events: fc.integer({ min: 0, max: 4 }), hasCursor: fc.boolean() }));

describe('StreamPlace', () => {
  it('tells each event once and in order, wherever its connections are cut', () => {
    fc.assert(
      fc.property(fc.array(connection, { maxLength: 8 }), (connections) => {
        const { place, got } = opened();
        // The first connection begins at 0; each later one where the cursor says.
        let next = 0;
        let highest = 0;
        for (const [index, flushes] of [...connections, [{ events: 3, hasCursor: true }]].entries()) {
          next = place.cursor === null ? 0 : Number(place.cursor);
          place.begin(welcome(index > 0 && place.cursor !== null));
          // Who has no cursor yet begins anew, and is given all again.
          if (place.cursor === null) got.length = highest = 0;
          for (const { events, hasCursor } of flushes) {
            const bundle = Array.from({ length: events }, (_, offset) => eventOf(next + offset));
            next += events;
            place.take(bundle, hasCursor ? String(next) : null, OPEN);
          }
          highest = Math.max(highest, next);
        }
        expect(got).toEqual(Array.from({ length: highest }, (_, n) => n));
      }),
    );
  });

  it('moves its cursor once the events before it were handled, and not when a handler ended the connection', () => {
    const { place } = opened();
    const news = new Emitter<StreamNews>();
    const connection = new AbortController();
    const ended = new StreamPlace(ROOMS, null, news);
    const cursors: (string | null)[] = [];
    news.on('event', ({ data }) => {
      cursors.push(ended.cursor);
      if (data === 3) connection.abort();
    });
    ended.take([eventOf(0), eventOf(1)], '2', connection.signal);
    ended.take([eventOf(2), eventOf(3), eventOf(4)], '5', connection.signal);
    expect(cursors).toEqual([null, null, '2', '2']);
    expect([ended.cursor, place.cursor]).toEqual(['2', null]);
  });

  it('takes what comes after it began anew for new, though it had it', () => {
    const { place, got } = opened();
    place.begin(welcome(false));
    place.take([eventOf(0), eventOf(2)], '2', OPEN);
    place.begin(welcome(true));
    place.take([eventOf(2)], null, OPEN);
    expect(got).toEqual([0, 2]);
    place.begin(welcome(false));
    place.take([eventOf(0), eventOf(2)], null, OPEN);
    expect(got).toEqual([0, 2, 0, 2]);
  });

  it('takes a room that is joined again for new, and no other', () => {
    const { place, got } = opened(['a']);
    place.begin(welcome(false, ['a']));
    place.joining(['a', 'b']);
    place.roomsChanged(['a', 'b']);
    place.take([eventOf(0), eventOf(1)], null, OPEN);
    place.roomsChanged(['a']);
    place.joining(['b']);
    place.roomsChanged(['a', 'b']);
    place.take([eventOf(0), eventOf(1)], null, OPEN);
    expect(got).toEqual([0, 1, 1]);
    expect(place.asked).toEqual(['a', 'b']);
  });

  it('says which rooms its cursor does not speak of, and shows what it lacks of those', () => {
    const { place, got } = opened(['a']);
    place.begin(welcome(false, ['a']));
    place.take([eventOf(0)], '1', OPEN);
    place.joining(['b']);
    place.roomsChanged(['a', 'b']);
    // It may be from before the join.
    place.take([], '2', OPEN);
    expect(place.begin(welcome(true))).toEqual(['b']);
    place.take([eventOf(5, 'x'), eventOf(7, 'y')], null, OPEN);
    // Of the things of which the stream has brought a value, it brings the newest.
    place.show([eventOf(1), eventOf(3, 'x'), eventOf(7, 'y'), eventOf(9, 'z')]);
    expect(got).toEqual([0, 5, 7, 1, 9]);
  });

  it('hears nothing once it has left all rooms', () => {
    const { place, got } = opened([]);
    expect(place.asked).toBeUndefined();
    place.begin(welcome(false, ['default']));
    place.take([eventOf(0)], '1', OPEN);
    place.roomsChanged([]);
    place.take([eventOf(1)], '2', OPEN);
    expect([got, place.asked, place.cursor]).toEqual([[0], [], '2']);
  });
});
