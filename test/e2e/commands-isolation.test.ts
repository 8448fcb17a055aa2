import { afterEach, expect, test } from '@jest/globals';
import { eventSourceWire } from '../support/event-source-wire.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { publish } from '../support/publish.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireRecord } from '../support/wire-client.js';

const SPIN_MS = 5000;
/** What one round may take at most, ms: far less than the spin, far more than a busy machine needs. */
const MAX_ROUND_MS = 2000;

const clients: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await killLaunched();
});

const factsOf = (got: WireRecord): unknown[] =>
  got.events.filter(({ type }) => type === 'fact_added').map(({ data }) => data);

test('a command that burns CPU for 5 s delays neither events nor answers', async () => {
  const { url } = await launchExecuting({
    APP_PROFILE: 'HYBRID',
    COMMANDS_MODULE: 'test/support/commands.mjs',
    CONTROL_WAIT_MS: '30000',
  });
  const stream = await eventSourceWire.connect(url, {});
  const page = new StockClient(4, url, 'websocket');
  clients.push(stream, page);
  await waitUntil(() => page.events.length > 0, 'the page to be greeted');
  const clientHas = (data: number): boolean =>
    page.dataOf('fact_added').at(-1) === data && factsOf(stream.got).at(-1) === data;
  const spin = { done: false };
  const command = requestJson('POST', `${url}/api/control`, {
    action: 'test.spin',
    data: { ms: SPIN_MS },
  }).finally(() => {
    spin.done = true;
  });
  const roundsMs: number[] = [];
  while (!spin.done) {
    const startedAt = performance.now();
    const data = roundsMs.length;
    await publish(url, { type: 'fact_added', data });
    expect((await requestJson('GET', `${url}/api/rooms/default/state`)).status).toBe(200);
    expect(await page.ask('join', 'default')).toEqual({ rooms: ['default'] });
    await waitUntil(() => clientHas(data), 'the event, over both wires');
    roundsMs.push(performance.now() - startedAt);
  }
  const { status, json } = await command;
  expect([status, json]).toMatchObject([200, { status: 'succeeded', result: { spunMs: SPIN_MS } }]);
  // Had the loop been held, there would have been one round of five seconds.
  expect(roundsMs.length).toBeGreaterThan(10);
  expect(Math.max(...roundsMs)).toBeLessThan(MAX_ROUND_MS);
  expect(factsOf(stream.got)).toEqual(roundsMs.map((_, index) => index));
});
