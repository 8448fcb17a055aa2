import { afterEach, expect, test } from '@jest/globals';
import { countOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { NumberedLoad, numbers, numbersOf, valuesOf, withoutPadding } from '../support/numbered-load.js';
import { RAW_WIRES, RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const EVENT_BYTES = 64 * 1024;
/** More than the buffers of the system take of a client that reads nothing: 20 MiB. */
const EVENTS = 320;

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
  await load.publish(EVENTS - 1);
  // Once the witness has the last, a flush has passed by the stalled ones with all that was published.
  await waitUntil(() => numbersOf(witness.events).at(-1) === EVENTS - 1, 'the witness to have all');
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
    expect(missing).toEqual(numbers(Number(missing[0]), Number(missing[0]) + missing.length));
    expect(gaps).toEqual([{ reason: 'overflow', dropped: missing.length, cursor: expect.any(String) }]);
  }
  expect(await countOf(url, 'events_dropped', 'client_queue')).toBe(dropped);
});
