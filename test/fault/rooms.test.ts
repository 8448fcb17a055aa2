import { afterEach, expect, test } from '@jest/globals';
import { cursorOf, statusOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched } from '../support/launched-gateway.js';
import { numbers } from '../support/numbered-load.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { publish } from '../support/publish.js';
import { RawClient } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';
import { waitUntil } from '../support/wait-until.js';

const SESSIONS = 8000;
/** Events of one publication. */
const EACH = 1000;
/** Rooms the status page lists at most. */
const LISTED = 1000;
/** Events the log holds. */
const LOG_EVENTS = 10_000;
/** What may stay of a client, and of its room, when it has gone and the log has moved on. */
const LEFT_BYTES = 500;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

test('8000 sessions in one room, and 8000 rooms of one session each: each gets what is its own', async () => {
  const gateway = await launchProbedGateway({
    APP_PROFILE: 'SSE',
    PING_INTERVAL: '300',
    LOG_MAX_EVENTS: String(LOG_EVENTS),
  });
  const { url, port } = gateway;
  const open = (count: number, roomOf: (index: number) => string): Promise<RawCrowd> =>
    RawCrowd.open(port, ['sse'], count, (index) => ({ rooms: [roomOf(index)] }));
  const leave = async (crowd: RawCrowd): Promise<void> => {
    crowd.leave();
    await untilSessions(url, 0);
    expect((await statusOf(url)).rooms).toEqual({});
  };
  /** Fills the log with events of nobody's room. */
  const moveLogOn = async (): Promise<void> => {
    const events = numbers(0, EACH).map((n) => ({ type: 'fact_added', room: 'nobody', data: n }));
    let last: string | undefined;
    for (let done = 0; done < LOG_EVENTS; done += EACH) last = (await publish(url, events)).at(-1);
    const cursor = await cursorOf(url, last);
    await waitUntil(async () => (await statusOf(url)).cursor === cursor, 'the node to have read them');
  };
  await leave(await open(100, () => 'first'));
  await moveLogOn();
  const heldBefore = await gateway.heldBytes();

  const together = await open(SESSIONS, () => 'r-all');
  expect(await statusOf(url)).toMatchObject({ sessions: { sse: SESSIONS }, rooms: { 'r-all': SESSIONS } });
  await publish(url, { type: 'fact_added', room: 'r-all', data: 'all' });
  await together.until(({ events }) => events.length > 0, 'to get the event of their room');
  expect(together.clients.every(({ events }) => events.length === 1 && events[0]?.data === 'all')).toBe(true);
  await leave(together);

  const apart = await open(SESSIONS, (index) => `r-${String(index)}`);
  const { sessions, rooms } = await statusOf(url);
  expect(sessions.sse).toBe(SESSIONS);
  expect(Object.keys(rooms)).toHaveLength(LISTED);
  expect(new Set(Object.values(rooms))).toEqual(new Set([1]));
  for (let from = 0; from < SESSIONS; from += EACH) {
    const events = numbers(from, from + EACH).map((n) => ({
      type: 'fact_added',
      room: `r-${String(n)}`,
      data: n,
    }));
    await publish(url, events);
  }
  await apart.until(({ events }) => events.length > 0, 'to get the event of its own room');
  expect(apart.clients.every(({ events }, n) => events.length === 1 && events[0]?.data === n)).toBe(true);
  await leave(apart);
  await moveLogOn();

  // Rooms that hold nothing are let go of by and by.
  await waitUntil(
    async () => (await gateway.heldBytes()) - heldBefore < SESSIONS * LEFT_BYTES,
    'the memory to return',
  );
});
