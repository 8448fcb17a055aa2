import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { CountedStream } from '../support/counted-stream.js';
import { untilSessions } from '../support/gateway-status.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { RawClient } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';
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
  RawClient.leaveAll();
  await killLaunched();
});

/** Notes everything the flip says from now on; returns what reads it. */
async function listen(page: ConsolePage, testId: string): Promise<() => Promise<string[]>> {
  await page.page.evaluate((id) => {
    const said: string[] = [];
    (globalThis as unknown as Record<string, string[]>)[id] = said;
    const element = document.querySelector(`[data-testid="${id}"]`);
    if (element === null) throw new Error(`there is no ${id}`);
    new MutationObserver(() => said.push(element.textContent ?? '')).observe(element, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  }, testId);
  return () =>
    page.page.evaluate((id) => (globalThis as unknown as Record<string, string[]>)[id] ?? [], testId);
}

/** What the page shows of the counted stream is what was published: in order, without a hole and without a double. */
async function isUnbroken(page: ConsolePage, counted: CountedStream): Promise<void> {
  await counted.stop();
  await page.hasShown('counted', counted.ids.at(-1) ?? '');
  expect((await page.shown('counted')).map(({ id }) => id)).toEqual(counted.ids);
  expect(await page.rows('gap').count()).toBe(0);
}

async function crowd(gateway: LaunchedGateway, wire: 'sse' | 'bundle', count: number): Promise<void> {
  await RawCrowd.open(gateway.port, [wire], count, () => ({ keep: () => ({ type: '', data: null }) }));
}

describe('the flip from the page', () => {
  it('asks, says what it does, shows how clients move, and moves along, there and back', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '1500' });
    opened = await ConsolePage.open(browser, gateway.url, { viewport: { width: 1280, height: 900 } });
    await opened.isLiveOver('SSE');
    stream = new CountedStream(gateway.url);
    await waitUntil(() => (stream?.ids.length ?? 0) > 5, 'some events');
    expect(await opened.at('flip-open').isDisabled()).toBe(true);

    for (const { from, to, wire, transport, cutOff } of [
      { from: 'SSE', to: 'WEBSOCKET', wire: 'sse', transport: 'Socket.IO', cutOff: 'EventSource' },
      {
        from: 'WEBSOCKET',
        to: 'SSE',
        wire: 'bundle',
        transport: 'SSE',
        cutOff: 'bundle',
      },
    ] as const) {
      await crowd(gateway, wire, 100);
      const said = await listen(opened, 'flip-text');
      const readOut = await listen(opened, 'flip-live');
      const sessions = wire === 'sse' ? 'sessions-sse' : 'sessions-websocket';
      await opened.says(sessions, '101');
      await opened.at(`flip-to-${to}`).check({ force: true });
      await opened.at('flip-open').click();
      await opened.says('flip-question', `Flip to ${to}?`);
      const consequences = await opened.at('flip-consequences').innerText();
      expect(consequences).toContain(`This node will serve ${to} instead of ${from}.`);
      expect(consequences).toContain('the 101 sessions that are connected by it will be closed');
      expect(consequences).toContain(`The SDK client among them comes back over ${transport}`);
      expect(consequences).toContain(`Cut off: 100 ${cutOff}.`);
      await opened.says('flip-clients', `Connected: 1 SDK, 100 ${cutOff}`);
      await opened.picture(`dialog-${to.toLowerCase()}`, false);
      await opened.at('flip-confirm').click();

      await opened.isLiveOver(transport);
      await opened.picture(`flipping-${to.toLowerCase()}`, false);
      const done = `Flipped to ${to}: 1 moved, 1 came back; 100 cut off`;
      await opened.says('flip-text', done);
      await opened.says('profile', to);
      await opened.says(sessions, '0');
      const moving = new RegExp(`^Flipping to ${to}: \\d+ of 101 sessions closed$`);
      expect((await said()).filter((text) => moving.test(text))).not.toEqual([]);
      expect((await readOut()).at(-1)).toBe(done);
      expect(await opened.at('flip-kinds').locator('tbody tr').allInnerTexts()).toEqual([
        'SDK\tmoved\t1 / 1',
        `${cutOff}\tcut off\t100 / 100`,
      ]);
      expect(await opened.at('flip-bar').evaluate((bar) => (bar as HTMLProgressElement).position)).toBe(1);
      expect(await opened.at('flip-error').textContent()).toBe('');
    }
    await isUnbroken(opened, stream);
    expect(opened.troubles).toEqual([]);
  });

  it('can be done by keyboard alone, with the focus in sight, and called off', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    opened = await ConsolePage.open(browser, gateway.url, {
      colorScheme: 'dark',
      viewport: { width: 360, height: 780 },
      reducedMotion: 'reduce',
    });
    const { page } = opened;
    await opened.isLiveOver('Socket.IO');
    await opened.says('flip-open', 'Choose another profile');
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? '');
    const outline = (): Promise<string> =>
      page.evaluate(() => {
        const element = document.activeElement;
        const shown = element instanceof HTMLInputElement ? element.nextElementSibling : element;
        return shown === null ? '' : getComputedStyle(shown).outlineStyle;
      });
    for (let presses = 0; presses < 10 && !(await focused()).startsWith('flip-to'); presses += 1)
      await page.keyboard.press('Tab');
    expect([await focused(), await outline()]).toEqual(['flip-to-WEBSOCKET', 'solid']);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await opened.says('flip-open', 'Flip to SSE…');
    await page.keyboard.press('Tab');
    expect([await focused(), await outline()]).toEqual(['flip-open', 'solid']);

    await page.keyboard.press('Enter');
    await opened.at('flip-dialog').waitFor();
    expect(await focused()).toBe('flip-cancel');
    await opened.picture('dialog-narrow-dark', false);
    expect(await opened.overflow()).toBe(0);
    await page.keyboard.press('Escape');
    expect([await opened.at('flip-dialog').isVisible(), await focused()]).toEqual([false, 'flip-open']);
    expect((await requestJson('GET', `${gateway.url}/api/admin/profile`)).json).toMatchObject({
      profile: 'WEBSOCKET',
      flip: null,
    });

    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect([await focused(), await outline()]).toEqual(['flip-confirm', 'solid']);
    await page.keyboard.press('Enter');
    await opened.isLiveOver('SSE');
    await opened.says('flip-text', 'Flipped to SSE: 1 moved, 1 came back');
    await opened.picture('flipped-narrow-dark');
    expect(await opened.overflow()).toBe(0);
    expect(opened.troubles).toEqual([]);
  });

  it('shows a flip that somebody else has asked for, and says why one was refused', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID', ENABLE_WS: 'true', ENABLE_SSE: 'true' });
    opened = await ConsolePage.open(browser, gateway.url);
    await opened.isLiveOver('SSE');
    expect(await opened.at('flip-progress').isVisible()).toBe(false);
    await requestJson('PUT', `${gateway.url}/api/admin/profile`, { profile: 'SSE' });
    await opened.says('flip-text', 'Flipped to SSE; nobody had to move');
    await opened.says('profile', 'SSE');
    await opened.page.route('**/api/admin/profile', (route) =>
      route.fulfill({
        status: 409,
        json: { error: { code: 'serves_nothing', message: 'nothing would be served', retryable: false } },
      }),
    );
    await opened.at('flip-to-WEBSOCKET').check({ force: true });
    await opened.at('flip-open').click();
    await opened.at('flip-confirm').click();
    await opened.says('flip-error', 'serves_nothing: nothing would be served');
    expect(await opened.at('flip-open').isEnabled()).toBe(true);
  });

  it('of all nodes: shows each, and the page keeps its stream', async () => {
    const prefix = `test-console-all-${String(process.pid)}-${String(Date.now())}`;
    const variables = {
      APP_PROFILE: 'WEBSOCKET',
      DRAIN_MS: '800',
      REDIS_URL: process.env.TEST_REDIS_URL,
      REDIS_KEY_PREFIX: prefix,
      REDIS_CHANNELS: `${prefix}-events`,
    };
    const [one, other] = await Promise.all([launchGateway(variables), launchGateway(variables)]);
    opened = await ConsolePage.open(browser, one.url, { viewport: { width: 1280, height: 900 } });
    await opened.isLiveOver('Socket.IO');
    await crowd(other, 'bundle', 60);
    await untilSessions(other.url, 60);
    stream = new CountedStream(other.url);
    await opened.says('flip-all-label', 'All 2 nodes');
    await waitUntil(
      async () => (await opened?.at('nodes').innerText())?.includes('\t0\t60\t') === true,
      'the sessions of the other node',
    );
    await opened.at('flip-to-SSE').check({ force: true });
    await opened.at('flip-all').check();
    await opened.says('flip-open', 'Flip all to SSE…');
    await opened.at('flip-open').click();
    expect(await opened.at('flip-consequences').innerText()).toContain('All 2 nodes, one after the other');
    const said = await listen(opened, 'flip-text');
    await opened.at('flip-confirm').click();
    await opened.isLiveOver('SSE');
    await opened.picture('flipping-all', false);
    await opened.says('flip-text', 'Flipped to SSE: 1 moved, 1 came back; 60 cut off');
    expect((await said()).some((text) => text.startsWith('Flipping to SSE'))).toBe(true);
    const rows = (await opened.at('flip-nodes').locator('tbody tr').allInnerTexts()).map((row) =>
      row.split('\t'),
    );
    expect(rows.map(([, state, moved]) => [state, moved])).toEqual([
      ['done', '60 / 60'],
      ['done', '1 / 1'],
    ]);
    await isUnbroken(opened, stream);
    expect(opened.troubles).toEqual([]);
  });
});
