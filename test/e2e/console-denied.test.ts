import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const OPERATOR = 'operator-key-1234';
const WATCHER = 'watcher-key-1234';
const PAGE = 'page-key-12345678';

let browser: Browser;
let gateway: LaunchedGateway;
let opened: ConsolePage;

beforeAll(async () => {
  browser = await launchBrowser();
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([
      { id: 'operator', key: OPERATOR, subscribe: ['*'], command: ['*'], admin: ['*'] },
      { id: 'watcher', key: WATCHER, subscribe: ['*'], admin: ['status', 'flip'] },
      { id: 'page', key: PAGE, subscribe: ['*'] },
    ]),
  });
});

afterAll(async () => {
  RawClient.leaveAll();
  await browser.close();
  await killLaunched();
});

afterEach(async () => {
  await opened.close();
});

async function openAs(token: string, options = {}): Promise<void> {
  opened = await ConsolePage.open(browser, gateway.url, options);
  await opened.at('token').fill(token);
  await opened.page.keyboard.press('Enter');
  await opened.isLiveOver('SSE');
}

const rows = (): Promise<string[]> => opened.at('denied').locator('tr').allInnerTexts();

/** What a request of this key is answered. */
async function statusFor(key: string): Promise<number> {
  return (await requestJson('GET', `${gateway.url}/api/me`, undefined, { 'X-API-Key': key })).status;
}

it('ends and denies a principal, lists it, and lifts the denial', async () => {
  await openAs(OPERATOR);
  const client = await RawClient.open(gateway.port, 'sse', { token: PAGE });
  await opened.page.getByText('Nobody is denied.').waitFor();
  await opened.at('deny-principal').fill('page');
  await opened.at('deny-submit').click();
  await opened.says('deny-error', 'Write a principal as key:<id>, user:<name> or address:<ip>.');
  await opened.at('deny-principal').fill('key:operator');
  await opened.page.keyboard.press('Enter');
  await opened.says('deny-error', 'This is you. Sign in with another key or token to deny it.');
  await opened.at('deny-principal').fill('key:page');
  await opened.at('deny-reason').fill('the key is in a public repository');
  await opened.at('deny-duration').selectOption('7 days');
  await opened.at('deny-submit').click();
  await opened.says('deny-outcome', 'Sessions of key:page are ended, and it is denied.');
  await opened.says('deny-error', '');
  await waitUntil(() => client.isClosed, 'the session to end');
  expect([await statusFor(PAGE), await opened.at('deny-principal').inputValue()]).toEqual([403, '']);
  await opened.at('deny-principal').fill('user:https://id.example/<b>Zoë</b>');
  await opened.page.keyboard.press('Enter');
  await waitUntil(async () => (await rows()).length === 2, 'both to be listed');
  expect((await rows()).map((row) => row.split('\t').slice(0, 3))).toEqual([
    ['user:https://id.example/<b>Zoë</b>', '', 'key:operator'],
    ['key:page', 'the key is in a public repository', 'key:operator'],
  ]);
  expect((await rows())[0]).toContain('it is lifted');
  expect((await rows())[1]).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d\t\d{4}-\d\d-\d\d \d\d:\d\d/);
  await opened.at('denied-card').scrollIntoViewIfNeeded();
  await opened.picture('denied');
  await opened.page.getByRole('button', { name: 'Lift the denial of key:page' }).click();
  await opened.says('deny-outcome', 'key:page may come back.');
  await waitUntil(async () => (await rows()).length === 1, 'it to leave the list');
  expect(await statusFor(PAGE)).toBe(200);
  await opened.page.getByRole('button', { name: /^Lift the denial of user/ }).click();
  await opened.page.getByText('Nobody is denied.').waitFor();
  // Each refusal the browser reports by itself.
  expect(opened.troubles.filter((trouble) => !/40[019] \(/.test(trouble))).toEqual([]);
});

it('fits a phone', async () => {
  const deny = (principal: string): Promise<unknown> =>
    requestJson(
      'PUT',
      `${gateway.url}/api/admin/denied/${encodeURIComponent(principal)}`,
      { reason: 'x'.repeat(200) },
      { 'X-API-Key': OPERATOR },
    );
  await deny(`user:${'a-long-name'.repeat(20)}`);
  await openAs(OPERATOR, { viewport: { width: 360, height: 800 } });
  await waitUntil(async () => (await rows()).length === 1, 'the denial to be listed');
  expect(await opened.overflow()).toBe(0);
  await opened.at('denied-card').scrollIntoViewIfNeeded();
  await opened.picture('denied-phone', false);
});

it('is locked without the right, and says so to who is denied itself', async () => {
  await openAs(WATCHER);
  await opened.page.getByText('Needs the right “deny”, which key:watcher does not have.').waitFor();
  expect(await opened.at('deny-submit').isVisible()).toBe(false);
  await requestJson('PUT', `${gateway.url}/api/admin/denied/key:watcher`, {}, { 'X-API-Key': OPERATOR });
  await opened.says('sign-in-why', 'An operator has denied access to what this tab has shown.');
  await opened.at('token').fill(WATCHER);
  await opened.page.keyboard.press('Enter');
  await opened.says('sign-in-error', 'An operator has denied access to that.');
});
