import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ClientPage, clientHtml } from '../support/client-page.js';
import { CountedStream } from '../support/counted-stream.js';
import { openCutProxy } from '../support/cut-proxy.js';
import { statusOf } from '../support/gateway-status.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { freePort } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

let browser: Browser;
let context: BrowserContext;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

beforeEach(async () => {
  context = await browser.newContext();
});

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
  await context.close();
  await killLaunched();
});

afterAll(async () => {
  await browser.close();
});

function count(url: string): CountedStream {
  const stream = new CountedStream(url);
  ends.push(() => stream.stop());
  return stream;
}

/** Waits until a dozen more were published and have come to the pages. */
async function goOn(counted: CountedStream, ...pages: readonly ClientPage[]): Promise<void> {
  const enough = counted.ids.length + 12;
  await waitUntil(() => counted.ids.length >= enough, 'a dozen more events');
  await Promise.all(pages.map((page) => page.has(counted.ids[enough - 1])));
}

/** Each event of the log came to the page, once and in order: all of it, or all from where it began. */
async function hasAll(page: ClientPage, url: string, { fromStart = true } = {}): Promise<void> {
  const { json } = await requestJson('GET', `${url}/api/rooms/default/events?limit=1000`);
  const { events } = json as { events: { id: string; type: string }[] };
  const logged = events.filter((event) => event.type === 'counted').map(({ id }) => id);
  await page.has(logged.at(-1));
  const { ids, gaps } = await page.heard();
  expect(ids).toEqual(fromStart ? logged : logged.slice(-ids.length));
  expect(gaps).toEqual([]);
}

async function flip(url: string, profile: string): Promise<void> {
  const { status } = await requestJson('PUT', `${url}/api/admin/profile`, { profile });
  expect(status).toBe(200);
}

it('a page misses nothing while its gateway is flipped, there and back, and restarted with the other profile', async () => {
  const prefix = `test-client-page-${String(process.pid)}-${String(Date.now())}`;
  const variables = {
    PORT: String(await freePort()),
    REDIS_URL: process.env.TEST_REDIS_URL,
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: `${prefix}-events`,
    DRAIN_MS: '300',
  };
  const gateway = await launchGateway({ ...variables, APP_PROFILE: 'SSE' });
  const { url } = gateway;
  const page = await ClientPage.beside(context, { url });
  await page.is('live', 'sse');
  const stream = count(url);
  await goOn(stream, page);
  for (const [profile, transport] of [
    ['WEBSOCKET', 'websocket'],
    ['SSE', 'sse'],
  ] as const) {
    await flip(url, profile);
    await page.is('live', transport);
    await goOn(stream, page);
  }
  await gateway.kill();
  await page.is('reconnecting');
  await launchGateway({ ...variables, APP_PROFILE: 'WEBSOCKET' });
  await page.is('live', 'websocket');
  await goOn(stream, page);
  await stream.stop();
  await hasAll(page, url);
  const { welcomes } = await page.heard();
  expect(welcomes.slice(1).map(({ resumed }) => resumed)).not.toContain(false);
});

it('a page comes back at once when its network does, and when its machine wakes up', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
  const proxy = await openCutProxy(gateway.port);
  ends.push(proxy.close);
  // Its waits are as long as they may be.
  await context.addInitScript(() => {
    Math.random = () => 1;
  });
  await context.clock.install();
  const page = await ClientPage.beside(context, { url: proxy.url });
  await page.is('live');
  const stream = count(gateway.url);
  await goOn(stream, page);
  await context.setOffline(true);
  await page.is('offline');
  await waitUntil(async () => ((await page.state())?.retryInMs ?? 0) > 1500, 'a wait');
  const away = (await page.heard()).states.length;
  await context.setOffline(false);
  await page.is('live', 'sse');
  // It did not wait for its next attempt to be due.
  expect((await page.heard()).states[away]).toMatchObject({ reason: 'the network changed', retryInMs: null });
  await goOn(stream, page);
  // The lid is closed for an hour: the connection is gone, and nobody said so.
  proxy.freeze();
  await page.page.clock.fastForward('01:00:00');
  await waitUntil(async () => (await page.heard()).welcomes.length === 3, 'it to come back');
  expect((await page.heard()).states.at(-2)).toMatchObject({ reason: 'the page woke up', retryInMs: null });
  await goOn(stream, page);
  await stream.stop();
  await hasAll(page, gateway.url);
});

it('ten tabs share one stream over whichever transport, and each hears all of it', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '300' });
  const { url } = gateway;
  await publish(url, { type: 'price', key: 'a', data: 'old' });
  const open = (): Promise<ClientPage> => ClientPage.beside(context, { url, options: { shared: true } });
  const first = await open();
  await first.is('live');
  const stream = count(url);
  // While events come: what is between their beginning and the stream must not be missing.
  const tabs = [first, ...(await Promise.all(Array.from({ length: 9 }, open)))];
  await Promise.all(tabs.map((tab) => tab.is('live', 'sse')));
  await goOn(stream, ...tabs);
  expect((await statusOf(url)).sessions).toEqual({ sse: 1, websocket: 0 });
  // The worker that has the stream names itself, for all tabs.
  expect((await statusOf(url)).clients.sse.sdk).toBe(1);
  await flip(url, 'WEBSOCKET');
  await Promise.all(tabs.map((tab) => tab.is('live', 'websocket')));
  await publish(url, { type: 'price', key: 'a', data: 'new' });
  await goOn(stream, ...tabs);
  expect((await statusOf(url)).sessions).toEqual({ sse: 0, websocket: 1 });
  expect((await statusOf(url)).clients.websocket.sdk).toBe(1);
  await stream.stop();
  for (const tab of tabs) {
    await hasAll(tab, url, { fromStart: tab === first });
    expect(await tab.hasData(2)).toEqual(['old', 'new']);
  }
});

it('tabs that share hear their own rooms, also when others come and go', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'HYBRID' });
  const { url } = gateway;
  const members = async (): Promise<unknown> => (await statusOf(url)).rooms;
  const open = (room: string): Promise<ClientPage> =>
    ClientPage.beside(context, { url, options: { shared: true, rooms: [room] } });
  const [a, b] = [await open('a'), await open('b')];
  await Promise.all([a.is('live'), b.is('live')]);
  await publish(url, { type: 'price', room: 'a', key: 'x', data: 'of a' });
  await publish(url, { type: 'price', room: 'b', key: 'x', data: 'of b' });
  expect([await a.hasData(1), await b.hasData(1)]).toEqual([['of a'], ['of b']]);
  expect(await members()).toEqual({ a: 1, b: 1 });
  expect(await b.change('join', 'a')).toEqual(['b', 'a']);
  expect(await b.hasData(2)).toEqual(['of b', 'of a']);
  await a.page.close();
  await publish(url, { type: 'price', room: 'a', key: 'x', data: 'still' });
  expect(await b.hasData(3)).toEqual(['of b', 'of a', 'still']);
  expect(await b.change('leave', 'a')).toEqual(['b']);
  await waitUntil(async () => JSON.stringify(await members()) === '{"b":1}', 'the room to be left');
  // A tab that comes back from elsewhere goes on where it was.
  const cursor = await b.page.evaluate(
    () => (globalThis as unknown as { client: { cursor: string } }).client.cursor,
  );
  await publish(url, { type: 'counted', room: 'b', data: 1 });
  const c = await ClientPage.beside(context, { url, options: { shared: true, rooms: ['b'], cursor } });
  await waitUntil(async () => (await c.heard()).ids.length === 1, 'what it missed');
  expect(await c.heard()).toMatchObject({ data: [], gaps: [], welcomes: [{ resumed: true, rooms: ['b'] }] });
});

it('the seventh tab says why it has to wait', async () => {
  let gatewayUrl = '';
  let script = '';
  const site = createServer((req, res) => {
    const isScript = req.url === '/client.js';
    res.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    res.end(
      isScript ? script : clientHtml({ url: gatewayUrl, script: '/client.js', options: { shared: true } }),
    );
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  ends.push(() => {
    site.closeAllConnections();
    site.close();
  });
  const app = `http://127.0.0.1:${String((site.address() as AddressInfo).port)}`;
  gatewayUrl = (await launchGateway({ APP_PROFILE: 'SSE', CORS_ORIGINS: app })).url;
  script = await (await fetch(`${gatewayUrl}/client.js`)).text();
  const tabs = await Promise.all(Array.from({ length: 6 }, () => ClientPage.at(context, app)));
  for (const tab of tabs) expect((await tab.is('live')).reason).toMatch(/^not shared: .* origin$/);
  const seventh = await ClientPage.at(context, app);
  await waitUntil(async () => (await seventh.state())?.reason !== '', 'a reason');
  expect(await seventh.state()).toMatchObject({
    state: 'connecting',
    reason: expect.stringMatching(/six connections.*shared: true.*HTTP\/2/),
  });
  await tabs[0]?.page.close();
  await seventh.is('live');
});
