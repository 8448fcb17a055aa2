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

/** A value without a key, of what its data names. */
function shaped(n: number, name: string): GatewayEvent {
  return { ...eventOf(n), data: { [name]: n } };
}

function welcome(resumed: boolean, rooms: readonly string[] = ROOMS, epoch?: string): Welcome {
  const known = epoch === undefined ? {} : { epoch };
  return { sessionId: 's', profile: 'SSE', rooms, cursor: null, resumed, heartbeatMs: 1000, ...known };
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
        let again = 0;
        for (const [index, flushes] of [...connections, [{ events: 3, hasCursor: true }]].entries()) {
          next = place.cursor === null ? 0 : Number(place.cursor);
          place.begin(welcome(index > 0 && place.cursor !== null));
          // Who has no cursor yet begins anew, and is given all again; told is of each room what was told last, once more.
          if (place.cursor === null) again += Math.min(highest, ROOMS.length);
          for (const { events, hasCursor } of flushes) {
            const bundle = Array.from({ length: events }, (_, offset) => eventOf(next + offset));
            next += events;
            place.take(bundle, hasCursor ? String(next) : null, OPEN);
          }
          highest = Math.max(highest, next);
        }
        expect([...new Set(got)]).toEqual(Array.from({ length: highest }, (_, n) => n));
        expect(got.length).toBeLessThanOrEqual(highest + again);
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

  it('shows the newest values again when it begins anew or missed something, and none that is older', () => {
    const { place, got } = opened();
    place.begin(welcome(false));
    place.take([eventOf(0, 'x'), eventOf(2, 'x'), eventOf(3), eventOf(5)], '6', OPEN);
    place.begin(welcome(true));
    place.take([eventOf(2, 'x'), eventOf(5)], null, OPEN);
    expect(got).toEqual([0, 2, 3, 5]);
    place.begin(welcome(false));
    place.take([eventOf(0, 'x'), eventOf(3), eventOf(5), eventOf(2, 'x'), eventOf(5)], null, OPEN);
    expect(got.splice(4)).toEqual([5, 2]);
    place.missed({ reason: 'trimmed', dropped: null, cursor: '6' });
    place.take([eventOf(0, 'x'), eventOf(2, 'x'), eventOf(2, 'x')], null, OPEN);
    expect(got.splice(4)).toEqual([2]);
    place.missed({ reason: 'overflow', dropped: 3, cursor: '6' });
    place.take([eventOf(2, 'x'), eventOf(4, 'x')], null, OPEN);
    expect(got.splice(4)).toEqual([4]);
  });

  it('takes older ids once its cursor is unknown, also of the same epoch: a restored log has gone back', () => {
    const { place, got } = opened();
    place.begin(welcome(false, ROOMS, 'one'));
    place.take([eventOf(8, 'x'), eventOf(9)], '9', OPEN);
    place.missed({ reason: 'unknown_cursor', dropped: null, cursor: '', epoch: 'one' });
    place.take([eventOf(2, 'x'), eventOf(3)], null, OPEN);
    expect(got).toEqual([8, 9, 2, 3]);
  });

  it.each([
    ['welcome', (place: StreamPlace, epoch?: string) => place.begin(welcome(false, ROOMS, epoch))],
    [
      'gap',
      (place: StreamPlace, epoch?: string) => {
        place.missed({
          reason: 'trimmed',
          dropped: null,
          cursor: '',
          ...(epoch === undefined ? {} : { epoch }),
        });
      },
    ],
  ])('takes older ids once a %s names another epoch, and only then', (_name, enter) => {
    const { place, got } = opened();
    place.begin(welcome(false, ROOMS, 'one'));
    place.take([eventOf(8, 'x'), eventOf(9)], '9', OPEN);
    for (const epoch of [undefined, 'one']) {
      enter(place, epoch);
      place.take([eventOf(2, 'x'), eventOf(3)], null, OPEN);
      expect(got).toEqual([8, 9]);
    }
    enter(place, 'two');
    place.take([eventOf(2, 'x'), eventOf(3)], null, OPEN);
    expect(got).toEqual([8, 9, 2, 3]);
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
    expect(
      place.show({ events: [eventOf(1), eventOf(3, 'x'), eventOf(7, 'y'), eventOf(9, 'z')], cursor: '9-0' }),
    ).toBe(true);
    expect(got).toEqual([0, 5, 7, 1, 9]);
    // An older value that the stream still brings does not stand over what was shown.
    place.take([eventOf(7, 'z'), eventOf(9, 'z'), eventOf(11, 'z')], null, OPEN);
    expect(got).toEqual([0, 5, 7, 1, 9, 11]);
  });

  it('takes older values of a room that it joined since the cursor: its snapshot may have been lost', () => {
    const { place, got } = opened(['a']);
    place.begin(welcome(false, ['a']));
    place.joining(['b']);
    place.roomsChanged(['a', 'b']);
    place.begin(welcome(true, ['a', 'b']));
    place.take([shaped(9, 'cpu')], null, OPEN);
    place.roomsChanged(['a']);
    place.joining(['b']);
    place.roomsChanged(['a', 'b']);
    place.take([shaped(1, 'disk'), shaped(5, 'cpu'), shaped(9, 'cpu'), shaped(9, 'cpu')], null, OPEN);
    // That one may have taken the place of the newer, which therefore is told once more.
    place.take([shaped(7, 'net'), shaped(9, 'cpu')], null, OPEN);
    expect(got).toEqual([{ cpu: 9 }, { disk: 1 }, { cpu: 9 }, { net: 7 }, { cpu: 9 }]);
  });

  it('does not show the values of a node that is behind the stream, or of another log', () => {
    const { place, got } = opened(['b']);
    place.begin(welcome(true, ['b'], 'one'));
    place.take([shaped(7, 'cpu')], null, OPEN);
    expect(
      place.show({ events: [shaped(1, 'disk'), shaped(3, 'cpu')], cursor: 'one.7-0', epoch: 'one' }),
    ).toBe(false);
    expect(
      place.show({ events: [shaped(1, 'disk'), shaped(7, 'cpu')], cursor: 'one.7-0', epoch: 'two' }),
    ).toBe(false);
    expect(got).toEqual([{ cpu: 7 }]);
    expect(
      place.show({ events: [shaped(1, 'disk'), shaped(7, 'cpu')], cursor: 'one.7-0', epoch: 'one' }),
    ).toBe(true);
    expect(got).toEqual([{ cpu: 7 }, { disk: 1 }]);
    place.take([], 'one.18446744073709551615-9', OPEN);
    const events = [eventOf(5, 'x')];
    expect(place.show({ events, cursor: 'one.18446744073709551615-8', epoch: 'one' })).toBe(false);
    expect(place.show({ events, cursor: 'one.18446744073709551615-10', epoch: 'one' })).toBe(true);
    expect(got.splice(2)).toEqual([5]);
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
