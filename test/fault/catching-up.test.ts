import { afterEach, expect, test } from '@jest/globals';
import { countOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { NumberedLoad, numbers, numbersOf, valuesOf, withoutPadding } from '../support/numbered-load.js';
import { RAW_WIRES, RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const EVENT_BYTES = 64 * 1024;
/** More than the buffers of the system take of a client that reads nothing: 20 MiB. */
const EVENTS = 320;
/** Published in one go: half of what the shorter queue holds. */
const STEP = 8;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

/** Clients of every wire that have the first event and then read nothing, while all the others are published. */
async function stallThrough(maxQueue: number): Promise<{
  url: string;
  load: NumberedLoad;
  clients: readonly RawClient[];
}> {
  const { url, port } = await launchGateway({
    APP_PROFILE: 'HYBRID',
    DEFAULT_ROOMS: 'load',
    MAX_QUEUE_PER_CLIENT: String(maxQueue),
    MAX_EVENTS_PER_SECOND_PER_CLIENT: '0',
    PING_INTERVAL: '300',
  });
  const load = new NumberedLoad(url, { room: 'load', bytes: EVENT_BYTES, valueEvery: 10 });
  const witness = await RawClient.open(port, 'sse', { rooms: ['load'], keep: withoutPadding });
  const clients = await Promise.all(
    RAW_WIRES.map((wire) => RawClient.open(port, wire, { rooms: ['load'], keep: withoutPadding })),
  );
  await load.publish(1);
  await waitUntil(() => clients.every(({ events }) => numbersOf(events).length === 1), 'the first event');
  for (const client of clients) client.stall();
  // Once the witness has them, a flush has passed by the stalled ones; it must not fall behind itself.
  for (let n = 1; n < EVENTS; n += STEP) {
    await load.publish(Math.min(STEP, EVENTS - n));
    const last = load.published - 1;
    await waitUntil(() => numbersOf(witness.events).at(-1) === last, 'the witness to have all');
  }
  expect(witness.gaps).toEqual([]);
  for (const client of clients) client.goOn();
  await waitUntil(
    () =>
      clients.every(
        ({ events }) =>
          numbersOf(events).at(-1) === EVENTS - 1 &&
          [...load.values].every(([key, value]) => valuesOf(events).get(key) === value),
      ),
    'the stalled clients to have the last event and the final values',
  );
  await untilSessions(url, 4);
  return { url, load, clients };
}

test('a stalled reader that reads on in time is given every event and the final values', async () => {
  const { load, clients } = await stallThrough(1000);
  for (const { wire, events, gaps } of clients) {
    expect([wire, numbersOf(events)]).toEqual([wire, numbers(0, EVENTS)]);
    expect([wire, gaps]).toEqual([wire, []]);
    expect(valuesOf(events)).toEqual(load.values);
  }
});

test('of what awaits a reader beyond its queue the oldest events are left out, and it is told how many', async () => {
  const { url, load, clients } = await stallThrough(4);
  let dropped = 0;
  for (const { wire, events, gaps } of clients) {
    const got = numbersOf(events);
    const missing = numbers(0, EVENTS).filter((n) => !got.includes(n));
    dropped += missing.length;
    expect(got).toEqual([...new Set(got)].sort((a, b) => a - b));
    expect([wire, missing.length]).not.toEqual([wire, 0]);
    expect(valuesOf(events)).toEqual(load.values);
    // A legacy client knows no gaps, and each of its events is a write: one publication exceeds its queue.
    if (wire === 'legacy') continue;
    expect(gaps.every(({ reason }) => reason === 'overflow')).toBe(true);
    // What the system took in between may have brought it back within its limit, and it fell behind anew.
    expect(gaps.reduce((sum, { dropped }) => sum + Number(dropped), 0)).toBe(missing.length);
  }
  expect(await countOf(url, 'events_dropped', 'client_queue')).toBe(dropped);
});
