import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { CountedStream } from '../support/counted-stream.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway, ROOT } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { RawClient } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';
import { waitUntil } from '../support/wait-until.js';

/** Rooms beside the default one, the first the largest. */
const ROOMS = 25;

let browser: Browser;
let gateway: LaunchedGateway;
let opened: ConsolePage;
let load: CountedStream;

beforeAll(async () => {
  browser = await launchBrowser();
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    DEFAULT_ROOMS: 'default,other',
    COMMANDS_MODULE: path.join(ROOT, 'test/support/commands.mjs'),
    // Where it is set, others would have to execute them.
    REDIS_URL: undefined,
  });
  await RawCrowd.open(gateway.port, ['sse', 'bundle'], 60, (index) => ({
    rooms: index < 10 ? ['crowded'] : [`room-${String(index % ROOMS)}`, 'default'],
    keep: () => ({ type: '', data: null }),
  }));
  load = new CountedStream(gateway.url);
  opened = await ConsolePage.open(browser, gateway.url, { viewport: { width: 1440, height: 900 } });
  await opened.isLiveOver('SSE');
});

afterAll(async () => {
  await load.stop();
  await opened.close();
  RawClient.leaveAll();
  await browser.close();
  await killLaunched();
});

/** The number that an element shows. */
const numberAt = async (testId: string): Promise<number> =>
  Number.parseFloat((await opened.at(testId).textContent()) ?? '');

const isAbove = async (testId: string, least: number): Promise<boolean> => (await numberAt(testId)) > least;

const textsOf = (testId: string): Promise<string[]> => opened.at(testId).locator('tr').allInnerTexts();

/** Publishes what no gateway takes. */
const refuse = (): Promise<unknown> => publish(gateway.url, { type: 'not allowed' }).catch(() => undefined);

/** How many plots have been drawn on. */
const plotsDrawn = (): Promise<number> =>
  opened.page.evaluate(
    () =>
      [...document.querySelectorAll<HTMLCanvasElement>('#figures canvas')].filter((canvas) => {
        const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        return pixels.some((value) => value > 0);
      }).length,
  );

describe('the page of a gateway at work', () => {
  it('shows what goes in and out, how fast, and at what cost', async () => {
    const shown = ['events-in', 'writes-sse', 'writes-websocket', 'bytes-sse', 'bytes-websocket'];
    for (const testId of [
      ...shown,
      'coalescing',
      'window-width',
      'process-cpu',
      'memory-rss',
      'memory-heap',
      'held',
    ])
      await waitUntil(() => isAbove(testId, 0), `${testId} above 0`);
    for (const testId of ['latency-p50', 'latency-p95', 'latency-p99', 'lag-p50', 'lag-p99', 'backlog-age'])
      await waitUntil(() => isAbove(testId, -1), `a number at ${testId}`);
    expect(await numberAt('sessions-sse')).toBe(31);
    expect(await numberAt('sessions-websocket')).toBe(30);
    // In the page's own words: quantiles grow.
    expect(await numberAt('latency-p99')).toBeGreaterThanOrEqual(await numberAt('latency-p50'));
  });

  it('plots them, each in a canvas that has been drawn on', async () => {
    await waitUntil(async () => (await plotsDrawn()) === 12, 'twelve plots');
  });

  it('lists the largest rooms with their sizes, and says how many there are', async () => {
    await waitUntil(async () => (await textsOf('rooms-table')).length === 20, 'twenty rooms');
    const [first = '', second = ''] = await textsOf('rooms-table');
    expect([first.split('\t'), second.split('\t')]).toEqual([
      ['default', '51'],
      ['crowded', '10'],
    ]);
    await opened.says('rooms-count', String(ROOMS + 3));
  });

  it('lists commands with their state, newest first, and why one failed', async () => {
    await requestJson('POST', `${gateway.url}/api/control`, { action: 'test.echo', data: 'unseen' });
    await requestJson('POST', `${gateway.url}/api/control`, { action: 'test.fail' });
    await requestJson('POST', `${gateway.url}/api/control/`, { action: 'test.sleep', data: { ms: 60_000 } });
    await waitUntil(async () => (await textsOf('commands')).length === 3, 'three commands');
    const rows = (await textsOf('commands')).map((row) => row.split('\t'));
    expect(rows.map(([action, state]) => [action, state])).toEqual([
      ['test.sleep', 'queued'],
      ['test.fail', 'failed'],
      ['test.echo', 'succeeded'],
    ]);
    expect(rows[1]?.at(-1)).toBe('command_failed: it failed as it should');
    expect(await opened.at('commands').innerText()).not.toContain('unseen');
  });

  it('says what was refused, and why', async () => {
    await refuse();
    await waitUntil(
      async () => (await textsOf('drops')).some((row) => row === 'Events refused\tinvalid_type\t1'),
      'the refusal',
    );
    expect(await isAbove('drops-rate', -1)).toBe(true);
    await waitUntil(async () => {
      await refuse();
      return isAbove('refusals-rate', 0);
    }, 'refusals in the plot');
  });

  it('filters events by room and by type, and by both', async () => {
    const rooms = ['default', 'other'];
    for (const room of rooms)
      for (const type of ['apple', 'pear']) await publish(gateway.url, { type, room });
    await opened.rows('event', 'pear').nth(1).waitFor();
    const shown = (): Promise<string[]> =>
      opened
        .rows('event')
        .evaluateAll((rows) =>
          rows.map(
            (row) => `${row.dataset['type'] ?? ''} ${row.querySelector('.row-room')?.textContent ?? ''}`,
          ),
        );
    await opened.at('filter-type').selectOption('pear');
    await waitUntil(async () => (await shown()).length === 2, 'two pears');
    expect(await shown()).toEqual(['pear other', 'pear default']);
    await opened.at('filter-room').selectOption('other');
    expect(await shown()).toEqual(['pear other']);
    await opened.at('filter').fill('apple');
    expect(await shown()).toEqual([]);
    await opened.at('filter').fill('');
    await opened.at('filter-type').selectOption('');
    expect((await shown()).every((row) => row.endsWith(' other'))).toBe(true);
    await opened.at('filter-room').selectOption('');
    await opened.rows('event', 'counted').first().waitFor();
  });

  it('asks for nothing while it is hidden, and goes on once it is seen', async () => {
    let asked = 0;
    opened.page.on('request', (request) => (asked += request.url().includes('/api/admin/') ? 1 : 0));
    const hide = (hidden: boolean): Promise<void> =>
      opened.page.evaluate((isHidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(true);
    const before = asked;
    // About two seconds of events: more than twice the time between two questions.
    const enough = load.ids.length + 80;
    await waitUntil(() => load.ids.length >= enough, 'eighty more events');
    // What was asked right before may be heard of after.
    expect(asked - before).toBeLessThanOrEqual(1);
    await hide(false);
    await waitUntil(() => asked >= before + 2, 'questions');
  });

  it('has no trouble of its own, and fits its window', async () => {
    await opened.picture('load');
    await opened.page.emulateMedia({ colorScheme: 'dark' });
    await opened.picture('load-dark');
    await opened.page.setViewportSize({ width: 360, height: 780 });
    await opened.picture('load-narrow-dark');
    expect(await opened.overflow()).toBe(0);
    expect(opened.troubles).toEqual([]);
  });
});
