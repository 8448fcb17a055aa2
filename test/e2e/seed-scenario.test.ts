import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { bundleWire } from '../support/bundle-wire.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { freePort } from '../support/redis-server.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireClient, WireEvent } from '../support/wire-client.js';

const redisUrl = String(process.env['TEST_REDIS_URL']);
const prefix = `seed-${String(process.pid)}-${String(Date.now())}`;
const channel = `${prefix}:events`;
let redis: Redis;

beforeAll(() => {
  redis = new Redis(redisUrl);
});

afterEach(killLaunched);

afterAll(async () => {
  await redis.del(`${prefix}:{log}`);
  redis.disconnect();
});

async function launch(profile: string, port: string): Promise<LaunchedGateway> {
  const gateway = await launchGateway({
    APP_PROFILE: profile,
    PORT: port,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: `${channel},${prefix}:updates`,
  });
  await waitUntil(
    async () => Number((await redis.pubsub('NUMSUB', channel))[1]) > 0,
    'the gateway to listen',
  );
  return gateway;
}

const numbers = (first: number, end: number): number[] =>
  Array.from({ length: end - first }, (_, index) => first + index);

/** As the backends that are out there do it. */
async function publishFromPython(first: number, end: number): Promise<void> {
  for (const number of numbers(first, end)) {
    const timestamp = 1732219200 + number / 10;
    await redis.publish(channel, JSON.stringify({ type: 'fact_added', data: number, timestamp }));
    await redis.publish(channel, JSON.stringify({ type: 'kb_update', data: { facts: number }, timestamp }));
  }
}

/** As backends do it that must lose nothing: into the log itself, which is there when no gateway is. */
async function appendToLog(first: number, end: number): Promise<void> {
  for (const number of numbers(first, end)) {
    await redis.xadd(
      `${prefix}:{log}`,
      '*',
      'type',
      'fact_added',
      'timestamp',
      '1732219200.5',
      'data',
      String(number),
    );
    await redis.xadd(`${prefix}:{log}`, '*', 'type', 'kb_update', 'data', `{"facts":${String(number)}}`);
  }
}

const factsOf = (events: readonly WireEvent[]): unknown[] =>
  events.filter(({ type }) => type === 'fact_added').map(({ data }) => data);

/** Waits until a client has everything up to this event, and knows it; closes it and returns its cursor. */
async function leaveAfter(client: WireClient, last: number): Promise<string> {
  await waitUntil(() => factsOf(client.got.events).at(-1) === last, `fact ${String(last)}`);
  await waitUntil(() => {
    const newest = client.got.events.filter(({ type }) => type === 'kb_update').at(-1);
    return (
      (newest?.data as { facts?: number } | undefined)?.facts === last && client.got.cursorId === newest?.id
    );
  }, 'the newest value and its cursor');
  await client.close();
  return String(client.got.cursor);
}

test('an env flip from WEBSOCKET to SSE and back loses nothing, doubles nothing, and keeps the order', async () => {
  const port = String(await freePort());

  let gateway = await launch('WEBSOCKET', port);
  const page = new StockClient(4, gateway.url, 'upgrade');
  const first = await bundleWire('websocket').connect(gateway.url, {});
  await waitUntil(() => page.events.length > 0, 'the page to be greeted');
  await publishFromPython(0, 100);
  const firstCursor = await leaveAfter(first, 99);
  await waitUntil(() => page.dataOf('fact_added').length === 100, 'the page to have all events');
  expect(page.dataOf('fact_added')).toEqual(numbers(0, 100));
  await waitUntil(
    () => JSON.stringify(page.dataOf('kb_update').at(-1)) === '{"facts":99}',
    'the newest value',
  );

  expect(await gateway.stop()).toBe(0);
  await appendToLog(100, 150);
  gateway = await launch('SSE', port);
  expect((await requestJson('GET', `${gateway.url}/api/profile`)).json).toMatchObject({
    profile: 'SSE',
    transports: { websocket: null, sse: { path: '/api/events/stream' } },
  });
  const second = await eventSourceWire.connect(gateway.url, { cursor: firstCursor });
  await publishFromPython(150, 200);
  const secondCursor = await leaveAfter(second, 199);

  expect(await gateway.stop()).toBe(0);
  await appendToLog(200, 220);
  gateway = await launch('WEBSOCKET', port);
  const third = await bundleWire('polling').connect(gateway.url, { cursor: secondCursor });
  await waitUntil(() => page.connects === 2, 'the page to come back by itself', 25_000);
  await publishFromPython(220, 250);
  await leaveAfter(third, 249);
  await waitUntil(() => page.dataOf('fact_added').at(-1) === 249, 'the page to go on');

  const clients = [first, second, third];
  expect(clients.map(({ got }) => [got.welcomes.length, got.gaps.length])).toEqual([
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
  expect(clients.map(({ got }) => got.welcomes[0]?.resumed)).toEqual([false, true, true]);
  const all = clients.flatMap(({ got }) => got.events);
  expect(factsOf(all)).toEqual(numbers(0, 250));
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  const values = all
    .filter(({ type }) => type === 'kb_update')
    .map(({ data }) => (data as { facts: number }).facts);
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(all[0]?.timestamp).toBe(1732219200);
  // The page, which knows no cursor, was shown the newest values as it came back, and missed only what it was away for.
  expect(page.dataOf('fact_added')).toEqual([...numbers(0, 100), ...numbers(220, 250)]);
  // More events than its rate come to it later, one write each.
  await waitUntil(
    () => JSON.stringify(page.dataOf('kb_update').at(-1)) === '{"facts":249}',
    'the newest value',
  );
  await page.close();
});
