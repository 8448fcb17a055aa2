import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DeliveryRig, type RigClient } from '../../../support/delivery-rig.js';
import { newEvent, numbered } from '../../../support/new-event.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';

/** A legacy client: each event is a write of its own. */
function openLegacy(rig: DeliveryRig, rooms: readonly string[] = ['a']): RigClient {
  const outlet = new RecordingOutlet();
  outlet.unbundled = true;
  return rig.open(rooms, null, outlet);
}

const value = (key: string, data: number, room = 'a') => newEvent({ room, key, dataJson: String(data) });

describe('a client whose events are a write each', () => {
  test('gets at most its rate, falls behind its room, and is given the rest later, in order', async () => {
    const rig = DeliveryRig.ready({ maxEventsPerSecondPerClient: 20 });
    const legacy = openLegacy(rig);
    const bundled = rig.open();
    await rig.publish(numbered(0, 50));
    expect(bundled.outlet.data).toEqual(numbered(0, 50).map(({ dataJson }) => Number(dataJson)));
    expect(legacy.outlet.data.length).toBeLessThanOrEqual(25);
    await rig.clock.turn(1000);
    expect(legacy.outlet.data.length).toBeGreaterThanOrEqual(39);
    expect(legacy.outlet.data.length).toBeLessThanOrEqual(45);
    await rig.clock.turn(2000);
    expect(legacy.outlet.data).toEqual(bundled.outlet.data);
  });

  test('is given only the newest of each key it fell behind on', async () => {
    const rig = DeliveryRig.ready();
    const legacy = openLegacy(rig);
    await rig.publish(numbered(0, 20));
    for (let round = 0; round < 10; round += 1) {
      await rig.log.append([value('x', round), value('y', round)]);
      await rig.clock.turn(10);
    }
    await rig.clock.turn(3000);
    const seen = legacy.outlet.data.slice(20);
    expect(seen.length).toBeLessThan(20);
    expect(seen.slice(-2)).toEqual([9, 9]);
  });

  test('beyond MAX_QUEUE_PER_CLIENT the oldest append events are left out, counted and announced', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 10 });
    const legacy = openLegacy(rig);
    await rig.publish([value('k', -1), ...numbered(0, 100)]);
    await rig.clock.turn(10_000);
    expect(legacy.outlet.data).toEqual([-1, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
    expect(legacy.outlet.gaps).toEqual([expect.objectContaining({ reason: 'overflow', dropped: 91 })]);
    expect(rig.counters.get('events_dropped', 'client_queue')).toBe(91);
  });

  test('0 means no limit', async () => {
    const rig = DeliveryRig.ready({
      maxEventsPerSecondPerClient: 0,
      window: { minMs: 0, maxMs: 200, maxWaitMs: 250 },
    });
    const legacy = openLegacy(rig);
    await rig.publish(numbered(0, 90));
    expect(legacy.outlet.data).toHaveLength(90);
  });

  test('a newest value asked for while others are owed comes after them', async () => {
    const rig = DeliveryRig.ready();
    const legacy = openLegacy(rig);
    await rig.publish([...numbered(0, 300), value('k', 1)]);
    rig.delivery.snapshot(legacy.session);
    await rig.clock.turn(10_000);
    const { data } = legacy.outlet;
    expect(data.filter((one) => one === 299)).toHaveLength(1);
    expect(data.at(-1)).toBe(1);
  });

  test('property: whatever comes, the last value of each key arrives, append events in order and none twice', async () => {
    const step = fc.record({
      keys: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 5 }),
      appended: fc.nat(30),
      room: fc.constantFrom('a', 'b'),
      waitMs: fc.constantFrom(0, 60, 500),
      writable: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        async (steps, maxQueue) => {
          const rig = DeliveryRig.ready({ maxQueuePerClient: maxQueue, maxBacklogMs: 1e9 });
          const client = openLegacy(rig, ['a', 'b']);
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
      { numRuns: 150 },
    );
  });
});

describe('a client that gets bundles', () => {
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
