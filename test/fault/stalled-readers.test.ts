import { afterEach, expect, test } from '@jest/globals';
import { untilSessions } from '../support/gateway-status.js';
import { killLaunched } from '../support/launched-gateway.js';
import { NumberedLoad, numbers, numbersOf, withoutPadding } from '../support/numbered-load.js';
import { PollingSession } from '../support/polling-session.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { RAW_WIRES, RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const MIB = 1024 * 1024;
/** Stalled clients of each kind: stream, bundle, legacy, polling. */
const STALLED = 5;
const EVENT_BYTES = 64 * 1024;
/** Published in each round: 64 MiB. */
const EVENTS = 1024;
/** Published before the healthy clients must have it all: half of what the log holds. */
const STEP = 128;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

test('stalled readers cost neither memory nor anybody else an event', async () => {
  const gateway = await launchProbedGateway({
    APP_PROFILE: 'HYBRID',
    DEFAULT_ROOMS: 'load',
    LOG_MAX_BYTES: String(16 * MIB),
    // With Redis it is these that bound it.
    LOG_MAX_EVENTS: String(STEP * 2),
    MAX_EVENTS_PER_SECOND_PER_CLIENT: '0',
    MAX_BACKLOG_SECONDS: '600',
    PING_INTERVAL: '300',
  });
  const { url, port } = gateway;
  const load = new NumberedLoad(url, { room: 'load', bytes: EVENT_BYTES });
  const healthy = await Promise.all(
    RAW_WIRES.map((wire) => RawClient.open(port, wire, { rooms: ['load'], keep: withoutPadding })),
  );
  const publishRound = async (): Promise<void> => {
    for (let done = 0; done < EVENTS; done += STEP) {
      await load.publish(STEP);
      const { published } = load;
      await waitUntil(
        () => healthy.every(({ events }) => numbersOf(events).length >= published),
        `the healthy clients to have ${String(published)} events`,
      );
    }
  };

  await publishRound();
  const [heldBefore, rssBefore] = [await gateway.heldBytes(), gateway.rssBytes()];

  const stalled = await Promise.all(
    numbers(0, STALLED).flatMap((index) =>
      // In a second room, too, so that it is not simply served as one of many members of the first.
      RAW_WIRES.map((wire) => RawClient.open(port, wire, { rooms: ['load', `own-${String(index)}`] })),
    ),
  );
  for (const client of stalled) client.stall();
  const polls = await Promise.all(
    numbers(0, STALLED).map(async (index) => {
      const session = await PollingSession.open(url);
      await session.send(`40${JSON.stringify({ bundle: true, rooms: ['load', `poll-${String(index)}`] })}`);
      // Every other one asks once, and does not read what it is answered.
      return index % 2 === 0 ? session.pollWithoutReading() : undefined;
    }),
  );
  const sessions = stalled.length + polls.length + healthy.length;
  await untilSessions(url, sessions);
  await publishRound();
  const [held, rss] = [await gateway.heldBytes(), gateway.rssBytes()];

  await untilSessions(url, sessions);
  for (const { events } of healthy) expect(numbersOf(events)).toEqual(numbers(0, 2 * EVENTS));
  expect(healthy.map(({ gaps }) => gaps)).toEqual([[], [], []]);
  // What is written to them they share: to hold it for them would cost 64 MiB and more.
  const bound = (stalled.length + polls.length) * MIB;
  expect(held - heldBefore).toBeLessThan(bound);
  // The system counts what was collected and not given back, too.
  if (rss !== undefined && rssBefore !== undefined) expect(rss - rssBefore).toBeLessThan(bound + 80 * MIB);
  for (const client of [...stalled, ...healthy]) client.leave();
  for (const socket of polls) socket?.destroy();
});
