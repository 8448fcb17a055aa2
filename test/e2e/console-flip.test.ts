import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { CountedStream } from '../support/counted-stream.js';
import { freePort } from '../support/redis-server.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { waitUntil } from '../support/wait-until.js';

let browser: Browser;
let stream: CountedStream | undefined;
let opened: ConsolePage | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
});

afterEach(async () => {
  await stream?.stop();
  await opened?.close();
  await killLaunched();
});

/** The ids of all `counted` events in the room that the page is in, as the gateway's log has them. */
async function logged(url: string): Promise<string[]> {
  const response = await fetch(`${url}/api/rooms/default/events?limit=1000`);
  const { events, whole } = (await response.json()) as {
    events: { id: string; type: string }[];
    whole: boolean;
  };
  expect(whole).toBe(true);
  return events.filter((event) => event.type === 'counted').map((event) => event.id);
}

/** Waits until the page has had the time of a dozen more events. */
async function goOn(page: ConsolePage, counted: CountedStream): Promise<void> {
  const enough = counted.ids.length + 12;
  await waitUntil(() => counted.ids.length >= enough, 'a dozen more events');
  await page.hasShown('counted', counted.ids[enough - 1] ?? '');
}

/** The log in full and in its order, without a hole and without a double. */
async function hasShownAll(page: ConsolePage, url: string): Promise<string[]> {
  const expected = await logged(url);
  await page.hasShown('counted', expected.at(-1) ?? '');
  expect((await page.shown('counted')).map(({ id }) => id)).toEqual(expected);
  expect(await page.rows('gap').count()).toBe(0);
  return expected;
}

it('HYBRID: carries the stream from one transport to the other and back', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'HYBRID', HOST_MONITOR: 'true' });
  opened = await ConsolePage.open(browser, gateway.url);
  await opened.isLiveOver('SSE');
  stream = new CountedStream(gateway.url);
  await goOn(opened, stream);
  for (const [choice, transport, own, other] of [
    ['websocket', 'Socket.IO', 'sessions-websocket', 'sessions-sse'],
    ['sse', 'SSE', 'sessions-sse', 'sessions-websocket'],
    ['websocket', 'Socket.IO', 'sessions-websocket', 'sessions-sse'],
  ] as const) {
    await opened.at('transport-select').selectOption(choice);
    await opened.isLiveOver(transport);
    await goOn(opened, stream);
    await opened.says(own, '1');
    await opened.says(other, '0');
  }
  await stream.stop();
  expect(await hasShownAll(opened, gateway.url)).toEqual(stream.ids);
  expect(opened.troubles).toEqual([]);
});

describe('a killed gateway that comes back under the other profile', () => {
  it('gets its page back over the other transport, without a hole or a double', async () => {
    const port = await freePort();
    const prefix = `test-console-${String(process.pid)}-${String(Date.now())}`;
    const variables = {
      PORT: String(port),
      REDIS_URL: process.env.TEST_REDIS_URL,
      REDIS_KEY_PREFIX: prefix,
      REDIS_CHANNELS: `${prefix}-events`,
    };
    let gateway = await launchGateway({ ...variables, APP_PROFILE: 'WEBSOCKET' });
    opened = await ConsolePage.open(browser, gateway.url);
    await opened.isLiveOver('Socket.IO');
    stream = new CountedStream(gateway.url);
    await goOn(opened, stream);

    for (const [profile, transport] of [
      ['SSE', 'SSE'],
      ['WEBSOCKET', 'Socket.IO'],
    ] as const) {
      await gateway.kill();
      await opened.says('state', 'reconnecting');
      await opened.says('transport', '–');
      // A page that is away for long would draw only the newest of what it missed, and skip the one that is looked for.
      stream.pause();
      const id = await appendDirectly(prefix);
      gateway = await launchGateway({ ...variables, APP_PROFILE: profile });
      await opened.isLiveOver(transport);
      await opened.says('profile', profile);
      await opened.hasShown('counted', id);
      stream.resume();
      await goOn(opened, stream);
    }
    await stream.stop();
    expect(await hasShownAll(opened, gateway.url)).toEqual(expect.arrayContaining([...stream.ids]));
    // That a gateway which is down does not answer, the browser reports by itself.
    expect(opened.troubles.filter((trouble) => !trouble.includes('net::ERR_'))).toEqual([]);
  });
});

/** What a publisher that knows the log does while no gateway runs. Resolves with the id. */
async function appendDirectly(prefix: string): Promise<string> {
  const redis = new Redis(process.env.TEST_REDIS_URL ?? '');
  const id = await redis.xadd(`${prefix}:{log}`, '*', 'type', 'counted', 'data', '{"n":"between"}');
  redis.disconnect();
  return String(id);
}
