import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import type { Browser, Request } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';

const SECRET = 'a secret of at least thirty-two bytes';
const OPERATOR = 'operator-key-1234';
const BACKEND = 'backend-key-1234';

let browser: Browser;
let gateway: LaunchedGateway;
let opened: ConsolePage;

beforeAll(async () => {
  browser = await launchBrowser();
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    JWT_SECRET: SECRET,
    API_KEYS: JSON.stringify([
      { id: 'operator', key: OPERATOR, subscribe: ['default'], command: ['*'], admin: ['*'] },
      { id: 'backend', key: BACKEND, publish: ['*'] },
    ]),
  });
});

afterAll(async () => {
  await browser.close();
  await killLaunched();
});

afterEach(async () => {
  await opened.close();
});

function tokenFor(rights: object, lastsS: number): Promise<string> {
  return new SignJWT({ flipgate: rights, sub: 'ann', exp: Math.floor(Date.now() / 1000) + lastsS })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));
}

async function publish(data: number): Promise<string> {
  const { json } = await requestJson(
    'POST',
    `${gateway.url}/api/events`,
    { type: 'counted', key: 'c', data },
    { Authorization: `Bearer ${BACKEND}` },
  );
  return String(json.ids[0]);
}

async function signIn(token: string): Promise<void> {
  await opened.at('token').fill(token);
  await opened.page.keyboard.press('Enter');
}

/** What the tab keeps, and what all tabs do. */
function kept(): Promise<[string[], number]> {
  return opened.page.evaluate(() => [Object.values(sessionStorage) as string[], localStorage.length]);
}

it('asks for a key or token, shows what it may not do, and goes on where it was after a token has expired', async () => {
  opened = await ConsolePage.open(browser, gateway.url);
  const asked: Request[] = [];
  opened.page.on('request', (request) => asked.push(request));
  await opened.says('sign-in-why', 'This gateway asks who you are.');
  expect(await opened.at('token').getAttribute('type')).toBe('password');
  await opened.page.keyboard.press('Escape');
  await opened.at('sign-in-open').click();
  await signIn('no such key');
  await opened.says('sign-in-error', 'A key or token has no such characters.');
  await signIn('no-such-key');
  await opened.page.getByText('That is not known here').waitFor();
  expect(await kept()).toEqual([[], 0]);
  await opened.picture('sign-in', false);

  const first = await publish(1);
  // All that is looked at here stays when the token has expired.
  await signIn(`Bearer ${await tokenFor({ subscribe: ['default'] }, 3)}`);
  await opened.says('account-id', 'user:ann');
  await opened.hasShown('counted', first);
  await opened.says('flip-open', 'Flipping is not allowed');
  expect(await opened.at('flip-open').isDisabled()).toBe(true);
  expect(await opened.at('monitor-start').isDisabled()).toBe(true);
  expect(await opened.at('figures').isVisible()).toBe(false);
  const refusal = 'Needs the right “status”, which user:ann does not have.';
  expect(await opened.page.getByText(refusal).filter({ visible: true }).count()).toBe(5);

  await opened.says('state', 'signed out');
  await opened.page.getByText('Your token has expired.').waitFor();
  expect(await kept()).toEqual([[], 0]);
  expect(await opened.rows('event', 'counted').count()).toBe(1);
  const second = await publish(2);
  await signIn(OPERATOR);
  await opened.isLiveOver('SSE');
  expect(await opened.at('sign-in').isVisible()).toBe(false);
  expect(await kept()).toEqual([[OPERATOR], 0]);
  await opened.hasShown('counted', second);
  expect((await opened.shown('counted')).map(({ id }) => id)).toEqual([first, second]);
  await opened.says('sessions-sse', '1');
  expect(await opened.page.getByText('Needs the right').filter({ visible: true }).count()).toBe(0);
  await opened.at('transport-select').selectOption('websocket');
  await opened.isLiveOver('Socket.IO');

  await opened.page.locator('#account summary').click();
  await opened.at('sign-out').click();
  await opened.says('sign-in-why', 'This gateway asks who you are.');
  expect(await kept()).toEqual([[], 0]);
  expect(await opened.rows('event').count()).toBe(0);
  const told = asked.map((request) => `${request.url()} ${request.headers()['authorization'] ?? ''}`);
  expect(told.some((line) => line.endsWith(`/api/admin/status Bearer ${OPERATOR}`))).toBe(true);
  for (const request of asked) expect(request.url()).not.toMatch(/token|apiKey|key-1234/);
  // Each refusal the browser reports by itself.
  expect(opened.troubles.filter((trouble) => !trouble.includes('401 (Unauthorized)'))).toEqual([]);
});
