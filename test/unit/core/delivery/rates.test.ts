import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DeliveryRig, type RigClient } from '../../../support/delivery-rig.js';
import { newEvent, numbered } from '../../../support/new-event.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';

/** A client of any wire: one that is told why it is closed, or a legacy client. */
function openAny(rig: DeliveryRig, isTold: boolean, rooms: readonly string[] = ['a']): RigClient {
  const outlet = new RecordingOutlet();
  outlet.isTold = isTold;
  return rig.open(rooms, null, outlet);
}

/** Has the client's connection take no more after each write. */
function stopAfterEachWrite({ outlet }: RigClient): void {
  outlet.onWrite = () => {
    outlet.writable = false;
  };
}

const value = (key: string, data: number, room = 'a') => newEvent({ room, key, dataJson: String(data) });
const numbers = (from: number, to: number): number[] =>
  numbered(from, to).map(({ dataJson }) => Number(dataJson));

describe.each([
  ['a client that gets bundles', true],
  ['a legacy client', false],
])('%s', (_who, isTold) => {
  test('gets at most its rate of writes, and every append event, however many there are', async () => {
    const rig = DeliveryRig.ready();
    const client = openAny(rig, isTold);
    const seconds = 10;
    for (let sent = 0; sent < 60 * seconds; sent += 1) {
      await rig.log.append(numbered(sent, sent + 1));
      await rig.clock.turn(1000 / 60);
    }
    await rig.clock.turn(1000);
    expect(client.outlet.data).toEqual(numbers(0, 60 * seconds));
    const writes = client.outlet.writes.filter(({ events }) => events.length > 0).length;
    // One of the first and one of the last turn more than the windows of 50 ms in between.
    expect(writes).toBeLessThanOrEqual(20 * seconds + 2);
    expect(writes).toBeGreaterThan(15 * seconds);
  });

  test('gets a burst at once, in writes of at most 1000 events', async () => {
    const rig = DeliveryRig.ready();
    const client = openAny(rig, isTold);
    await rig.publish(numbered(0, 2500));
    expect(client.outlet.data).toEqual(numbers(0, 2500));
    expect(client.outlet.writes.map(({ events }) => events.length).filter((events) => events > 0)).toEqual([
      1000, 1000, 500,
    ]);
  });

  test('is given only the newest of each key it fell behind on', async () => {
    const rig = DeliveryRig.ready();
    const client = openAny(rig, isTold);
    client.outlet.writable = false;
    for (let round = 0; round < 10; round += 1) await rig.publish([value('x', round), value('y', round)]);
    await rig.drain(client);
    expect(client.outlet.data).toEqual([9, 9]);
  });

  test('of more than MAX_QUEUE_PER_CLIENT writes the oldest append events are left out, counted and announced', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 2 });
    const client = openAny(rig, isTold);
    client.outlet.writable = false;
    await rig.publish([value('k', -1), ...numbered(0, 2000)]);
    await rig.drain(client);
    await rig.clock.turn(1000);
    expect(client.outlet.data).toEqual([-1, ...numbers(1, 2000)]);
    expect(client.outlet.gaps).toEqual([expect.objectContaining({ reason: 'overflow', dropped: 1 })]);
    expect(rig.counters.get('events_dropped', 'client_queue')).toBe(1);
  });

  test('so much, and no more, of what awaits it is kept by its bytes, too', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 2 });
    const client = openAny(rig, isTold);
    client.outlet.writable = false;
    const large = Array.from({ length: 60 }, (_, index) =>
      newEvent({ room: 'a', dataJson: JSON.stringify(`${String(index)} ${'x'.repeat(16_384)}`) }),
    );
    await rig.publish(large);
    await rig.drain(client);
    await rig.clock.turn(1000);
    const { events, gaps, writes } = client.outlet;
    expect(events.length + Number(gaps[0]?.dropped)).toBe(60);
    expect(events.length).toBeGreaterThan(20);
    for (const { slices } of writes) {
      expect(slices.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(256 * 1024);
    }
    expect(events.reduce((sum, { dataJson }) => sum + dataJson.length, 0)).toBeLessThanOrEqual(512 * 1024);
  });

  test('a newest value asked for while others are owed comes after them', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 2 });
    const client = openAny(rig, isTold);
    stopAfterEachWrite(client);
    client.outlet.writable = false;
    await rig.publish([...numbered(0, 2500), value('k', 1)]);
    await rig.drain(client);
    expect(client.session.unpaid).toBe(1000);
    rig.delivery.snapshot(client.session);
    while (client.session.isOwed) await rig.drain(client);
    const { data } = client.outlet;
    expect(data.filter((one) => one === 2499)).toHaveLength(1);
    expect(data.at(-1)).toBe(1);
  });

  test('property: whatever comes, the last value of each key arrives, append events in order and none twice', async () => {
    const step = fc.record({
      keys: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 5 }),
      appended: fc.oneof(fc.nat(30), fc.integer({ min: 500, max: 1500 })),
      room: fc.constantFrom('a', 'b'),
      waitMs: fc.constantFrom(0, 60, 500),
      writable: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, maxQueue) => {
          const rig = DeliveryRig.ready({ maxQueuePerClient: maxQueue, maxBacklogMs: 1e9 });
          const client = openAny(rig, isTold, ['a', 'b']);
          const last = new Map<string, number>();
          let next = 0;
          for (const { keys, appended, room, waitMs, writable } of steps) {
            client.outlet.writable = writable;
            if (writable) rig.delivery.wake(client.session);
            const values = keys.map((key) => {
              last.set(`${room} ${key}`, next);
              return value(key, next++, room);
            });
            await rig.log.append([
              ...values,
              ...numbered(next, next + appended).map((event) => ({ ...event, room })),
            ]);
            next += appended;
            await rig.clock.turn(waitMs);
          }
          await rig.drain(client);
          await rig.clock.turn(60_000);
          const seen = client.outlet.events;
          const ids = seen.filter(({ slot }) => slot === null).map(({ position }) => position);
          for (const room of ['a', 'b']) {
            const inRoom = seen.filter((event) => event.room === room).map(({ position }) => position);
            expect(inRoom).toEqual([...inRoom].sort((a, b) => a - b));
          }
          expect(new Set(ids).size).toBe(ids.length);
          for (const [name, number] of last) {
            const [room, key] = name.split(' ');
            const arrived = seen.filter((event) => event.room === room && event.key === key);
            expect(Number(arrived.at(-1)?.dataJson)).toBe(number);
          }
          const appended = steps.reduce((sum, one) => sum + one.appended, 0);
          const dropped = client.outlet.gaps.reduce((sum, gap) => sum + (gap.dropped ?? 0), 0);
          expect(ids.length + dropped).toBe(appended);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('a client that is slow', () => {
  test('too far behind, it is told how many events were left out, and no cursor before it has what is left', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 1 });
    const slow = rig.open();
    slow.outlet.writable = false;
    await rig.publish([value('k', -1), ...numbered(0, 1500)]);
    await rig.drain(slow);
    await rig.clock.turn(1000);
    expect(slow.outlet.gaps).toEqual([expect.objectContaining({ reason: 'overflow', dropped: 501 })]);
    expect(slow.outlet.data).toHaveLength(1000);
    expect(slow.outlet.data[0]).toBe(-1);
    expect(slow.outlet.data.at(-1)).toBe(1499);
    expect(slow.outlet.cursor).toBe(`held.${String(slow.outlet.events.at(-1)?.id)}`);
  });

  test('one that comes back with a cursor is given all that there is', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 1 });
    const first = rig.open();
    await rig.publish(numbered(0, 1));
    const cursor = first.outlet.cursor;
    rig.delivery.close(first.session);
    await rig.publish(numbered(1, 5000));
    const back = rig.open(['a'], cursor);
    await rig.clock.turn(1000);
    expect([back.outlet.gaps, back.outlet.data.length]).toEqual([[], 4999]);
  });

  test('one that takes a little now and then, but is behind by too much, is closed; in time it is not', async () => {
    for (const [writes, ended] of [
      [2, 'slow_consumer'],
      [6, undefined],
    ] as const) {
      const rig = DeliveryRig.ready({ maxBacklogMs: 3000 });
      const trickle = rig.open();
      trickle.outlet.onWrite = () => {
        trickle.outlet.writable = false;
      };
      trickle.outlet.writable = false;
      await rig.publish(numbered(0, 5000));
      for (let write = 0; write < writes; write += 1) {
        await rig.drain(trickle);
        await rig.clock.turn(3000 / writes);
      }
      await rig.clock.turn(2000);
      expect(trickle.outlet.ended).toBe(ended);
    }
  });
});
