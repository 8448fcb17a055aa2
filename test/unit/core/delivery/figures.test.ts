import { describe, expect, test } from '@jest/globals';
import type { Slice } from '../../../../src/core/delivery/slice.js';
import { MemoryLog } from '../../../../src/core/log/memory-log.js';
import { Traffic } from '../../../../src/core/metrics/traffic.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { HeldLog } from '../../../support/held-log.js';
import { newEvent, numbered } from '../../../support/new-event.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const keyed = (key: string, value: number) => newEvent({ room: 'a', key, dataJson: String(value) });
const counts = (owed: number, events: number, writes: number, bytes: number) =>
  Object.assign(new Traffic(), { owed, events, writes, bytes });

/** What `traffic` has grown by while `act` went on. */
async function grown(traffic: Traffic, act: () => Promise<void>): Promise<Traffic> {
  const before = traffic.since();
  await act();
  return traffic.since(before);
}

/** An outlet that fails when it is written to. */
class BrokenOutlet extends RecordingOutlet {
  override deliver(slices: readonly Slice[]): number {
    if (slices.length > 0) throw new Error('broken');
    return 0;
  }
}

describe('what delivery counts', () => {
  test('events owed, events written, writes and bytes, of all sessions of a transport', async () => {
    const rig = DeliveryRig.ready();
    const { websocket, sse } = rig.delivery.figures.traffic;
    for (let client = 0; client < 3; client += 1) rig.open(['a']);
    rig.request({ rooms: ['a'], transport: 'websocket' });
    const before = websocket.since();
    const burst = [keyed('k', 1), keyed('k', 2), keyed('k', 3), keyed('l', 4), ...numbered(5, 7)];
    expect(await grown(sse, () => rig.publish(burst))).toEqual(counts(3 * 6, 3 * 4, 3, 300));
    expect([websocket.owed - before.owed, websocket.events - before.events]).toEqual([6, 4]);
  });

  test('a write that fails is none', async () => {
    const rig = DeliveryRig.ready();
    rig.open(['a'], null, new BrokenOutlet());
    const failed = await grown(rig.delivery.figures.traffic.sse, () => rig.publish(numbered(1, 2)));
    expect(failed).toEqual(counts(0, 0, 0, 0));
  });

  test('a write counts once, whatever the wire; nothing to write is none', async () => {
    const rig = DeliveryRig.ready();
    const outlet = new RecordingOutlet();
    outlet.isTold = false;
    rig.request({ rooms: ['a'], transport: 'websocket', outlet });
    const { websocket } = rig.delivery.figures.traffic;
    // Other than a bundle client, a legacy one is told no cursor.
    expect(websocket.writes).toBe(0);
    expect(await grown(websocket, () => rig.publish(numbered(1, 4)))).toMatchObject({ events: 3, writes: 1 });
  });

  test('what is superseded while a session is behind was owed to it; what was dropped is not written', async () => {
    const rig = DeliveryRig.ready({ maxQueuePerClient: 1 });
    const outlet = new RecordingOutlet();
    outlet.writable = false;
    const client = rig.open(['a'], null, outlet);
    const fed = await grown(rig.delivery.figures.traffic.sse, async () => {
      await rig.publish(Array.from({ length: 30 }, (_, value) => keyed('k', value)));
      await rig.publish(numbered(1000, 2010));
      await rig.drain(client);
      await rig.clock.turn(3000);
    });
    expect(rig.counters.get('events_dropped')).toBe(11);
    expect(fed).toMatchObject({ events: 1000, owed: 30 - 1 + 1000 });
  });
});

describe('latency', () => {
  test('is measured from the id to the end of the flush: once an event, however many get it', async () => {
    const clock = new TurnedClock();
    const log = new MemoryLog(clock, { maxEvents: 100, maxBytes: 1e6 });
    const rig = new DeliveryRig({ log, clock });
    log.start(rig.delivery.tail);
    for (let client = 0; client < 5; client += 1) rig.open(['a']);
    // The first leaves at once; those after it at the end of the window that it has opened, which is 50 ms wide.
    for (const waitMs of [0, 10, 30, 500]) {
      await log.append([newEvent()]);
      await clock.turn(waitMs);
    }
    const { latencyMs } = rig.delivery.figures;
    expect([latencyMs.count, latencyMs.sum, latencyMs.quantile(1)]).toEqual([4, 0 + 50 + 40 + 10, 50]);
  });

  test('of what nobody listens to, and of what the log had before, none', async () => {
    const rig = new DeliveryRig({ log: new HeldLog() });
    rig.log.start(rig.delivery.tail);
    rig.open(['a']);
    await rig.publish(numbered(1, 4));
    rig.log.enter('ready');
    await rig.clock.turn(250);
    expect(rig.delivery.figures.latencyMs.count).toBe(0);
    await rig.publish([newEvent({ room: 'empty' })]);
    expect(rig.delivery.figures.latencyMs.count).toBe(0);
    await rig.publish(numbered(4, 6));
    expect(rig.delivery.figures.latencyMs.count).toBe(2);
  });

  test('of very many events in one flush, some stand for all', async () => {
    const rig = DeliveryRig.ready();
    rig.open(['a']);
    await rig.publish(numbered(0, 5000));
    expect(rig.delivery.figures.latencyMs.count).toBe(5000);
  });
});

describe('backlog', () => {
  test('is the age of the oldest event that a session awaits, and how many await one for long', async () => {
    const rig = DeliveryRig.ready();
    const [slow, slower] = [rig.open(['a']), rig.open(['a'])];
    rig.open(['a']);
    await rig.clock.turn(1000);
    expect(rig.delivery.status().backlog).toEqual({ oldestSeconds: 0, sessionsBehind: 0 });
    slow.outlet.writable = false;
    slower.outlet.writable = false;
    await rig.publish(numbered(1, 3));
    await rig.clock.turn(5000);
    const { oldestSeconds, sessionsBehind } = rig.delivery.status().backlog;
    expect(sessionsBehind).toBe(2);
    expect(oldestSeconds).toBeGreaterThan(4);
    expect(oldestSeconds).toBeLessThan(5.5);
    await rig.drain(slow);
    await rig.drain(slower);
    await rig.clock.turn(1000);
    expect(rig.delivery.status().backlog).toEqual({ oldestSeconds: 0, sessionsBehind: 0 });
  });
});
