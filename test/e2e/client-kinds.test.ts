import { afterEach, describe, expect, test } from '@jest/globals';
import { EventStream } from '../../src/client/index.js';
import type { ClientsByTransport } from '../../src/core/delivery/client-tally.js';
import { statusOf, untilSessions } from '../support/gateway-status.js';
import { closeClients, closedLater, HeardClient } from '../support/heard-client.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { sampleIn } from '../support/metrics-text.js';
import { RawClient } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';
import { runProgram } from '../support/run-program.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const stock: StockClient[] = [];
const streams: AbortController[] = [];

afterEach(async () => {
  closeClients();
  RawClient.leaveAll();
  for (const stream of streams.splice(0)) stream.abort();
  await Promise.all(stock.splice(0).map((client) => client.close()));
  await killLaunched();
});

const NOBODY = { sdk: 0, bundle: 0, eventsource: 0, stock: 0 };

const clientsAt = async (url: string): Promise<ClientsByTransport> => (await statusOf(url)).clients;

/** Two SDK clients over Socket.IO and one over SSE, a bundle client, two stock ones, two readers of streams. */
async function connectAll(gateway: LaunchedGateway): Promise<HeardClient[]> {
  const { url, port } = gateway;
  const own = (['websocket', 'websocket', 'sse'] as const).map((prefer) => new HeardClient(url, { prefer }));
  await Promise.all(own.map((client) => client.isLive()));
  closedLater(new EventStream(`${url}/api/events/stream`));
  await RawCrowd.open(port, ['bundle', 'legacy', 'sse'], 3, () => ({}));
  const client = new StockClient(4, url, 'websocket', {
    reconnectionDelay: 50,
    query: { client: 'sdk/0.1.0' },
  });
  stock.push(client);
  await untilSessions(url, 8);
  return own;
}

describe('kinds of clients', () => {
  test('are told apart in status and metrics', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID' });
    await connectAll(gateway);
    expect(await clientsAt(gateway.url)).toEqual({
      websocket: { ...NOBODY, sdk: 2, bundle: 1, stock: 2 },
      sse: { ...NOBODY, sdk: 1, eventsource: 2 },
    });
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(sampleIn(text, 'flipgate_clients{transport="websocket",kind="stock"}')).toBe(2);
    expect(sampleIn(text, 'flipgate_clients{transport="sse",kind="sdk"}')).toBe(1);
    expect(sampleIn(text, 'flipgate_clients_opened_total{kind="sdk"}')).toBe(3);
    // What was there before means what it did.
    expect(sampleIn(text, 'flipgate_sessions{transport="websocket"}')).toBe(5);
  });

  test('are not what a client with a nonsensical label makes of them', async () => {
    const { url } = await launchGateway({ APP_PROFILE: 'SSE' });
    const labels = ['sdk', 'sdk/', '%00', 'sdk/1%0d%0aX: y', `sdk/${'9'.repeat(4000)}`, 'other/1', ''];
    for (const label of labels) {
      const stream = new AbortController();
      streams.push(stream);
      const answer = await fetch(`${url}/api/events/stream?client=${label}`, { signal: stream.signal });
      expect(answer.status).toBe(200);
      expect((await requestJson('GET', `${url}/api/profile?client=${label}`)).status).toBe(200);
    }
    expect((await clientsAt(url)).sse).toEqual({ ...NOBODY, eventsource: labels.length });
  });

  test('decide who is moved by a flip, and who is cut off', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID' });
    const { url } = gateway;
    const own = await connectAll(gateway);
    const { code, stdout } = await runProgram('dist/cli.js', ['flip', 'SSE', '--url', url], {});
    expect(code).toBe(0);
    expect(stdout).toContain(
      'HYBRID → SSE: done; 2 SDK clients moved, 2 came back; 3 clients cut off (1 bundle, 2 stock)\n',
    );
    expect(stdout).toContain('not known to speak another transport');
    await Promise.all(own.map((client) => client.isLive('sse')));
    const report = await requestJson('GET', `${url}/api/admin/profile`);
    expect(report.json).toMatchObject({
      flip: {
        sessions: {
          total: 5,
          left: 0,
          clients: {
            moved: 2,
            returned: 2,
            cutOff: 3,
            gone: 0,
            byKind: {
              sdk: { total: 2, left: 0, ended: 2 },
              bundle: { total: 1, left: 0, ended: 1 },
              eventsource: { total: 0, left: 0, ended: 0 },
              stock: { total: 2, left: 0, ended: 2 },
            },
          },
        },
      },
    });
    expect(await clientsAt(url)).toEqual({ websocket: NOBODY, sse: { ...NOBODY, sdk: 3, eventsource: 2 } });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(sampleIn(text, 'flipgate_flip_clients{outcome="returned"}')).toBe(2);
    expect(sampleIn(text, 'flipgate_flip_clients{outcome="cut_off"}')).toBe(3);
    expect(sampleIn(text, 'flipgate_clients_turned_off_total{kind="stock"}')).toBe(2);
    expect(gateway.output()).toMatch(/"cutOff":3,.*"moved":2,/);
  });

  test('are added up over all nodes', async () => {
    const shared = {
      REDIS_URL: process.env['TEST_REDIS_URL'],
      REDIS_KEY_PREFIX: `kinds-${String(process.pid)}-${String(Date.now())}`,
      APP_PROFILE: 'WEBSOCKET',
    };
    const [one, other] = await Promise.all([launchGateway(shared), launchGateway(shared)]);
    const own = [one, other].map(({ url }) => new HeardClient([url], { prefer: 'websocket' }));
    await Promise.all(own.map((client) => client.isLive('websocket')));
    await RawCrowd.open(other.port, ['legacy'], 4, () => ({}));
    const { url } = one;
    await waitUntil(async () => {
      const { cluster } = (await statusOf(url)) as unknown as { cluster: { clients: ClientsByTransport } };
      return cluster.clients.websocket.sdk === 2 && cluster.clients.websocket.stock === 4;
    }, 'the clients of both nodes');
    const { code, stdout } = await runProgram('dist/cli.js', ['flip', 'SSE', '--all', '--url', url], {});
    expect(code).toBe(0);
    expect(stdout).toContain('SSE: done; 2 SDK clients moved, 2 came back; 4 clients cut off (4 stock); ');
  });
});
