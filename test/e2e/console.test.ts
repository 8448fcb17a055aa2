import os from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { hostKey } from '../../src/sources/host-monitor.js';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { overprints } from '../support/overprints.js';
import { publish } from '../support/publish.js';
import { waitUntil } from '../support/wait-until.js';

let browser: Browser;
let gateway: LaunchedGateway;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await killLaunched();
});

describe.each([
  { profile: 'WEBSOCKET', transport: 'Socket.IO' as const, sessions: { sse: '0', websocket: '1' } },
  { profile: 'SSE', transport: 'SSE' as const, sessions: { sse: '1', websocket: '0' } },
  { profile: 'HYBRID', transport: 'SSE' as const, sessions: { sse: '1', websocket: '0' } },
])('the page under $profile', ({ profile, transport, sessions }) => {
  let opened: ConsolePage;

  beforeAll(async () => {
    gateway = await launchGateway({ APP_PROFILE: profile, HOST_MONITOR: 'true' });
  });

  afterAll(killLaunched);

  beforeEach(async () => {
    opened = await ConsolePage.open(browser, gateway.url);
    await opened.isLiveOver(transport);
  });

  afterEach(async () => {
    const { troubles } = opened;
    await opened.close();
    expect(troubles).toEqual([]);
  });

  it('says what it is connected to and shows the host', async () => {
    await opened.says('profile', profile);
    await opened.says('monitor-state', 'running');
    await opened.says('sessions-sse', sessions.sse);
    await opened.says('sessions-websocket', sessions.websocket);
    expect(await opened.at('transport-select').isVisible()).toBe(profile === 'HYBRID');
    // Nobody is told apart here.
    for (const part of ['account', 'sign-in', 'sign-in-open'])
      expect(await opened.at(part).isVisible()).toBe(false);
    expect(await opened.at('log').textContent()).toMatch(/^(memory|redis), ready$/);
    expect(Number(await opened.at('held').textContent())).toBeGreaterThan(0);
    expect(await opened.at('window').textContent()).toMatch(/^\d+ ms$/);
    await waitUntil(async () => /^[\d.]+ \/s$/.test((await opened.at('rate').textContent()) ?? ''), 'a rate');

    await opened.rows('event', 'system_load_update').first().waitFor();
    await waitUntil(async () => (await opened.at('cpu').textContent()) !== '–', 'a CPU load');
    const cpu = Number((await opened.at('cpu').textContent())?.replace(' %', ''));
    const told = (await opened.shown('system_load_update')).map(({ text }) =>
      Number(/cpuPercent: ([\d.]+)/.exec(text)?.[1]),
    );
    expect(told).toContain(cpu);
    expect(await opened.page.locator('#cores > *').count()).toBe(os.cpus().length);
    expect(await opened.page.locator('#host-note').textContent()).toContain(hostKey(os.hostname()));
  });

  it('steers the host monitor', async () => {
    await opened.at('monitor-interval').fill('100');
    await opened.at('monitor-apply').click();
    await opened.says('command-outcome', 'Done.');
    const tenPerSecond = (await opened.shown('system_load_update')).length + 10;
    await waitUntil(
      async () => (await opened.shown('system_load_update')).length > tenPerSecond,
      'more events',
    );

    await opened.at('monitor-stop').click();
    await opened.says('monitor-state', 'stopped');
    const stoppedAt = Date.now();
    const afterStop = async () =>
      (await opened.shown('system_load_update')).filter(({ id }) => Number.parseInt(id, 10) > stoppedAt);
    // The page shows what comes in order: each of these goes out in a flush of its own, and nothing in between.
    for (let turn = 0; turn < 10; turn += 1) {
      const [id = ''] = await publish(gateway.url, { type: 'marker' });
      await waitUntil(
        async () => (await opened.shown('marker')).some((shown) => shown.id === id),
        'the marker',
      );
    }
    expect(await afterStop()).toEqual([]);
    expect(await opened.at('monitor-state').textContent()).toBe('stopped');

    await opened.at('monitor-start').click();
    await opened.says('monitor-state', 'running');
    await waitUntil(async () => (await afterStop()).length > 2, 'events after the start');

    await opened.at('monitor-interval').fill('7');
    await opened.at('monitor-apply').click();
    await waitUntil(
      async () => ((await opened.at('command-error').textContent()) ?? '').includes('100'),
      'the refusal of an interval of 7 ms',
    );
    // The refusal is an answer of 400, which the browser reports by itself.
    const refused = opened.troubles.filter((trouble) => trouble.includes('400 (Bad Request)'));
    expect(refused).toHaveLength(1);
    opened.forgive(refused);
  });

  it('lists what is published as text, filters it, and holds still when it is paused', async () => {
    const data = { html: '<img src=x onerror="document.title=1"><b id="injected">bold</b>' };
    const [id = ''] = await publish(gateway.url, { type: 'page_test', data });
    const row = opened.rows('event', 'page_test');
    await row.waitFor();
    expect(await row.getAttribute('data-id')).toBe(id);
    expect(await row.textContent()).toContain('<b id=\\"injected\\">bold</b>');
    await row.locator('summary').click();
    const detail = (await row.locator('pre').textContent()) ?? '';
    expect(JSON.parse(detail)).toMatchObject({ id, type: 'page_test', room: 'default', data });
    expect(await opened.page.locator('#injected, img[src="x"]').count()).toBe(0);
    expect(await opened.page.title()).toBe('flipgate');

    await opened.at('filter').fill('PAGE_test');
    await waitUntil(async () => (await opened.rows('event').count()) === 1, 'the one row the filter leaves');
    expect(await opened.rows('event').getAttribute('data-type')).toBe('page_test');
    await opened.at('filter').fill('');
    await opened.rows('event', 'system_load_update').first().waitFor();

    await opened.at('pause').click();
    const held = await opened.rows('event').count();
    const [unseen = ''] = await publish(gateway.url, { type: 'page_test', data: 'while paused' });
    await opened.page.getByText(/^Resume \(\d+ new\)$/).waitFor();
    expect(await opened.rows('event').count()).toBe(held);
    await opened.at('pause').click();
    await opened.hasShown('page_test', unseen);
    await opened.says('pause', 'Pause');
  });
});

// The pictures are kept for people to look at; a machine can only tell that nothing sticks out.
it('fits its window, wide and narrow, light and dark', async () => {
  gateway = await launchGateway({ APP_PROFILE: 'HYBRID', HOST_MONITOR: 'true' });
  const opened = await ConsolePage.open(browser, gateway.url);
  const { page } = opened;
  await opened.isLiveOver('SSE');
  await publish(gateway.url, [
    { type: 'fact_added', data: { statement: 'HasPart(Car, Engine)', source: 'x'.repeat(300) } },
    { type: 'governor_decision', key: 'a-rather-long-host-name.example.org', data: [1, null, { a: [] }] },
  ]);
  await opened.rows('event', 'fact_added').waitFor();
  await waitUntil(async () => (await opened.at('memory').textContent()) !== '–', 'a memory reading');
  for (const { name, colorScheme, width } of [
    { name: 'light', colorScheme: 'light' as const, width: 1280 },
    { name: 'dark', colorScheme: 'dark' as const, width: 1280 },
    { name: 'narrow', colorScheme: 'light' as const, width: 360 },
  ]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await opened.picture(name);
    expect({ name, overflow: await opened.overflow() }).toEqual({ name, overflow: 0 });
    expect({ name, over: await overprints(page) }).toEqual({ name, over: [] });
  }
  // In one process there is nothing that could be away.
  expect(await opened.at('outage').isVisible()).toBe(false);
  await opened.close();
  expect(opened.troubles).toEqual([]);
});
