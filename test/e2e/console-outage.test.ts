import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { statusOf } from '../support/gateway-status.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { overprints } from '../support/overprints.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

let browser: Browser;
let redis: RedisServer | undefined;
let opened: ConsolePage | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
});

afterEach(async () => {
  await opened?.close();
  await killLaunched();
  await redis?.stop();
});

/** What the browser itself reports of answers that say that something does not work. */
const isOutageTrouble = (trouble: string): boolean => trouble.includes('503 (Service Unavailable)');

/** Gives nodes long names, as clouds do, and large numbers. */
async function lengthenNames(page: Page): Promise<void> {
  await page.route('**/api/admin/status', async (route) => {
    const response = await route.fetch();
    const status = (await response.json()) as { cluster: { nodes: Record<string, unknown>[] } };
    status.cluster.nodes.forEach((node, index) => {
      const host = `flipgate-7c9d8f6b5b-x2x${String(index)}.realtime.eu-central-1.compute.internal.example.com`;
      const url =
        index === 0 ? 'http://[2001:db8:85a3:1111:2222:8a2e:370:7334]:5002/' : `http://${host}:5002/`;
      Object.assign(node, {
        host,
        url,
        uptimeSeconds: 10_706_400,
        sessions: { sse: 123_456, websocket: 98_765 },
      });
    });
    await route.fulfill({ response, json: status });
  });
}

describe('a page whose gateway has lost Redis', () => {
  it('says across its top what does not work and since when, prints nothing over anything, and clears itself', async () => {
    redis = await startRedisServer();
    const variables = { APP_PROFILE: 'HYBRID', REDIS_URL: redis.url, REDIS_KEY_PREFIX: 'outage' };
    const [{ url }] = await Promise.all([launchGateway(variables), launchGateway(variables)]);
    opened = await ConsolePage.open(browser, url, {
      viewport: { width: 1280, height: 900 },
      colorScheme: 'light',
    });
    const { page } = opened;
    await opened.isLiveOver('SSE');
    await opened.says('flip-all-label', 'All 2 nodes');
    const colour = (): Promise<string> =>
      page.getByTestId('state').evaluate((word) => getComputedStyle(word).color);
    const good = await colour();
    expect(await opened.at('outage').isVisible()).toBe(false);

    const killedAt = Date.now();
    await redis.kill();
    await opened.says('outage-what', 'The event log in Redis is unavailable');
    const effects = async (): Promise<string> => (await opened?.at('outage-effects').innerText()) ?? '';
    for (const said of ['Publishing is refused', 'Commands are refused', 'other nodes can not be reached'])
      await waitUntil(async () => (await effects()).includes(said), said);
    // It says what is so.
    expect((await requestJson('POST', `${url}/api/events`, { type: 'x', data: 1 })).status).toBe(503);
    expect((await requestJson('GET', `${url}/api/admin/commands`)).json).toMatchObject({
      error: { code: 'queue_unavailable' },
    });
    const { since } = ((await statusOf(url)) as unknown as { log: { since: number } }).log;
    expect(since).toBeGreaterThan(killedAt - 1000);
    const clock = new Date(since).toTimeString().slice(0, 8);
    expect(await opened.at('outage-since').textContent()).toBe(`since ${clock}`);
    // The stream itself lives on; it is not shown as if all were well.
    await opened.says('state', 'live');
    expect(await colour()).not.toBe(good);

    await lengthenNames(page);
    await page.getByTestId('nodes').getByText('x2x1').waitFor();
    for (const width of [1440, 1000, 700, 360]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        await opened.picture(`outage-${String(width)}-${colorScheme}`);
        const seen = { width, over: await overprints(page), overflow: await opened.overflow() };
        expect(seen).toEqual({ width, over: [], overflow: 0 });
      }
    }

    await page.emulateMedia({ colorScheme: 'light' });
    const { port, folder } = redis;
    redis = await startRedisServer({ port, folder });
    await opened.at('outage').waitFor({ state: 'hidden' });
    await waitUntil(async () => (await colour()) === good, 'the connection to look well');
    await requestJson('POST', `${url}/api/events`, { type: 'back', data: 1 });
    await opened.rows('event', 'back').waitFor();
    expect(opened.troubles.filter((trouble) => !isOutageTrouble(trouble))).toEqual([]);
  });

  it('says so to who has no right to the status, too', async () => {
    redis = await startRedisServer();
    const key = 'reader-0123456789abcdef0123456789abcdef';
    const { url } = await launchGateway({
      REDIS_URL: redis.url,
      AUTH_MODE: 'token',
      API_KEYS: JSON.stringify([{ id: 'reader', key, subscribe: ['*'] }]),
    });
    opened = await ConsolePage.open(browser, url);
    await opened.at('token').fill(key);
    await opened.at('sign-in-submit').click();
    await opened.says('state', 'live');
    expect(await opened.at('outage').isVisible()).toBe(false);
    await redis.kill();
    await opened.says('outage-what', 'The event log is unavailable');
    expect(await opened.at('outage-effects').innerText()).toContain('Publishing is refused');
  });
});
