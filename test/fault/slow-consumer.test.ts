import { afterEach, expect, test } from '@jest/globals';
import { countOf, statusOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { NumberedLoad, numbers, numbersOf, withoutPadding } from '../support/numbered-load.js';
import { PollingSession } from '../support/polling-session.js';
import { RAW_WIRES, RawClient, type RawWire } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const EVENT_BYTES = 64 * 1024;
/** Wires whose clients come back with a cursor. */
const RESUMING: readonly RawWire[] = ['sse', 'bundle'];

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

function launch(variables: Record<string, string>): Promise<LaunchedGateway> {
  return launchGateway({
    APP_PROFILE: 'HYBRID',
    DEFAULT_ROOMS: 'load',
    MAX_BACKLOG_SECONDS: '2',
    MAX_EVENTS_PER_SECOND_PER_CLIENT: '0',
    ...variables,
  });
}

/** A load that keeps coming until the gateway has let go of so many slow consumers; `healthy` keeps up with it. */
async function publishUntilEnded(
  load: NumberedLoad,
  url: string,
  ended: number,
  healthy: readonly RawClient[],
): Promise<void> {
  await waitUntil(
    async () => {
      await load.publish(16);
      const { published } = load;
      await waitUntil(
        () => healthy.every(({ events }) => numbersOf(events).length >= published),
        'the healthy clients to have what was published',
      );
      return (await countOf(url, 'sessions_ended', 'slow_consumer')) >= ended;
    },
    `${String(ended)} slow consumers to be ended`,
    25_000,
  );
}

const open = (port: number, wire: RawWire): Promise<RawClient> =>
  RawClient.open(port, wire, { rooms: ['load'], keep: withoutPadding });

test('who takes nothing for longer than it may be behind is closed, on every wire; nobody else notices', async () => {
  const gateway = await launch({});
  const { url, port } = gateway;
  const load = new NumberedLoad(url, { room: 'load', bytes: EVENT_BYTES });
  const healthy = await Promise.all(RAW_WIRES.map((wire) => open(port, wire)));
  const stalled = await Promise.all(RAW_WIRES.map((wire) => open(port, wire)));
  for (const client of stalled) client.stall();
  const [asking, silent] = [await PollingSession.open(url), await PollingSession.open(url)];
  for (const polling of [asking, silent]) await polling.send('40{"bundle":true,"rooms":["load"]}');
  const poll = asking.pollWithoutReading();
  await untilSessions(url, 8);

  await publishUntilEnded(load, url, 5, healthy);
  await untilSessions(url, 3);
  expect((await statusOf(url)).counters['sessions_ended']).toEqual({ slow_consumer: 5 });
  for (const { events, gaps, isClosed } of healthy) {
    expect(numbersOf(events)).toEqual(numbers(0, load.published));
    expect([gaps, isClosed]).toEqual([[], false]);
  }
  // What was on its way when they were closed is all they get.
  for (const client of stalled) client.goOn();
  await waitUntil(() => stalled.every(({ isClosed }) => isClosed), 'the slow clients to be closed');
  for (const { events } of stalled) expect(numbersOf(events).length).toBeLessThan(load.published);
  poll.destroy();
});

test.each([
  { log: 'that still holds all', variables: {}, isWhole: true },
  { log: 'that has moved on', variables: { LOG_MAX_BYTES: '2097152', LOG_MAX_EVENTS: '32' }, isWhole: false },
])('a slow consumer comes back with its cursor to a log $log', async ({ variables, isWhole }) => {
  const gateway = await launch(variables);
  const { url, port } = gateway;
  const load = new NumberedLoad(url, { room: 'load', bytes: EVENT_BYTES });
  const slow = await Promise.all(RESUMING.map((wire) => open(port, wire)));
  await load.publish(1);
  await waitUntil(() => slow.every(({ events }) => events.length === 1), 'the first event');
  for (const client of slow) client.stall();

  await publishUntilEnded(load, url, 2, []);
  for (const client of slow) client.goOn();
  await waitUntil(() => slow.every(({ isClosed }) => isClosed), 'the slow clients to be closed');
  const again = await Promise.all(
    slow.map(({ wire, cursor }) =>
      RawClient.open(port, wire, { rooms: ['load'], cursor, keep: withoutPadding }),
    ),
  );
  await load.publish(1);
  const last = load.published - 1;
  await waitUntil(() => again.every(({ events }) => numbersOf(events).at(-1) === last), 'the last event');

  for (const [index, { welcomes, events, gaps }] of again.entries()) {
    const before = numbersOf(slow[index]?.events ?? []);
    const after = numbersOf(events);
    expect(before).toEqual(numbers(0, before.length));
    expect(before.length).toBeLessThan(last);
    expect(welcomes.map(({ resumed }) => resumed)).toEqual([isWhole]);
    expect(gaps.map(({ reason }) => reason)).toEqual(isWhole ? [] : ['trimmed']);
    // It has no double, since no message of its was cut off between events and their cursor.
    expect(after).toEqual(isWhole ? numbers(before.length, load.published) : [last]);
  }
});
