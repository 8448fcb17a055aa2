import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { launchBrowser } from '../support/browser.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { PollingSession } from '../support/polling-session.js';
import { untilSessions } from '../support/gateway-status.js';
import { waitUntil } from '../support/wait-until.js';

/** Of Engine.IO: says that nothing is to be said. Source: https://socket.io/docs/v4/engine-io-protocol/#protocol */
const NOOP = '6';
/** What a websocket says of a connection that ended without a close frame. Source: RFC 6455, section 7.1.5. */
const NO_CLOSE_FRAME = 1006;
/** How what comes last begins when a client has connected: a stock client, and one that asked for bundles. */
const GREETING = '42["connection_status"';
const EVENTS = '42["events"';

afterEach(killLaunched);

/** A polling client in the namespace that has taken everything there was for it, `last` in the end. */
async function pollingClient(url: string, auth: string, last: string): Promise<PollingSession> {
  const session = await PollingSession.open(url);
  await session.send(`40${auth}`);
  while (!(await session.receive()).some((packet) => packet.startsWith(last)));
  return session;
}

/** A websocket client in the namespace, and all packets it got. */
async function websocketClient(
  url: string,
  auth: string,
): Promise<{ readonly socket: WebSocket; readonly packets: string[] }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const packets: string[] = [];
  socket.on('message', (packet: Buffer) => void packets.push(packet.toString()));
  await once(socket, 'open');
  socket.send(`40${auth}`);
  await waitUntil(() => packets.some((packet) => packet.startsWith('40')), 'the namespace');
  return { socket, packets };
}

/** How a gateway lets its clients go; `to` is the profile that a flip is to. */
const WAYS: readonly (readonly [string, (gateway: LaunchedGateway, to: string) => Promise<unknown>])[] = [
  ['a flip', ({ url }, profile) => requestJson('PUT', `${url}/api/admin/profile`, { profile })],
  ['a stop', ({ stop }) => stop()],
];

describe.each(WAYS)('at %s', (_what, leave) => {
  test.each([
    ['a stock client', '', 0],
    ['a bundle client, after its notice', '{"bundle":true}', 1],
  ])('%s gets neither a close packet nor a close frame', async (_who, auth, notices) => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET', DRAIN_MS: '100' });
    const polling = await pollingClient(gateway.url, auth, notices > 0 ? EVENTS : GREETING);
    const { socket, packets } = await websocketClient(gateway.url, auth);
    await untilSessions(gateway.url, 2);
    const closed = once(socket, 'close');
    const polled = polling.receive();
    // Once this was answered, the poll has come, too.
    await requestJson('GET', `${gateway.url}/healthz`);
    const left = leave(gateway, 'SSE');
    expect((await closed)[0]).toBe(NO_CLOSE_FRAME);
    const [last] = await polled;
    if (notices === 0) expect(last).toBe(NOOP);
    else expect(last).toMatch(/^42\["(profile_changed|draining)"/);
    expect(packets.filter((packet) => /profile_changed|draining/.test(packet))).toHaveLength(notices);
    expect([...packets, last]).not.toContain('1');
    const next = await polling.status().catch(() => 'nobody answers');
    expect([404, 'nobody answers']).toContain(next);
    await left;
  });
});

test('a client between two polls is given what waits for it, then its session is unknown', async () => {
  const { url } = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
  const polling = await pollingClient(url, '{"bundle":true}', EVENTS);
  await requestJson('PUT', `${url}/api/admin/profile`, { profile: 'SSE' });
  expect(await polling.receive()).toEqual(['42["profile_changed",{"reason":"transport_disabled"}]']);
  expect(await polling.status()).toBe(404);
});

test('a client that was asleep is not told goodbye either: it would not come back when it wakes', async () => {
  const { url } = await launchGateway({ APP_PROFILE: 'WEBSOCKET', PING_INTERVAL: '1', PING_TIMEOUT: '1' });
  const polling = await pollingClient(url, '', GREETING);
  const { socket, packets } = await websocketClient(url, '');
  const closed = once(socket, 'close');
  // The engine's ping, which neither answers.
  expect(await polling.receive()).toEqual(['2']);
  expect(await polling.receive()).toEqual([NOOP]);
  expect(await polling.status()).toBe(404);
  expect((await closed)[0]).toBe(NO_CLOSE_FRAME);
  expect(packets).not.toContain('1');
});

describe('pages in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser.close());

  test.each(WAYS)('an EventSource and a fetch are told why the stream ends, at %s', async (_what, leave) => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '100' });
    const page = await browser.newPage();
    const told: string[] = [];
    page.on('console', (message) => void told.push(message.text()));
    await page.goto(`${gateway.url}/api/profile`);
    // A browser opens six connections to one host.
    await page.evaluate(`
      globalThis.sources = [1, 2, 3, 4].map((number) => {
        const source = new EventSource('/api/events/stream');
        for (const name of ['profile_changed', 'draining', 'error'])
          source.addEventListener(name, () => console.log('EventSource', number, name));
        return source;
      });
      void (async () => {
        const { body } = await fetch('/api/events/stream');
        for await (const text of body.pipeThrough(new TextDecoderStream()))
          for (const [, name] of text.matchAll(/^event: (.*)$/gm)) console.log('fetch', name);
      })();
    `);
    await untilSessions(gateway.url, 5);
    await leave(gateway, 'WEBSOCKET');
    for (const client of ['EventSource 1', 'EventSource 2', 'EventSource 3', 'EventSource 4', 'fetch']) {
      await waitUntil(
        () => told.some((line) => [`${client} profile_changed`, `${client} draining`].includes(line)),
        `${client} to be told`,
      );
    }
    // It has not given up.
    await waitUntil(() => told.includes('EventSource 1 error'), 'the end');
    expect(await page.evaluate('sources[0].readyState')).not.toBe(2);
    await page.close();
  });
});
