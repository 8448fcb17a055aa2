import { afterAll, afterEach, expect, test } from '@jest/globals';
import { eventSourceWire } from '../support/event-source-wire.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const SPIN_MS = 5000;
/** What one round may take at most, ms: far less than the spin, far more than a busy machine needs. */
const MAX_ROUND_MS = 2000;

afterEach(killLaunched);
afterAll(killLaunched);

test('a command that burns CPU for 5 s delays neither events nor answers', async () => {
  const { url } = await launchGateway({
    APP_PROFILE: 'HYBRID',
    COMMANDS_MODULE: 'test/support/commands.mjs',
    CONTROL_WAIT_MS: '30000',
  });
  const stream = await eventSourceWire.connect(url, {});
  const page = new StockClient(4, url, 'websocket');
  await waitUntil(() => page.events.length > 0, 'the page to be greeted');
  let spinning = true;
  const command = requestJson('POST', `${url}/api/control`, {
    action: 'test.spin',
    data: { ms: SPIN_MS },
  }).finally(() => {
    spinning = false;
  });
  const roundsMs: number[] = [];
  while (spinning) {
    const startedAt = performance.now();
    const data = roundsMs.length;
    await publish(url, { type: 'fact_added', data });
    expect((await requestJson('GET', `${url}/api/rooms/default/state`)).status).toBe(200);
    expect(await page.ask('join', 'default')).toEqual({ rooms: ['default'] });
    await waitUntil(() => stream.got.dataOf('default').at(-1) === data, 'the event over SSE');
    await waitUntil(() => page.dataOf('fact_added').at(-1) === data, 'the event over Socket.IO');
    roundsMs.push(performance.now() - startedAt);
  }
  const { status, json } = await command;
  expect([status, json]).toMatchObject([200, { status: 'succeeded', result: { spunMs: SPIN_MS } }]);
  // Had the loop been held, there would have been one round of five seconds.
  expect(roundsMs.length).toBeGreaterThan(10);
  expect(Math.max(...roundsMs)).toBeLessThan(MAX_ROUND_MS);
  expect(stream.got.dataOf('default')).toEqual(roundsMs.map((_, index) => index));
  await Promise.all([stream.close(), page.close()]);
});
