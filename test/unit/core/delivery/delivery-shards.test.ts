import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../../src/core/errors.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { newEvent } from '../../../support/new-event.js';
import { SharedShards, type ShardsView } from '../../../support/shared-shards.js';

/** Of four shards: rooms a, c and default are in 3, b in 1, d in 0, e in 2. */
const [OF_A, OF_B, OF_D] = [3, 1, 0];
const TYPES = new EventTypes(new Map(), ['default']);

function lazyRig(): { log: SharedShards; rig: DeliveryRig<ShardsView> } {
  const log = new SharedShards(4, TYPES, 1000);
  const rig = new DeliveryRig({ log: log.open(true), types: TYPES });
  rig.log.start(rig.delivery.tail);
  return { log, rig };
}

const keyed = (room: string, data: number) => newEvent({ room, key: 'k', dataJson: String(data) });
const plain = (room: string, data: number) => newEvent({ room, dataJson: String(data) });

describe('a process that follows only the shards it needs', () => {
  test('a new session waits until the shards of all its rooms have been read', async () => {
    const { log, rig } = lazyRig();
    log.store(keyed('a', 1));
    log.store(keyed('b', 2));
    expect(rig.log.followed).toEqual([]);
    const { outlet } = rig.open(['a', 'b']);
    expect(rig.log.followed).toEqual([OF_A, OF_B]);
    rig.log.tell(OF_A);
    await rig.clock.turn(1000);
    expect(outlet.calls).toEqual(['accept']);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    expect([outlet.data, rig.log.shards.idsIn(String(outlet.cursor))?.size]).toEqual([[1, 2], 2]);
  });

  test('a session that leaves the rooms it waited for begins at once', async () => {
    const { log, rig } = lazyRig();
    log.store(keyed('a', 1));
    const { session, outlet } = rig.open(['a', 'b']);
    rig.log.tell(OF_A);
    rig.delivery.leave(session, ['b']);
    await rig.clock.turn(1000);
    expect([outlet.calls, outlet.data]).toEqual([['accept', 'welcome', 'deliver'], [1]]);
  });

  test('a live session that joins gets nothing of the room, and no cursor of it, before it has been read', async () => {
    const { log, rig } = lazyRig();
    const { session, outlet } = rig.open(['a']);
    rig.log.tell(OF_A);
    for (const n of [1, 2, 3]) log.store(keyed('b', n));
    expect(rig.delivery.join(session, ['b'])).toEqual(['a', 'b']);
    // The two of a room, so that its news would be shared.
    const { session: other } = rig.open(['a']);
    rig.delivery.join(other, ['b']);
    rig.delivery.leave(other, ['a']);
    rig.log.tell(OF_B, 2);
    await rig.clock.turn(1000);
    expect([outlet.data, rig.delivery.snapshot(session)]).toEqual([[], 0]);
    log.store(plain('a', 10));
    rig.log.tell(OF_A);
    await rig.clock.turn(1000);
    expect(outlet.data).toEqual([10]);
    expect([...(rig.log.shards.idsIn(String(outlet.cursor))?.keys() ?? [])]).toEqual([OF_A]);
    expect(rig.log.shards.idsIn(String(rig.delivery.cursorOf(other)))?.has(OF_B)).toBe(false);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    expect(outlet.data).toEqual([10, 3]);
    log.store(plain('b', 4));
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    expect(outlet.data).toEqual([10, 3, 4]);
    expect(rig.log.shards.idsIn(String(outlet.cursor))?.size).toBe(2);
  });

  test('alone in its only room, it gets nothing of it before it has been read either', async () => {
    const { log, rig } = lazyRig();
    const clients = [rig.open(['a']), rig.open(['a'])];
    rig.log.tell(OF_A);
    await rig.clock.turn(1000);
    for (const { session } of clients) {
      rig.delivery.changeRooms(session, { leave: ['a'], join: ['b'] });
    }
    for (const n of [1, 2]) log.store(plain('b', n));
    rig.log.tell(OF_B, 1);
    await rig.clock.turn(1000);
    for (const { outlet } of clients) expect(outlet.data).toEqual([]);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    log.store(plain('b', 3));
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    for (const { outlet } of clients) expect(outlet.data).toEqual([3]);
  });

  test('a gap does not bring a room that is still being read', async () => {
    const { log, rig } = lazyRig();
    const { session, outlet } = rig.open(['a']);
    rig.log.tell(OF_A);
    for (const n of [1, 2]) log.store(keyed('b', n));
    rig.delivery.join(session, ['b']);
    rig.log.tell(OF_B, 1);
    rig.log.break(OF_A);
    await rig.clock.turn(1000);
    expect([outlet.gaps.length, outlet.data]).toEqual([1, []]);
    expect(rig.log.shards.idsIn(String(outlet.gaps[0]?.cursor))?.has(OF_B)).toBe(false);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    expect(outlet.data).toEqual([2]);
  });

  test('a gap waits until this node has come to what the client has of another shard', async () => {
    const log = new SharedShards(4, TYPES, 2);
    const rigs = [0, 1].map(() => {
      const memory = { maxEvents: 3, maxBytes: 1e9 };
      const rig = new DeliveryRig({ log: log.open(true), types: TYPES }, { memory });
      rig.log.start(rig.delivery.tail);
      return rig;
    });
    const [ahead, behind] = rigs as [DeliveryRig<ShardsView>, DeliveryRig<ShardsView>];
    const first = ahead.open(['a', 'd']);
    behind.open(['a', 'd']);
    log.store(keyed('d', 1));
    for (const { log: view } of rigs) for (const shard of [OF_A, OF_D]) view.tell(shard);
    log.store(keyed('d', 2));
    ahead.log.tell(OF_D);
    await ahead.clock.turn(1000);
    expect(first.outlet.data.at(-1)).toBe(2);
    ahead.delivery.close(first.session);
    for (let n = 0; n < 10; n += 1) log.store(plain('a', n));
    for (const { log: view } of rigs) view.tell(OF_A);
    const { outlet } = behind.open(['a', 'd'], first.outlet.cursor);
    await behind.clock.turn(2000);
    expect(outlet.calls).toEqual(['accept']);
    behind.log.tell(OF_D);
    await behind.clock.turn(2000);
    expect([outlet.gaps.length, outlet.data]).toEqual([1, [2]]);
  });

  test('a shard that broke is a gap to those in its rooms alone', async () => {
    const { rig } = lazyRig();
    const clients = [rig.open(['a']), rig.open(['b']), rig.open(['a', 'b'])];
    rig.log.tell(OF_A);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    rig.log.break(OF_B);
    await rig.clock.turn(1000);
    expect(clients.map(({ outlet }) => outlet.gaps.length)).toEqual([0, 1, 1]);
  });

  test('a room its cursor says nothing of begins with its snapshot, the others go on', async () => {
    const { log, rig } = lazyRig();
    const first = rig.open(['a']);
    rig.log.tell(OF_A);
    await rig.clock.turn(1000);
    rig.delivery.close(first.session);
    for (const n of [1, 2]) for (const room of ['a', 'b']) log.store(plain(room, n));
    log.store(keyed('b', 3));
    const { outlet } = rig.open(['a', 'b'], first.outlet.cursor);
    rig.log.tell(OF_B);
    rig.log.tell(OF_A);
    await rig.clock.turn(1000);
    const of = (room: string) =>
      outlet.events.filter((event) => event.room === room).map(({ dataJson }) => dataJson);
    expect([outlet.welcomes[0]?.resumed, outlet.gaps]).toEqual([true, []]);
    expect([of('a'), of('b')]).toEqual([['1', '2'], ['3']]);
  });

  test('a cursor that says nothing of any of its rooms makes it a newcomer, and it is told so', async () => {
    const { log, rig } = lazyRig();
    const first = rig.open(['a']);
    rig.log.tell(OF_A);
    await rig.clock.turn(1000);
    log.store(keyed('b', 1));
    const { outlet } = rig.open(['b'], first.outlet.cursor);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    expect([outlet.welcomes[0]?.resumed, outlet.gaps, outlet.data]).toEqual([false, [], [1]]);
  });

  test.each(['5-0', '8.5-3', '4.5-3.6-3', '4.nonsense', `4.${'9'.repeat(15)}-3`])(
    'the cursor "%s" is none of this log: a gap',
    async (cursor) => {
      const { rig } = lazyRig();
      const { outlet } = rig.open(['a'], cursor);
      rig.log.tell(OF_A);
      await rig.clock.turn(1000);
      expect(outlet.calls.slice(0, 3)).toEqual(['accept', 'welcome', 'gap']);
      expect(outlet.gaps[0]?.reason).toBe('unknown_cursor');
    },
  );

  test('a shard without sessions is let go after a minute, and forgotten; read anew, it doubles nothing', async () => {
    const { log, rig } = lazyRig();
    const stays = rig.open(['a']);
    const first = rig.open(['b']);
    rig.log.tell(OF_A);
    rig.log.tell(OF_B);
    for (const n of [1, 2]) log.store(plain('b', n));
    log.store(keyed('b', 3));
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    rig.delivery.close(first.session);
    await rig.clock.turn(50_000);
    expect(rig.log.followed).toEqual([OF_A, OF_B]);
    await rig.clock.turn(15_000);
    expect([rig.log.followed, rig.delivery.status().eventsHeld]).toEqual([[OF_A], 0]);
    log.store(keyed('b', 4));
    const back = rig.open(['b'], first.outlet.cursor);
    const newcomer = rig.open(['b']);
    rig.log.tell(OF_B, 2);
    await rig.clock.turn(1000);
    expect([back.outlet.calls, newcomer.outlet.calls]).toEqual([['accept'], ['accept']]);
    rig.log.tell(OF_B);
    await rig.clock.turn(1000);
    expect([back.outlet.data, back.outlet.gaps, newcomer.outlet.data]).toEqual([[4], [], [4]]);
    expect([stays.outlet.data, stays.outlet.gaps]).toEqual([[], []]);
  });

  test('a room that is asked for is read first, or refused when that takes too long', async () => {
    const { log, rig } = lazyRig();
    log.store(keyed('d', 1));
    const asked = rig.delivery.rooms.whenReady('d');
    expect(rig.log.followed).toEqual([OF_D]);
    rig.log.tell(OF_D);
    expect(await asked).toBeUndefined();
    expect(rig.delivery.rooms.state('d').events.map(({ dataJson }) => dataJson)).toEqual(['1']);
    const late = rig.delivery.rooms.whenReady('b');
    await rig.clock.turn(6000);
    const refusal = await late;
    expect(refusal instanceof Refusal && refusal.code).toBe('not_ready');
    await rig.clock.turn(61_000);
    expect(rig.log.followed).toEqual([]);
  });
});
