import { afterEach, expect, test } from '@jest/globals';
import { requestJson } from '../support/json-request.js';
import { countOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched } from '../support/launched-gateway.js';
import { NumberedLoad, numbers, numbersOf, withoutPadding } from '../support/numbered-load.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { RAW_WIRES, RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const MIB = 1024 * 1024;
/** Readers of single bytes on each wire. */
const EACH = 5;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

test('readers of single bytes are slow consumers, and cost the others nothing', async () => {
  const gateway = await launchProbedGateway({
    APP_PROFILE: 'HYBRID',
    DEFAULT_ROOMS: 'load',
    LOG_MAX_BYTES: String(16 * MIB),
    LOG_MAX_EVENTS: '256',
    MAX_BACKLOG_SECONDS: '2',
    MAX_EVENTS_PER_SECOND_PER_CLIENT: '0',
    PING_INTERVAL: '300',
  });
  const { url, port } = gateway;
  const load = new NumberedLoad(url, { room: 'load', bytes: 64 * 1024 });
  const healthy = await Promise.all(
    RAW_WIRES.map((wire) => RawClient.open(port, wire, { rooms: ['load'], keep: withoutPadding })),
  );
  const publishOn = async (count: number): Promise<void> => {
    await load.publish(count);
    const { published } = load;
    await waitUntil(
      () => healthy.every(({ events }) => numbersOf(events).length >= published),
      'the healthy clients to have what was published',
    );
  };
  // As much as the log keeps, so that it is no growth.
  for (let round = 0; round < 20; round += 1) await publishOn(16);
  const heldBefore = await gateway.heldBytes();

  const slow = await Promise.all(
    numbers(0, EACH).flatMap((index) =>
      RAW_WIRES.map((wire) =>
        RawClient.open(port, wire, { rooms: ['load', `own-${String(index)}`], sips: true }),
      ),
    ),
  );
  let mostHeld = 0;
  await waitUntil(
    async () => {
      for (const client of slow) client.sip();
      await publishOn(16);
      expect((await requestJson('GET', `${url}/healthz`)).status).toBe(200);
      mostHeld = Math.max(mostHeld, await gateway.heldBytes());
      return (await countOf(url, 'sessions_ended', 'slow_consumer')) === slow.length;
    },
    'the slow readers to be ended',
    25_000,
  );
  await untilSessions(url, healthy.length);
  expect(mostHeld - heldBefore).toBeLessThan(slow.length * MIB);
  for (const { events, gaps } of healthy) {
    expect(numbersOf(events)).toEqual(numbers(0, load.published));
    expect(gaps).toEqual([]);
  }
});
