import type { RoomPage } from '../../../../src/core/delivery/room-reader.js';
import { describe, expect, test } from '@jest/globals';
import type { Slice, Wire } from '../../../../src/core/delivery/slice.js';
import type { Session } from '../../../../src/core/delivery/session.js';
import { Refusal } from '../../../../src/core/errors.js';
import type { Logger } from '../../../../src/core/logger.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { HeldLog } from '../../../support/held-log.js';
import { newEvent, numbered } from '../../../support/new-event.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { freeCaller } from '../../../support/caller.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
const keyed = (key: string, value: number, room = 'a') => newEvent({ room, key, dataJson: String(value) });

/** An answer that is no refusal. */
function told<Answer>(answer: Answer | Refusal): Answer {
  if (answer instanceof Refusal) throw new Error(answer.code);
  return answer;
}

const data = (events: readonly { readonly dataJson: string }[]) =>
  events.map(({ dataJson }) => Number(dataJson));
const fail = (): never => {
  throw new Error('broken');
};

/** A rig whose log has begun and is not ready. */
function starting(): DeliveryRig {
  const rig = new DeliveryRig({ log: new HeldLog() });
  rig.log.start(rig.delivery.tail);
  return rig;
}

describe('a session that starts anew', () => {
  test('is accepted, welcomed and given where it stands, before anything else', () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open(['a', 'b']);
    expect(outlet.calls).toEqual(['accept', 'welcome', 'deliver']);
    expect(outlet.welcomes).toEqual([
      {
        sessionId: session.id,
        profile: 'SSE',
        epoch: 'held',
        rooms: ['a', 'b'],
        cursor: null,
        resumed: false,
        heartbeatMs: 10_000,
      },
    ]);
    expect(outlet.writes).toEqual([{ slices: [], events: [], cursor: 'held.0-0' }]);
    expect(rig.delivery.session(session.id)).toBe(session);
  });

  test('gets the newest values of its rooms, and its cursor with the last of them', async () => {
    const rig = DeliveryRig.ready();
    await rig.publish([
      keyed('k', 1),
      keyed('l', 2),
      keyed('k', 3),
      ...numbered(4, 6),
      keyed('m', 7, 'b'),
      keyed('n', 8, 'c'),
    ]);
    const { outlet } = rig.open(['a', 'b']);
    await rig.clock.turn(0);
    expect(outlet.data).toEqual([2, 3, 7]);
    expect(outlet.writes.map(({ cursor }) => cursor)).toEqual([null, 'held.7-0']);
  });

  test('gets the default rooms when it names none', () => {
    const rig = DeliveryRig.ready({ defaultRooms: ['x', 'y'] });
    const session = rig.request({ rooms: undefined }) as Session;
    expect([...session.rooms.keys()]).toEqual(['x', 'y']);
  });

  test('opened before the log is ready, is served when it is', async () => {
    const rig = starting();
    rig.log.store([keyed('k', 1), ...numbered(2, 4)]);
    const { outlet } = rig.open();
    rig.log.tell();
    await rig.clock.turn(1000);
    expect(outlet.calls).toEqual(['accept']);
    rig.log.enter('ready');
    await rig.clock.turn(1000);
    await rig.publish(numbered(4, 5));
    expect(outlet.calls.slice(0, 2)).toEqual(['accept', 'welcome']);
    expect(outlet.data).toEqual([1, 4]);
  });

  test('is served while the log is away, from what is held', async () => {
    const rig = DeliveryRig.ready();
    await rig.publish([keyed('k', 1)]);
    rig.log.enter('unavailable');
    const { outlet } = rig.open();
    await rig.clock.turn(0);
    expect(outlet.data).toEqual([1]);
  });
});

describe('flow', () => {
  test('events of all rooms of a session leave in one write, in order within each room', async () => {
    const rig = DeliveryRig.ready();
    const { outlet } = rig.open(['a', 'b']);
    const events = range(0, 20).map((n) => newEvent({ room: n % 2 === 0 ? 'a' : 'b', dataJson: String(n) }));
    await rig.publish(events);
    expect(outlet.writes).toHaveLength(2);
    const of = (room: string) =>
      outlet.events.filter((event) => event.room === room).map(({ dataJson }) => Number(dataJson));
    expect([of('a'), of('b')]).toEqual([range(0, 10).map((n) => n * 2), range(0, 10).map((n) => n * 2 + 1)]);
    expect(outlet.cursor).toBe('held.20-0');
  });

  test('what its window gathers is coalesced: the newest of each key, every append event', async () => {
    const rig = DeliveryRig.ready();
    const { outlet } = rig.open();
    await rig.publish(numbered(0, 1));
    await rig.publish([keyed('k', 1), ...numbered(2, 3), keyed('k', 3), ...numbered(4, 5)]);
    expect(outlet.data).toEqual([0, 2, 3, 4]);
  });

  test('under flow each client gets at most one write a window, and the trailing value', async () => {
    const rig = DeliveryRig.ready();
    const { outlet } = rig.open();
    for (const n of range(0, 100)) {
      await rig.log.append([keyed('k', n)]);
      await rig.clock.turn(10);
    }
    await rig.clock.turn(250);
    expect(outlet.data.at(-1)).toBe(99);
    expect(outlet.writes.length).toBeGreaterThan(15);
    expect(outlet.writes.length).toBeLessThanOrEqual(22);
  });

  test('a session gets only its rooms', async () => {
    const rig = DeliveryRig.ready();
    const [one, two] = [rig.open(['a']), rig.open(['b'])];
    await rig.publish([...numbered(0, 2, 'a'), ...numbered(2, 4, 'b'), ...numbered(4, 6, 'c')]);
    expect([one.outlet.data, two.outlet.data]).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('encodes each slice once for each wire, however many sessions get it', async () => {
    const rig = DeliveryRig.ready();
    const encoded = new Map<string, Slice[]>();
    const wire = (name: string): Wire<string> => ({
      name,
      encode: (slice) => {
        encoded.set(name, [...(encoded.get(name) ?? []), slice]);
        return slice.json;
      },
    });
    const wires = [wire('sse'), wire('socket.io')];
    const clients = range(0, 200).map((n) => {
      // Different standing: some have quiet rooms of their own besides.
      const client = rig.open(['a', `own-${String(n % 7)}`]);
      client.outlet.onWrite = ({ slices }) =>
        slices.forEach((slice) => slice.frame(wires[n % 2] as Wire<string>));
      return client;
    });
    await rig.publish(numbered(0, 5));
    await rig.publish(numbered(5, 9));
    for (const { outlet } of clients) expect(outlet.data).toEqual(range(0, 9));
    expect([...encoded].map(([name, slices]) => [name, slices.length])).toEqual([
      ['sse', 2],
      ['socket.io', 2],
    ]);
    expect(encoded.get('sse')).toEqual(encoded.get('socket.io'));
  });

  test('yields the loop between stretches of a large fan-out', async () => {
    const clock = new TurnedClock();
    let heldMs = 0;
    const elapsed = clock.elapsed.bind(clock);
    clock.elapsed = () => elapsed() + heldMs;
    const rig = new DeliveryRig({ log: new HeldLog(), clock }, { maxRoomSize: 10 });
    rig.log.start(rig.delivery.tail);
    rig.log.enter('ready');
    let inOneGo = 0;
    let longest = 0;
    const clients = range(0, 100).map(() => rig.open());
    for (const { outlet } of clients) {
      outlet.onWrite = () => {
        heldMs += 1;
        inOneGo += 1;
        longest = Math.max(longest, inOneGo);
      };
    }
    const other = (): void => {
      inOneGo = 0;
      clock.soon(other);
    };
    clock.soon(other);
    await rig.log.append(numbered(0, 1));
    for (const _ of range(0, 50)) {
      clock.flushSoon();
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { outlet } of clients) expect(outlet.data).toEqual([0]);
    expect(longest).toBe(10);
    // The flush that took 100 ms widens the window: 0.3 × 100 ms × 2.5.
    expect(Math.round(rig.delivery.status().windowMs)).toBe(75);
  });

  test('a room that grows, and one that shrinks, while it is served', async () => {
    const rig = DeliveryRig.ready();
    const clients = range(0, 5).map(() => rig.open());
    let late: ReturnType<DeliveryRig['open']> | undefined;
    (clients[1] as (typeof clients)[0]).outlet.onWrite = () => {
      rig.delivery.close((clients[2] as (typeof clients)[0]).session);
      late ??= rig.open();
    };
    await rig.publish(numbered(0, 1));
    await rig.publish(numbered(1, 2));
    expect(clients.map(({ outlet }) => outlet.data)).toEqual([[0, 1], [0, 1], [], [0, 1], [0, 1]]);
    expect(late?.outlet.data).toEqual([1]);
  });
});

describe('falling behind', () => {
  test('a connection that is not writable is written nothing, and caught up when it drains', async () => {
    const rig = DeliveryRig.ready();
    const [slow, quick] = [rig.open(), rig.open()];
    slow.outlet.writable = false;
    for (const n of range(0, 10)) await rig.publish([...numbered(n, n + 1), keyed('k', n)]);
    expect(slow.outlet.data).toEqual([]);
    expect(quick.outlet.writes).toHaveLength(11);
    await rig.drain(slow);
    // One write: what was superseded meanwhile is gone, every append event is there.
    expect(slow.outlet.writes).toHaveLength(2);
    expect(
      slow.outlet.events.filter(({ key }) => key === undefined).map(({ dataJson }) => Number(dataJson)),
    ).toEqual(range(0, 10));
    expect(slow.outlet.events.filter(({ key }) => key === 'k').map(({ dataJson }) => dataJson)).toEqual([
      '9',
    ]);
    expect(slow.outlet.cursor).toBe(quick.outlet.cursor);
  });

  test('sessions that fell behind together share what they are caught up with', async () => {
    const rig = DeliveryRig.ready();
    const clients = range(0, 10).map(() => rig.open());
    for (const { outlet } of clients) outlet.writable = false;
    for (const n of range(0, 5)) await rig.publish(numbered(n, n + 1));
    for (const { outlet, session } of clients) {
      outlet.writable = true;
      rig.delivery.wake(session);
    }
    await rig.clock.turn(0);
    expect(new Set(clients.map(({ outlet }) => outlet.writes.at(-1)?.slices[0])).size).toBe(1);
  });

  test('is asked before each write of a long way, and goes on from where it stopped', async () => {
    const rig = DeliveryRig.ready();
    const slow = rig.open();
    slow.outlet.writable = false;
    slow.outlet.onWrite = () => {
      slow.outlet.writable = false;
    };
    await rig.publish(numbered(0, 2500));
    for (const expected of [1000, 2000, 2500]) {
      await rig.drain(slow);
      expect(slow.outlet.data).toEqual(range(0, expected));
      expect(slow.outlet.cursor).toBe(`held.${String(expected)}-0`);
    }
  });

  test('a write of several rooms is of a size too, and no room runs ahead of its cursor', async () => {
    const rig = DeliveryRig.ready();
    const slow = rig.open(['a', 'b', 'c']);
    slow.outlet.writable = false;
    const big = `"${'x'.repeat(50_000)}"`;
    await rig.publish(range(0, 30).map((n) => newEvent({ room: 'abc'.charAt(n % 3), dataJson: big })));
    await rig.drain(slow);
    expect(slow.outlet.events).toHaveLength(30);
    for (const { events } of slow.outlet.writes) expect(events.length).toBeLessThanOrEqual(5);
    let seen = 0;
    for (const { events, cursor } of slow.outlet.writes) {
      seen += events.length;
      expect(cursor).toBe(`held.${String(seen)}-0`);
    }
  });

  test('is closed as slow_consumer when it took nothing for longer than the backlog', async () => {
    const rig = DeliveryRig.ready({ maxBacklogMs: 10_000 });
    const slow = rig.open();
    slow.outlet.writable = false;
    await rig.publish(numbered(0, 1));
    await rig.clock.turn(9000);
    expect(slow.outlet.ended).toBeUndefined();
    await rig.clock.turn(3000);
    expect(slow.outlet.ended).toBe('slow_consumer');
    expect(rig.counters.get('sessions_ended', 'slow_consumer')).toBe(1);
    expect([slow.session.state, rig.delivery.status().sessions.sse]).toEqual(['closed', 0]);
    // It may come back.
    const back = rig.open(['a'], slow.outlet.cursor);
    await rig.clock.turn(0);
    expect(back.outlet.data).toEqual([0]);
  });

  test('so it is when nothing new awaits it, and it does not even take what it was sent', async () => {
    const rig = DeliveryRig.ready({ maxBacklogMs: 10_000 });
    const slow = rig.open();
    slow.outlet.writable = false;
    await rig.clock.turn(9000);
    expect(slow.outlet.ended).toBeUndefined();
    await rig.clock.turn(4000);
    expect(slow.outlet.ended).toBe('slow_consumer');
  });

  test('one that takes something now and then is not closed', async () => {
    const rig = DeliveryRig.ready({ maxBacklogMs: 10_000 });
    const slow = rig.open();
    for (const n of range(0, 10)) {
      slow.outlet.writable = false;
      await rig.publish(numbered(n, n + 1));
      await rig.clock.turn(8000);
      await rig.drain(slow);
    }
    expect(slow.outlet.ended).toBeUndefined();
    expect(slow.outlet.data).toEqual(range(0, 10));
  });

  test('one that left the room it was behind in is behind no more', async () => {
    const rig = DeliveryRig.ready({ maxBacklogMs: 10_000 });
    const slow = rig.open(['a', 'b']);
    slow.outlet.writable = false;
    await rig.publish(numbered(0, 1));
    rig.delivery.leave(slow.session, ['a']);
    await rig.clock.turn(2000);
    await rig.drain(slow);
    await rig.clock.turn(60_000);
    expect(slow.outlet.ended).toBeUndefined();
  });
});

describe('gaps', () => {
  test('what was trimmed before a slow client took it is a gap, and the newest values follow', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    const slow = rig.open();
    await rig.publish([keyed('k', 1)]);
    slow.outlet.writable = false;
    await rig.publish([...numbered(2, 30), keyed('l', 30), ...numbered(31, 45)]);
    await rig.drain(slow);
    await rig.publish(numbered(45, 46));
    expect(slow.outlet.calls.slice(-3)).toEqual(['gap', 'deliver', 'deliver']);
    expect(slow.outlet.gaps).toEqual([
      { reason: 'trimmed', dropped: null, epoch: 'held', cursor: 'held.44-0' },
    ]);
    expect(slow.outlet.data).toEqual([1, 1, 30, 45]);
    expect(rig.counters.get('gaps', 'trimmed')).toBe(1);
  });

  test('what others were sent is no gap to a session of quiet rooms', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    const quiet = rig.open(['quiet', 'silent']);
    await rig.publish(numbered(0, 3, 'quiet'));
    for (const n of range(0, 20)) {
      await rig.publish(numbered(n * 30, n * 30 + 30, 'loud'));
      await rig.clock.turn(400);
    }
    await rig.publish(numbered(3, 5, 'quiet'));
    expect([quiet.outlet.data, quiet.outlet.gaps]).toEqual([range(0, 5), []]);
  });

  test('a quiet session that reconnects after much traffic of others has no gap either', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    const quiet = rig.open(['quiet']);
    await rig.publish(numbered(0, 100, 'loud'));
    await rig.clock.turn(1500);
    const cursor = rig.delivery.cursorOf(quiet.session);
    rig.delivery.close(quiet.session);
    const back = rig.open(['quiet'], cursor);
    await rig.publish(numbered(0, 2, 'quiet'));
    expect([back.outlet.data, back.outlet.gaps]).toEqual([[0, 1], []]);
  });

  test('no cursor is given out before a gap that covers it was announced', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    const slow = rig.open();
    await rig.publish([keyed('k', 1)]);
    slow.outlet.writable = false;
    await rig.publish(numbered(2, 5));
    // Two writes await it besides: the snapshots of the rooms it joined.
    await rig.publish([keyed('k', 5, 'b'), keyed('k', 6, 'c')]);
    rig.delivery.join(slow.session, ['b', 'c']);
    await rig.publish(numbered(7, 100));
    slow.outlet.onWrite = () => {
      slow.outlet.writable = false;
    };
    const before = slow.outlet.writes.length;
    expect(rig.delivery.cursorOf(slow.session)).toBeNull();
    for (let drains = 0; drains < 6; drains += 1) {
      await rig.drain(slow);
      const given = slow.outlet.writes.slice(before).some(({ cursor }) => cursor !== null);
      if (given) expect(slow.outlet.gaps).toHaveLength(1);
    }
    expect(slow.outlet.gaps).toHaveLength(1);
    expect(slow.outlet.cursor).toBe('held.99-0');
  });

  test('a session that is due a gap is told no cursor by a ping', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    const slow = rig.open();
    slow.outlet.writable = false;
    await rig.publish(numbered(0, 100));
    expect(rig.delivery.cursorOf(slow.session)).toBeNull();
  });

  test('a log that was replaced is a gap to all, of the new epoch, and nothing of the old one is shown', async () => {
    const rig = DeliveryRig.ready();
    const [one, quiet] = [rig.open(['a']), rig.open(['b'])];
    await rig.publish([keyed('k', 1)]);
    rig.log.epoch = 'new';
    rig.log.break('0-0');
    await rig.clock.turn(250);
    for (const { outlet } of [one, quiet]) {
      expect(outlet.gaps).toEqual([
        { reason: 'unknown_cursor', dropped: null, epoch: 'new', cursor: 'new.0-0' },
      ]);
    }
    const newcomer = rig.open(['a']);
    expect(newcomer.outlet.welcomes[0]).toMatchObject({ epoch: 'new', resumed: false });
    expect([newcomer.outlet.data, told(rig.delivery.rooms.state('a')).events]).toEqual([[], []]);
    rig.log.break('70-0');
    await rig.clock.turn(250);
    expect(quiet.outlet.gaps.at(-1)).toMatchObject({ reason: 'trimmed', cursor: 'new.70-0' });
  });

  test('a log that was replaced is a gap to a client without a room, before it comes back to one', async () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open(['a']);
    await rig.publish([keyed('k', 1)]);
    rig.delivery.leave(session, ['a']);
    rig.log.epoch = 'new';
    rig.log.break('0-0');
    await rig.clock.turn(2000);
    const gap = { reason: 'unknown_cursor', dropped: null, epoch: 'new', cursor: 'new.0-0' };
    expect(outlet.gaps).toEqual([gap]);
    rig.delivery.join(session, ['a']);
    await rig.publish([keyed('k', 2)]);
    expect([outlet.data, outlet.gaps]).toEqual([[1, 2], [gap]]);
  });

  test('so it is to one that has other rooms by the time it is told', async () => {
    const rig = DeliveryRig.ready();
    const clients = [rig.open(['a']), rig.open(['a'])] as const;
    await rig.publish([keyed('k', 1)]);
    rig.log.epoch = 'new';
    rig.log.break('0-0');
    for (const { session } of clients) rig.delivery.leave(session, ['a']);
    expect(rig.delivery.cursorOf(clients[0].session)).toBeNull();
    rig.delivery.join(clients[1].session, ['b']);
    await rig.clock.turn(250);
    for (const { outlet } of clients) {
      expect(outlet.gaps).toMatchObject([{ reason: 'unknown_cursor', epoch: 'new' }]);
    }
  });

  test('a log that broke is a gap to all, also to those whose rooms stay quiet', async () => {
    const rig = DeliveryRig.ready();
    const clients = [rig.open(['a']), rig.open(['quiet']), rig.open(['left'])];
    rig.delivery.leave(clients[2]?.session as Session, ['left']);
    await rig.publish([...numbered(0, 3), keyed('k', 3)]);
    rig.log.break('1000-0');
    await rig.clock.turn(2000);
    expect(clients.map(({ outlet }) => outlet.gaps.length)).toEqual([1, 1, 0]);
    expect(clients[0]?.outlet.data).toEqual([0, 1, 2, 3, 3]);
    expect(clients[1]?.outlet.cursor).toBe('held.1000-0');
    await rig.publish(numbered(4, 5));
    expect(clients[0]?.outlet.data).toEqual([0, 1, 2, 3, 3, 4]);
  });
});

describe('resuming', () => {
  test('goes on after the cursor: nothing missed, nothing doubled, told as resumed', async () => {
    const rig = DeliveryRig.ready();
    const first = rig.open(['a', 'b']);
    await rig.publish(numbered(0, 3));
    rig.delivery.close(first.session);
    await rig.publish([
      ...numbered(3, 5),
      keyed('k', 5),
      keyed('k', 6),
      ...numbered(7, 8, 'b'),
      ...numbered(8, 9, 'c'),
    ]);
    const { outlet } = rig.open(['a', 'b'], first.outlet.cursor);
    await rig.clock.turn(0);
    expect(outlet.calls).toEqual(['accept', 'welcome', 'deliver']);
    expect(outlet.welcomes[0]).toMatchObject({ resumed: true, cursor: 'held.3-0' });
    expect(outlet.data).toEqual([3, 4, 6, 7]);
    expect(outlet.cursor).toBe('held.9-0');
  });

  test('a client that names its other rooms with its first join goes on after the cursor in all of them', async () => {
    const rig = DeliveryRig.ready();
    const first = rig.open(['a', 'b']);
    await rig.publish(numbered(0, 3));
    rig.delivery.close(first.session);
    await rig.publish([...numbered(3, 5), ...numbered(5, 7, 'b')]);
    const outlet = new RecordingOutlet();
    const session = rig.request({ rooms: ['a'], cursor: first.outlet.cursor, isPartial: true, outlet });
    if (session instanceof Refusal) throw new Error(session.code);
    await rig.publish(numbered(7, 8, 'b'));
    expect(outlet.calls).toEqual(['accept']);
    expect(rig.delivery.join(session, ['b'])).toEqual(['a', 'b']);
    await rig.clock.turn(0);
    expect(outlet.welcomes[0]).toMatchObject({ resumed: true, cursor: 'held.3-0', rooms: ['a', 'b'] });
    expect(outlet.data).toEqual([3, 4, 5, 6, 7]);
    expect(outlet.cursor).toBe('held.8-0');
  });

  test('a client that never names its other rooms is let go', async () => {
    const rig = DeliveryRig.ready();
    const outlet = new RecordingOutlet();
    rig.request({ isPartial: true, outlet });
    await rig.clock.turn(9000);
    expect(outlet.ended).toBeUndefined();
    await rig.clock.turn(1000);
    expect([outlet.calls, outlet.ended]).toEqual([['accept', 'end'], 'request_timeout']);
  });

  test.each(['', 'nonsense', '12', '2-0', 'other.2-0', 'held.99999999999999999999-0'])(
    'the cursor "%s" is none: a gap, then the newest values',
    async (cursor) => {
      const rig = DeliveryRig.ready();
      await rig.publish([keyed('k', 1)]);
      rig.log.readAfter = () => Promise.resolve({ entries: [], loss: 'unknown_cursor' });
      const { outlet } = rig.open(['a'], cursor);
      await rig.clock.turn(0);
      expect(outlet.calls).toEqual(['accept', 'welcome', 'gap', 'deliver']);
      expect(outlet.welcomes[0]).toMatchObject({ resumed: false, cursor: null });
      expect(outlet.data).toEqual([1]);
    },
  );

  test('a cursor of a trimmed place: a gap, then the newest values, then what comes', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    await rig.publish([keyed('k', 0), ...numbered(1, 100)]);
    rig.log.trim(50);
    const { outlet } = rig.open(['a'], 'held.20-0');
    await rig.clock.turn(0);
    await rig.publish(numbered(100, 101));
    expect(outlet.gaps).toEqual([{ reason: 'trimmed', dropped: null, epoch: 'held', cursor: 'held.100-0' }]);
    expect(outlet.data).toEqual([0, 100]);
  });

  test('a cursor of an epoch that this node has not noticed yet waits for it, without a gap', async () => {
    const rig = DeliveryRig.ready();
    await rig.publish([keyed('k', 1)]);
    const { readAfter } = rig.log;
    // Another node has served the new log already.
    rig.log.readAfter = () => Promise.resolve({ entries: [], loss: null });
    const { outlet } = rig.open(['a'], 'new.0-0');
    await rig.clock.turn(2000);
    expect(outlet.calls).toEqual(['accept']);
    rig.log.readAfter = readAfter;
    rig.log.epoch = 'new';
    rig.log.break('0-0');
    await rig.publish([keyed('k', 2)]);
    expect(outlet.welcomes).toMatchObject([{ resumed: true, epoch: 'new', cursor: 'new.0-0' }]);
    expect([outlet.data, outlet.gaps]).toEqual([[2], []]);
  });

  test('meanwhile, a room that is joined and left again shows nothing of the log that is gone', async () => {
    const rig = DeliveryRig.ready();
    await rig.publish([keyed('k', 1, 'b')]);
    const { readAfter } = rig.log;
    rig.log.readAfter = () => Promise.resolve({ entries: [], loss: null });
    const { session, outlet } = rig.open(['a'], 'new.0-0');
    await rig.clock.turn(250);
    rig.delivery.join(session, ['b']);
    rig.delivery.leave(session, ['b']);
    rig.log.readAfter = readAfter;
    rig.log.epoch = 'new';
    rig.log.break('0-0');
    await rig.publish([keyed('k', 2)]);
    expect(outlet.welcomes).toMatchObject([{ resumed: true, epoch: 'new' }]);
    expect([outlet.data, outlet.gaps]).toEqual([[2], []]);
  });

  test('a cursor ahead of this node waits for it, without a gap', async () => {
    const rig = DeliveryRig.ready();
    await rig.publish(numbered(0, 3));
    // Another node appended, and gave its client the cursor, before this node read it.
    const ids = rig.log.store(numbered(3, 6));
    const { outlet } = rig.open(['a'], `held.${String(ids[2])}`);
    await rig.clock.turn(5000);
    expect(outlet.calls).toEqual(['accept']);
    rig.log.tell(1);
    await rig.clock.turn(250);
    expect(outlet.calls).toEqual(['accept']);
    rig.log.tell();
    await rig.clock.turn(250);
    await rig.publish(numbered(6, 8));
    expect([outlet.calls[1], outlet.welcomes[0]?.resumed, outlet.gaps]).toEqual(['welcome', true, []]);
    expect(outlet.data).toEqual([6, 7]);
  });

  test('a cursor ahead of this node, with more in the log, is served from the log', async () => {
    const rig = DeliveryRig.ready();
    const ids = rig.log.store(numbered(0, 10));
    const { outlet } = rig.open(['a'], `held.${String(ids[4])}`);
    await rig.clock.turn(0);
    expect([outlet.data, outlet.cursor]).toEqual([range(5, 10), 'held.10-0']);
    rig.log.tell();
    await rig.publish(numbered(10, 12));
    expect([outlet.data, outlet.gaps]).toEqual([range(5, 12), []]);
  });

  test('while the log is away it waits; when the log is back it goes on', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    await rig.publish(numbered(0, 30));
    rig.log.reachable = false;
    rig.log.enter('unavailable');
    const { outlet } = rig.open(['a'], 'held.5-0');
    await rig.clock.turn(10_000);
    expect(outlet.calls).toEqual(['accept']);
    rig.log.reachable = true;
    rig.log.enter('ready');
    await rig.clock.turn(250);
    expect([outlet.data, outlet.gaps]).toEqual([range(5, 30), []]);
  });

  test('what memory no longer holds is read from the log, in bundles as fast as they are taken', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 100, maxBytes: 1e9 } });
    await rig.publish(numbered(0, 3500));
    const outlet = new RecordingOutlet();
    outlet.onWrite = () => {
      outlet.writable = false;
    };
    const client = rig.open(['a'], 'held.500-0', outlet);
    await rig.clock.turn(1000);
    // How large entries are, the first page tells.
    expect(outlet.data).toEqual(range(500, 516));
    // No more is read ahead of a client that takes nothing.
    expect(rig.log.reads.length).toBe(1);
    expect(outlet.cursor).toBe('held.516-0');
    await rig.log.append(numbered(3500, 3600));
    for (const expected of [1516, 2516, 3516, 3600]) {
      await rig.drain(client);
      expect(outlet.data).toEqual(range(500, expected));
      expect(outlet.cursor).toBe(`held.${String(expected)}-0`);
    }
    await rig.drain(client);
    await rig.publish(numbered(3600, 3601));
    expect([outlet.data, outlet.gaps]).toEqual([range(500, 3601), []]);
    expect(outlet.welcomes).toHaveLength(1);
  });

  test('from the log, too, rooms are kept apart and what was superseded is left out', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 5, maxBytes: 1e9 } });
    await rig.publish([
      ...numbered(0, 2),
      keyed('k', 2),
      keyed('k', 3),
      ...numbered(4, 6, 'b'),
      ...numbered(6, 9, 'c'),
      ...numbered(9, 40, 'c'),
    ]);
    const { outlet } = rig.open(['a', 'b'], 'held.1-0');
    await rig.clock.turn(0);
    expect(outlet.data).toEqual([1, 3, 4, 5]);
    // Only the last of the writes may say that nothing of any room is missing.
    expect(outlet.writes.map(({ cursor }) => cursor)).toEqual([null, 'held.17-0']);
  });

  test('one that takes nothing of it is closed as slow_consumer, too', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 }, maxBacklogMs: 10_000 });
    await rig.publish(numbered(0, 5000));
    const outlet = new RecordingOutlet();
    outlet.onWrite = () => {
      outlet.writable = false;
    };
    rig.open(['a'], 'held.10-0', outlet);
    await rig.clock.turn(12_000);
    expect(outlet.ended).toBe('slow_consumer');
    expect(outlet.writes).toHaveLength(1);
  });

  test('one that closes in the middle of it is written no more', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    await rig.publish(numbered(0, 5000));
    const outlet = new RecordingOutlet();
    outlet.onWrite = () => {
      outlet.writable = false;
    };
    const client = rig.open(['a'], 'held.10-0', outlet);
    await rig.clock.turn(0);
    outlet.writable = true;
    rig.delivery.close(client.session);
    await rig.clock.turn(5000);
    expect(outlet.writes).toHaveLength(1);
    expect(rig.delivery.status().rooms).toEqual({});
  });

  test('a room joined while it is being caught up is given with its newest values, before any cursor', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    await rig.publish([keyed('k', 1, 'b'), ...numbered(0, 2500)]);
    const outlet = new RecordingOutlet();
    outlet.onWrite = () => {
      outlet.writable = false;
    };
    const client = rig.open(['a'], 'held.10-0', outlet);
    await rig.clock.turn(0);
    rig.delivery.join(client.session, ['b']);
    for (let drains = 0; drains < 10; drains += 1) await rig.drain(client);
    expect(outlet.events.filter(({ room }) => room === 'b').map(({ dataJson }) => dataJson)).toEqual(['1']);
    expect(outlet.events.filter(({ room }) => room === 'a').map(({ dataJson }) => Number(dataJson))).toEqual(
      range(9, 2500),
    );
    const given = outlet.writes.findIndex(({ events }) => events.some(({ room }) => room === 'b'));
    expect(outlet.writes.slice(1, given).every(({ cursor }) => cursor === null)).toBe(true);
    expect(outlet.cursor).toBe('held.2501-0');
  });
});

describe('rooms', () => {
  test('a joined room gives its newest values, then what comes; a left one nothing more', async () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open(['a']);
    await rig.publish([keyed('k', 1, 'b'), ...numbered(2, 4, 'b')]);
    expect(rig.delivery.join(session, ['b', 'b', 'a'])).toEqual(['a', 'b']);
    await rig.publish(numbered(4, 5, 'b'));
    expect(outlet.data).toEqual([1, 4]);
    expect(rig.delivery.leave(session, ['b', 'nowhere'])).toEqual(['a']);
    await rig.publish([...numbered(5, 6, 'b'), ...numbered(6, 7, 'a')]);
    expect(outlet.data).toEqual([1, 4, 6]);
  });

  test('a refused join changes nothing and is counted', () => {
    const rig = DeliveryRig.ready({ maxRoomsPerSession: 2 });
    const { session } = rig.open(['a']);
    expect(rig.delivery.join(session, ['b', 'c'])).toMatchObject({ code: 'too_many_rooms' });
    expect(rig.delivery.join(session, 'b')).toMatchObject({ code: 'invalid_room' });
    expect(rig.delivery.leave(session, [1])).toMatchObject({ code: 'invalid_room' });
    expect([...session.rooms.keys()]).toEqual(['a']);
    expect(rig.counters.toJSON()['room_changes_refused']).toEqual({ too_many_rooms: 1, invalid_room: 2 });
  });

  test('the cursor stays what covers all rooms while a snapshot is on its way', async () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open(['a']);
    await rig.publish([...numbered(0, 1), keyed('k', 1, 'b'), keyed('k', 2, 'c')]);
    rig.delivery.join(session, ['b', 'c']);
    expect(rig.delivery.cursorOf(session)).toBeNull();
    await rig.clock.turn(0);
    expect(outlet.writes.slice(-2).map(({ cursor }) => cursor)).toEqual([null, 'held.3-0']);
    expect(rig.delivery.cursorOf(session)).toBe('held.3-0');
  });

  test('a snapshot goes to the session that asked, alone, and to others nothing', async () => {
    const rig = DeliveryRig.ready();
    const [one, two] = [rig.open(['a', 'b']), rig.open(['a', 'b'])];
    await rig.publish([keyed('k', 1), keyed('l', 2), keyed('m', 3, 'b'), keyed('n', 4, 'c')]);
    expect(rig.delivery.snapshot(one.session)).toBe(3);
    expect(rig.delivery.snapshot(one.session, ({ key }) => key === 'l')).toBe(1);
    await rig.clock.turn(0);
    expect(one.outlet.data).toEqual([1, 2, 3, 1, 2, 3, 2]);
    expect(two.outlet.data).toEqual([1, 2, 3]);
  });

  test('changes of rooms and snapshots are limited by what they touch; what other nodes place is not', async () => {
    const rig = DeliveryRig.ready({ maxRoomChangesPerSecond: 100 });
    const { session } = rig.open(['a']);
    await rig.publish(Array.from({ length: 2000 }, (_, index) => keyed(`k${String(index)}`, index)));
    const many = Array.from({ length: 40 }, (_, index) => `r${String(index)}`);
    for (let round = 0; round < 2; round += 1) rig.delivery.changeRooms(session, { join: many, leave: many });
    const refusal = { code: 'rate_limited', retryAfterMs: expect.any(Number) };
    expect(rig.delivery.join(session, ['b'])).toMatchObject(refusal);
    expect(rig.delivery.placeIn(session, { join: ['b'], leave: [] })).toContain('b');
    expect(
      rig.delivery.join(
        session,
        Array.from({ length: 501 }, () => 'b'),
      ),
    ).toMatchObject({ code: 'too_many_rooms' });
    expect(rig.counters.get('room_changes_refused', 'rate_limited')).toBe(1);
    expect(rig.delivery.snapshot(session)).toBe(2000);
    await rig.clock.turn(0);
    expect(rig.delivery.snapshot(session)).toMatchObject(refusal);
    await rig.clock.turn(20_000);
    expect(rig.delivery.join(session, ['c'])).toContain('c');
    expect(rig.delivery.snapshot(session)).toBe(2000);
  });

  test('the rooms that a session is to begin with are free of that limit, but not those that follow refused ones', () => {
    const rig = DeliveryRig.ready({ maxRoomChangesPerSecond: 100, maxRoomsPerSession: 300 });
    const many = Array.from({ length: 299 }, (_, index) => `r${String(index)}`);
    const begin = (): Session => rig.request({ isPartial: true }) as Session;
    for (let session = 0; session < 5; session += 1)
      expect(rig.delivery.join(begin(), many)).toHaveLength(300);
    const session = begin();
    const codes = Array.from({ length: 5 }, () => rig.delivery.join(session, [...many, '?']));
    expect(codes[0]).toMatchObject({ code: 'invalid_room' });
    expect(codes[4]).toMatchObject({ code: 'rate_limited' });
    rig.delivery.shutDown();
  });

  test('state is the newest of each slot, history a page of all', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    await rig.publish([keyed('k', 0), ...numbered(1, 4), keyed('k', 4), ...numbered(5, 6, 'b')]);
    const state = told(rig.delivery.rooms.state('a'));
    expect([data(state.events), state.epoch, state.cursor]).toEqual([[4], 'held', 'held.6-0']);
    const page = told(rig.delivery.rooms.history('a', null, 2));
    expect([data(page.events), page.whole, page.cursor]).toEqual([[0, 1], true, 'held.2-0']);
    const next = told(rig.delivery.rooms.history('a', page.cursor, 10));
    expect([data(next.events), next.whole, next.cursor]).toEqual([[2, 3, 4], true, 'held.6-0']);
    expect(rig.delivery.rooms.history('a', 'held.7-0', 10)).toEqual({
      events: [],
      whole: true,
      more: false,
      cursor: 'held.7-0',
    });
    await rig.publish(numbered(6, 20));
    expect(rig.delivery.rooms.history('a', 'held.2-0', 3)).toMatchObject({ whole: false });
    expect(rig.delivery.rooms.history('b', 'held.19-0', 3)).toEqual({
      events: [],
      whole: true,
      more: false,
      cursor: 'held.20-0',
    });
  });

  test('a page has at most 1 MiB of events, or one, and says whether more follow', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 100, maxBytes: 1e9 } });
    const sizes = [400_000, 400_000, 400_000, 2_000_000, 1];
    await rig.publish(sizes.map((size) => ({ ...keyed('k', 0), dataJson: `"${'x'.repeat(size)}"` })));
    const pages: { readonly events: number; readonly more: boolean }[] = [];
    let cursor: string | null = null;
    while (pages.at(-1)?.more !== false) {
      const page: RoomPage = told(rig.delivery.rooms.history('a', cursor, 10));
      pages.push({ events: page.events.length, more: page.more });
      cursor = page.cursor;
    }
    expect(pages).toEqual([
      { events: 2, more: true },
      { events: 1, more: true },
      { events: 1, more: true },
      { events: 1, more: false },
    ]);
    expect(told(rig.delivery.rooms.history('a', 'held.3-0', 2))).toMatchObject({ more: true });
    expect(told(rig.delivery.rooms.history('a', 'held.4-0', 1))).toMatchObject({
      more: false,
      cursor: 'held.5-0',
    });
  });
});

describe('opening and ending', () => {
  test('refuses what admission refuses, counted, and takes nothing of it', () => {
    const rig = DeliveryRig.ready({ maxConnections: 1 });
    expect(rig.request({ rooms: ['a b'] })).toMatchObject({ code: 'invalid_room' });
    const { session } = rig.open();
    expect(rig.request({})).toMatchObject({ code: 'too_many_connections' });
    expect(rig.delivery.refusalFor({ principal: freeCaller(), address: 'x', rooms: ['a'] })).toMatchObject({
      code: 'too_many_connections',
    });
    expect(rig.counters.toJSON()['sessions_refused']).toEqual({ invalid_room: 1, too_many_connections: 2 });
    rig.delivery.close(session);
    rig.delivery.close(session);
    expect(rig.delivery.refusalFor({ principal: freeCaller(), address: 'x', rooms: ['a'] })).toBeUndefined();
    expect(rig.open().session.state).toBe('live');
  });

  test('a closed session is forgotten everywhere and written nothing', async () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open();
    rig.delivery.close(session);
    rig.delivery.wake(session);
    await rig.publish(numbered(0, 1));
    expect([outlet.data, rig.delivery.session(session.id), outlet.ended]).toEqual([[], undefined, undefined]);
    expect(rig.delivery.status()).toMatchObject({ sessions: { websocket: 0, sse: 0 }, rooms: {} });
  });

  test('shutting down ends every session once and lets no one in', () => {
    const rig = DeliveryRig.ready();
    const clients = [rig.open(), rig.open(['b'])];
    rig.delivery.shutDown();
    rig.delivery.shutDown();
    for (const { outlet } of clients) {
      expect(outlet.calls.filter((name) => name === 'end')).toHaveLength(1);
      expect(outlet.ended).toBe('shutting_down');
    }
    expect(rig.request({})).toMatchObject({ code: 'shutting_down' });
    expect(rig.clock.timers).toBe(0);
  });

  test.each(['deliver', 'welcome', 'gap', 'end'] as const)(
    'a connection that throws from %s ends alone; the others go on',
    async (call) => {
      const logged: string[] = [];
      const note = (message: string): void => void logged.push(message);
      const logger: Logger = { error: note, warn: note, info: note, debug: note };
      const rig = new DeliveryRig(
        { log: new HeldLog(), logger },
        { memory: { maxEvents: 10, maxBytes: 1e9 } },
      );
      rig.log.start(rig.delivery.tail);
      const bad = new RecordingOutlet();
      bad[call] = fail;
      if (call === 'end') bad.deliver = fail;
      const others = [rig.open(), rig.open()];
      rig.open(['a'], call === 'gap' ? 'nonsense' : null, bad);
      others.push(rig.open());
      rig.log.enter('ready');
      await rig.clock.turn(0);
      await rig.publish(numbered(0, 1));
      await rig.publish(numbered(1, 2));
      for (const { outlet } of others) expect(outlet.data).toEqual([0, 1]);
      expect(rig.delivery.status().sessions.sse).toBe(3);
      expect(logged).not.toEqual([]);
    },
  );

  test('a connection that throws while it is caught up from the log ends alone', async () => {
    const rig = DeliveryRig.ready({ memory: { maxEvents: 10, maxBytes: 1e9 } });
    await rig.publish(numbered(0, 100));
    const bad = new RecordingOutlet();
    bad.deliver = fail;
    rig.open(['a'], 'held.10-0', bad);
    await rig.clock.turn(1000);
    expect(bad.ended).toBe('internal');
    expect(rig.delivery.status().sessions.sse).toBe(0);
  });

  test('status tells what there is', async () => {
    const rig = DeliveryRig.ready();
    rig.open(['a', 'b']);
    rig.open(['a']);
    rig.request({ transport: 'websocket' });
    await rig.publish(numbered(0, 3));
    expect(rig.delivery.status()).toEqual({
      backlog: { oldestSeconds: 0, sessionsBehind: 0 },
      sessions: { websocket: 1, sse: 2 },
      clients: {
        websocket: { sdk: 0, bundle: 1, eventsource: 0, stock: 0 },
        sse: { sdk: 0, bundle: 2, eventsource: 0, stock: 0 },
      },
      rooms: { a: 3, b: 1 },
      eventsHeld: 3,
      cursor: 'held.3-0',
      windowMs: 50,
      flushes: 1,
    });
  });
});

test('a session that has ended gets into no room any more, whatever comes for it late', () => {
  const rig = DeliveryRig.ready();
  const { session } = rig.open(['a']);
  rig.delivery.close(session);
  expect(rig.delivery.join(session, ['b'])).toMatchObject({ code: 'unknown_session' });
  expect(rig.delivery.placeIn(session, { join: ['b'], leave: [] })).toMatchObject({
    code: 'unknown_session',
  });
  expect(rig.delivery.status().rooms).toEqual({});
});

describe('a session that has to come back elsewhere', () => {
  test.each(['shutting_down', 'transport_disabled'] as const)(
    'is given what awaits it before it ends: %s',
    async (reason) => {
      const rig = DeliveryRig.ready();
      const { session, outlet } = rig.open(['a']);
      await rig.publish([newEvent({ room: 'a', dataJson: '1' })]);
      // Within the window of the flush before.
      await rig.log.append([newEvent({ room: 'a', dataJson: '2' }), newEvent({ room: 'a', dataJson: '3' })]);
      rig.delivery.end(session, reason);
      expect(outlet.data).toEqual([1, 2, 3]);
      expect([outlet.calls.at(-1), outlet.ended]).toEqual(['end', reason]);
    },
  );

  test('is not written to where its connection can not take it', async () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open(['a']);
    outlet.writable = false;
    await rig.publish([newEvent({ room: 'a', dataJson: '1' })]);
    rig.delivery.end(session, 'shutting_down');
    expect([outlet.data, outlet.ended]).toEqual([[], 'shutting_down']);
  });

  test('ends once, as a fault, where its connection throws meanwhile', async () => {
    const rig = DeliveryRig.ready();
    const { session, outlet } = rig.open(['a']);
    await rig.log.append([newEvent({ room: 'a', dataJson: '1' })]);
    outlet.onWrite = () => {
      throw new Error('broken');
    };
    rig.delivery.end(session, 'shutting_down');
    expect([outlet.calls.filter((call) => call === 'end'), outlet.ended]).toEqual([['end'], 'internal']);
  });
});
