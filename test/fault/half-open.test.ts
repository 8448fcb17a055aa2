import { afterEach, expect, test } from '@jest/globals';
import { type CutProxy, openCutProxy } from '../support/cut-proxy.js';
import { statusOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { NumberedLoad, numbers, numbersOf, withoutPadding } from '../support/numbered-load.js';
import { PollingSession } from '../support/polling-session.js';
import { RawClient, type RawWire } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

let proxy: CutProxy;

afterEach(async () => {
  RawClient.leaveAll();
  proxy.close();
  await killLaunched();
});

const openAll = (port: number, wires: readonly RawWire[]): Promise<RawClient[]> =>
  Promise.all(wires.map((wire) => RawClient.open(port, wire, { rooms: ['load'], keep: withoutPadding })));

test('Socket.IO clients that vanish without a word are gone once they answer no ping', async () => {
  const { url, port } = await launchGateway({
    APP_PROFILE: 'WEBSOCKET',
    PING_INTERVAL: '0.5',
    PING_TIMEOUT: '0.5',
  });
  proxy = await openCutProxy(port);
  const vanishing = await openAll(proxy.port, ['bundle', 'legacy']);
  const staying = await openAll(port, ['bundle', 'legacy']);
  const polling = await PollingSession.open(url);
  await polling.send('40');
  await untilSessions(url, 5);
  // The one that polls simply never does so again.
  proxy.freeze();
  await untilSessions(url, 2);
  expect((await statusOf(url)).counters['sessions_ended']).toBeUndefined();
  // It was the gateway that let go: to them, nothing has happened.
  expect(vanishing.map(({ isClosed }) => isClosed)).toEqual([false, false]);
  expect(staying.map(({ isClosed }) => isClosed)).toEqual([false, false]);
  for (const client of staying) client.leave();
  await untilSessions(url, 0);
});

test('streams whose client vanished are gone once they can take no more', async () => {
  const { url, port } = await launchGateway({ APP_PROFILE: 'SSE', MAX_BACKLOG_SECONDS: '1' });
  proxy = await openCutProxy(port);
  const vanishing = await openAll(proxy.port, ['sse', 'sse', 'sse']);
  const [staying] = (await openAll(port, ['sse'])) as [RawClient];
  await untilSessions(url, 4);
  proxy.freeze();
  const load = new NumberedLoad(url, { room: 'load', bytes: 64 * 1024 });
  await waitUntil(
    async () => {
      await load.publish(16);
      const { published } = load;
      await waitUntil(
        () => numbersOf(staying.events).length >= published,
        'the other to have what was published',
      );
      return (await statusOf(url)).sessions.sse === 1;
    },
    'the sessions to end',
    25_000,
  );
  expect(numbersOf(staying.events)).toEqual(numbers(0, load.published));
  expect((await statusOf(url)).counters['sessions_ended']).toEqual({ slow_consumer: 3 });
  expect(vanishing.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
  staying.leave();
  await untilSessions(url, 0);
});
