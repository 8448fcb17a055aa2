import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import {
  examplePython,
  type ExampleProgram,
  killExamples,
  startExample,
} from '../support/example-programs.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireClient } from '../support/wire-client.js';

const python = examplePython() ?? '';
if (python === '') {
  process.stderr.write(
    'SKIPPED, the examples in Python: no python3 has bullmq, flask and redis (scripts/install-test-tools.mjs installs them)\n',
  );
}
const withPython = python === '' ? describe.skip : describe;

const redisUrl = String(process.env['TEST_REDIS_URL']);
const prefixes = `examples-${String(process.pid)}-${String(Date.now())}`;
/** Each test's own: a gateway that was killed leaves its lease behind. */
let prefix = '';
let tests = 0;
const clients: { close(): Promise<void> }[] = [];
let server: RedisServer | undefined;

beforeEach(() => {
  prefix = `${prefixes}-${String((tests += 1))}`;
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await killExamples();
  await killLaunched();
  await server?.stop();
  server = undefined;
});

afterAll(async () => {
  const redis = new Redis(redisUrl);
  const keys = await redis.keys(`*${prefixes}*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
});

async function launch(variables: Record<string, string>): Promise<LaunchedGateway> {
  const gateway = await launchGateway({
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: `${prefix}-events,${prefix}-updates`,
    ...variables,
  });
  await waitUntil(async () => {
    const { json } = await requestJson('GET', `${gateway.url}/api/admin/status`);
    return json.log.state === 'ready' && json.log.bridge === 'copying';
  }, 'the gateway to listen');
  return gateway;
}

async function listen({ url }: LaunchedGateway): Promise<WireClient> {
  const client = await eventSourceWire.connect(url, {});
  clients.push(client);
  return client;
}

/** The facts a client got over this way, by their numbers. */
const factsVia = ({ got }: WireClient, via: string): unknown[] =>
  got.events
    .map(({ data }) => data as { number?: unknown; via?: unknown })
    .filter((data) => data.via === via)
    .map(({ number }) => number);

const control = (gateway: LaunchedGateway, action: string, data?: unknown): ReturnType<typeof requestJson> =>
  requestJson('POST', `${gateway.url}/api/control`, { action, data });

withPython('examples/python-publisher', () => {
  test('publishes by PUBLISH, by XADD, and over HTTP', async () => {
    const gateway = await launch({ APP_PROFILE: 'SSE' });
    const client = await listen(gateway);
    const common = ['--redis', redisUrl, '--pause', '0'];
    const ways = [
      ['python-publisher/redis_publisher.py', 'publish', ...common, '--channel', `${prefix}-events`],
      ['python-publisher/redis_publisher.py', 'append', ...common, '--prefix', prefix],
      ['python-publisher/http_publisher.py', '--gateway', gateway.url, '--pause', '0'],
    ] as const;
    for (const way of ways) {
      const program = await startExample(python, way);
      expect([await program.ended, program.output()]).toEqual([
        0,
        expect.stringMatching(/^(fact \d: .*\n){3}$/),
      ]);
    }
    for (const via of ['publish', 'append', 'http']) {
      await waitUntil(() => factsVia(client, via).length === 3, `the facts by ${via}`);
      expect(factsVia(client, via)).toEqual([1, 2, 3]);
    }
  });

  test('waits out a Redis that is away', async () => {
    const args = ['--appendonly', 'yes'];
    server = await startRedisServer({ args });
    const gateway = await launch({ APP_PROFILE: 'SSE', REDIS_URL: server.url });
    const client = await listen(gateway);
    await server.kill();
    const program = await startExample(
      python,
      ['python-publisher/http_publisher.py', '--gateway', gateway.url, '--count', '2', '--pause', '0'],
      {},
      'not yet (log_unavailable',
    );
    server = await startRedisServer({ args, port: server.port, folder: server.folder });
    expect(await program.ended).toBe(0);
    await waitUntil(() => factsVia(client, 'http').length === 2, 'the facts');
    expect(factsVia(client, 'http')).toEqual([1, 2]);
    expect(client.got.losses).toBe(0);
  });

  test('does not repeat what is refused for good', async () => {
    const gateway = await launch({ APP_PROFILE: 'SSE' });
    const program = await startExample(python, [
      'python-publisher/http_publisher.py',
      '--gateway',
      `${gateway.url}/nowhere`,
    ]);
    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('Refused: not_found');
  });
});

withPython('examples/python-worker', () => {
  test('executes what its queue is sent, and tells what went wrong', async () => {
    const gateway = await launch({ COMMANDS_MODULE: 'examples/python-worker/commands.mjs' });
    await startExample(
      python,
      ['python-worker/worker.py'],
      { REDIS_URL: redisUrl, REDIS_KEY_PREFIX: prefix },
      'waiting for commands',
    );
    expect((await control(gateway, 'greeter.greet', { name: 'Ada' })).json).toMatchObject({
      status: 'succeeded',
      result: { greeting: 'Hello, Ada' },
    });
    expect((await control(gateway, 'greeter.greet')).json).toMatchObject({
      status: 'failed',
      error: { code: 'command_failed', message: 'nobody to greet' },
    });
  });
});

withPython('examples/hak-gal', () => {
  let browser: Browser;
  let backendUrl: string;
  let gateway: LaunchedGateway;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  /** The backend and its worker, and a gateway that waits less for a command than the governor takes. */
  async function startAll(variables: Record<string, string> = {}): Promise<ExampleProgram> {
    const port = String(await freePort());
    backendUrl = `http://127.0.0.1:${port}`;
    const common = { REDIS_URL: redisUrl, REDIS_KEY_PREFIX: prefix };
    const backend = startExample(
      python,
      ['hak-gal/backend.py'],
      {
        ...common,
        BACKEND_PORT: port,
        EVENTS_CHANNEL: `${prefix}-events`,
        UPDATES_CHANNEL: `${prefix}-updates`,
        GOVERNOR_START_SECONDS: '1.5',
        GOVERNOR_STOP_SECONDS: '0.7',
      },
      'Running on',
    );
    const worker = startExample(
      python,
      ['hak-gal/worker.py'],
      { ...common, BACKEND_URL: backendUrl },
      'waiting for commands',
    );
    gateway = await launch({
      APP_PROFILE: 'HYBRID',
      COMMANDS_MODULE: 'examples/hak-gal/commands.mjs',
      CONTROL_WAIT_MS: '400',
      CONTROL_RATE_PER_SECOND: '100',
      CORS_ORIGINS: backendUrl,
      ...variables,
    });
    await backend;
    return worker;
  }

  test('a legacy client steers the governor, with and without an ack, and gets what the backend publishes', async () => {
    await startAll();
    const client = new StockClient(4, gateway.url, 'websocket');
    clients.push(client);
    await waitUntil(() => client.connects === 1, 'the connection');

    expect(await client.ask('governor_control', { action: 'start' })).toMatchObject({
      action: 'governor.start',
      status: 'queued',
    });
    const states = (): unknown[] =>
      client.dataOf('governor_update').map((data) => (data as { status?: unknown }).status);
    await waitUntil(() => states().includes('running'), 'the governor to run');
    await waitUntil(() => client.dataOf('governor_decision').length >= 2, 'decisions');
    client.emit('governor_control', { action: 'stop' });
    await waitUntil(() => states().at(-1) === 'stopped', 'the governor to stop');
    expect(states()).toEqual(['starting', 'running', 'stopping', 'stopped']);

    await requestJson('POST', `${backendUrl}/api/facts`, { statement: 'IsA(Plato, Human)' });
    await waitUntil(() => client.dataOf('kb_update').length > 0, 'kb_update');
    expect(client.dataOf('kb_update')).toEqual([{ metrics: { fact_count: 3 } }]);
    expect(client.dataOf('fact_added')).toEqual([{ statement: 'IsA(Plato, Human)' }]);
    await waitUntil(() => client.dataOf('system_load_update').length > 0, 'the load');
  });

  test('its page works in a browser as it always did', async () => {
    await startAll();
    const page = await browser.newPage();
    await page.goto(`${backendUrl}/?server=${encodeURIComponent(gateway.url)}`);
    const reads = (id: string, text: RegExp): Promise<void> =>
      waitUntil(
        async () => text.test((await page.locator(`#${id}`).textContent()) ?? ''),
        `${id} ${String(text)}`,
      );

    await reads('connection', /^connected$/);
    await page.locator('#start').click();
    await reads('governor', /^starting$/);
    await reads('governor', /^running$/);
    await reads('decisions', /^[1-9]/);
    await page.locator('#stop').click();
    await reads('governor', /^stopped$/);
    await page.locator('#statement').fill('IsA(Kant, Human)');
    await page.locator('#add button').click();
    await reads('log', /new fact: IsA\(Kant, Human\)/);
    await reads('facts', /^3$/);
    await reads('load', /^\d/);
    await page.close();
  });

  test('its demo shows events and other commands while the slow one runs', async () => {
    await startAll();
    const demo = await startExample(process.execPath, ['hak-gal/demo.mjs', gateway.url]);
    expect([await demo.ended, demo.output()]).toEqual([
      0,
      expect.stringMatching(/governor\.start: answered 202 "queued"[^]*governor\.stop: succeeded/),
    ]);
    const figures =
      /meanwhile: (\d+) ticks, the slowest here (\d+) ms .* (\d+) other commands, .* in (\d+) ms/;
    const [, ticks, tickMs, commands, commandMs] = (figures.exec(demo.output()) ?? []).map(Number);
    expect(demo.output()).toContain('governor.status: "starting"');
    expect(Number(ticks)).toBeGreaterThan(3);
    expect(Number(commands)).toBeGreaterThan(0);
    // Both would be as slow as the governor, 1.5 s, if anything waited for it.
    expect(Number(tickMs)).toBeLessThan(1000);
    expect(Number(commandMs)).toBeLessThan(1000);
  });

  test('a command whose worker is killed is done by another', async () => {
    const worker = await startAll();
    const { json } = await control(gateway, 'governor.start');
    expect(json.status).toBe('queued');
    await waitUntil(() => worker.output().includes(json.id), 'the worker to begin');
    worker.process.kill('SIGKILL');
    await startExample(
      python,
      ['hak-gal/worker.py'],
      { REDIS_URL: redisUrl, REDIS_KEY_PREFIX: prefix, BACKEND_URL: backendUrl },
      'waiting for commands',
    );
    await waitUntil(
      async () => {
        const state = await requestJson('GET', `${gateway.url}/api/control/${String(json.id)}`);
        return state.json.status === 'succeeded' && state.json.result.running === true;
      },
      'the command to succeed',
      30_000,
    );
  }, 45_000);
});
