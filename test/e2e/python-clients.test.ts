import { afterEach, describe, expect, test } from '@jest/globals';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { hasPythonClients, PythonClient } from '../support/python-client.js';
import { freePort } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

if (!hasPythonClients) {
  process.stderr.write('SKIPPED, python-socketio: scripts/install-test-tools.mjs could not install it\n');
}
const withPython = hasPythonClients ? describe : describe.skip;

/** python-socketio tries again after a second or so, then after up to five. */
const BACK_MS = 40_000;

let clients: PythonClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await killLaunched();
});

async function until(holds: (client: PythonClient) => boolean, what: string, ms?: number): Promise<void> {
  await waitUntil(() => clients.every(holds), what, ms).catch((error: unknown) => {
    const told = clients.map((client) => client.describe()).join('\n');
    throw new Error(`${String(error)}\n${told}`);
  });
}

/** One of each version and transport, connected. */
async function connectAll(url: string): Promise<void> {
  clients = ([5, 4] as const).flatMap((version) =>
    (['polling', 'websocket'] as const).map((transport) => new PythonClient(version, url, transport)),
  );
  await until((client) => client.count('connect') === 1, 'all to connect', BACK_MS);
  await mark(url, 'before');
}

/** Publishes an event and waits until all have it. */
async function mark(url: string, data: string): Promise<void> {
  await publish(url, { type: 'fact_added', data });
  await until(({ facts }) => facts.includes(data), `"${data}" to reach all`);
}

async function allAreBack({ url }: LaunchedGateway): Promise<void> {
  await until((client) => client.count('connect') === 2, 'all to come back', BACK_MS);
  await mark(url, 'after');
  for (const client of clients) {
    expect(client.told.filter(([name]) => name !== 'fact_added')).toEqual([
      ['connect'],
      ['disconnect'],
      ['connect'],
    ]);
  }
}

withPython('python-socketio, versions 5.18 and 4.6, over polling and websocket', () => {
  test.each(['stop', 'kill'] as const)(
    'comes back by itself after a restart: %s',
    async (how) => {
      const port = String(await freePort());
      const first = await launchGateway({ PORT: port });
      await connectAll(first.url);
      await first[how]();
      await until((client) => client.count('disconnect') === 1, 'all to notice');
      await allAreBack(await launchGateway({ PORT: port }));
    },
    90_000,
  );

  test('gets what was published right before a stop', async () => {
    const gateway = await launchGateway();
    await connectAll(gateway.url);
    // The second one has to wait for the flush window that the first one opens.
    for (const data of ['one before', 'the last']) await publish(gateway.url, { type: 'fact_added', data });
    await gateway.stop();
    await until(({ facts }) => facts.includes('the last'), 'the last event to reach all');
  }, 90_000);

  test('comes back by itself after a flip there and back', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    await connectAll(gateway.url);
    for (const profile of ['SSE', 'WEBSOCKET']) {
      const { status } = await requestJson('PUT', `${gateway.url}/api/admin/profile`, { profile });
      expect(status).toBe(200);
      await waitUntil(async () => {
        const { json } = await requestJson('GET', `${gateway.url}/api/admin/profile`);
        return json.flip.state === 'done';
      }, 'the flip to be done');
      await until((client) => client.count('disconnect') === 1, 'all to notice');
    }
    await allAreBack(gateway);
  }, 90_000);
});
