import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConsolePage } from '../support/console-page.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';

/** In a private network: to such a name, over plain http, browsers do not say what a request is for (Sec-Fetch-…). */
const NETWORK = 'gateway.test';
/** Of which browsers think as well as of https. */
const LOCAL = '127.0.0.1';
const KEY = 'operator-key-1234';
const OPERATOR = { 'X-API-Key': KEY };
const SECRET = 'hunter2';

/** What a page of another origin tries, with the visitor's cookie: what its scripts see stands in `seen`. */
const attack = (url: string): string => `<!doctype html><title>attack</title><script>
  const seen = [];
  const tried = [];
  let sid = '';
  globalThis.___eio = [(text) => {
    seen.push(text);
    sid ||= /"sid":"([^"]+)"/.exec(text)?.[1] ?? '';
  }];
  const load = (path) => new Promise((resolve) => {
    const script = document.createElement('script');
    script.src = '${url}' + path;
    script.onload = () => { tried.push(path); resolve(); };
    script.onerror = script.onload;
    document.head.append(script);
  });
  const toString = Object.prototype.toString;
  Object.prototype.toString = function () {
    if (JSON.stringify(this)?.includes('${SECRET}')) seen.push('an object of a script');
    return toString.call(this);
  };
  const read = (path, options) =>
    fetch('${url}' + path, { credentials: 'include', ...options }).then(async (answer) => {
      const text = await answer.text();
      if (text !== '') seen.push(text);
    }, () => undefined);
  const attacked = (async () => {
    await load('/socket.io/?EIO=3&transport=polling&j=0');
    for (let poll = 0; poll < 4; poll += 1) await load('/socket.io/?EIO=3&transport=polling&j=0&t=' + poll + '&sid=' + sid);
    await load('/socket.io/?EIO=4&transport=polling');
    await load('/api/rooms/default/state');
    await load('/metrics');
    for (const path of ['/api/me', '/api/rooms/default/state', '/api/events/stream']) {
      await read(path);
      await read(path, { mode: 'no-cors' });
      await read(path, { mode: 'no-cors', headers: { Accept: 'text/event-stream' }, signal: AbortSignal.timeout(1000) });
    }
    const stream = new EventSource('${url}/api/events/stream', { withCredentials: true });
    stream.addEventListener('welcome', ({ data }) => seen.push(data));
    await new Promise((resolve) => { stream.onerror = resolve; stream.onopen = resolve; });
    const socket = new WebSocket('${url}/socket.io/?EIO=4&transport=websocket'.replace('http', 'ws'));
    socket.onmessage = ({ data }) => seen.push(data);
    await new Promise((resolve) => { socket.onclose = resolve; socket.onopen = resolve; });
  })();
</script>`;

let browser: Browser;
let gateway: LaunchedGateway;
/** A page of another port, and so of another origin, of the same host. */
let neighbour: Server;
let html = '';
/** The cookie that a browser sent there: cookies know no ports. */
let cookie: string | undefined;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchBrowser([NETWORK]);
  neighbour = createServer((req, res) => {
    cookie ??= req.headers.cookie;
    res.setHeader('Content-Type', 'text/html').end(html);
  }).listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([{ id: 'operator', key: KEY, subscribe: ['*'], publish: ['*'], admin: ['*'] }]),
    ALLOWED_HOSTS: `${NETWORK},${LOCAL}`,
    DRAIN_MS: '0',
  });
  const event = { type: 'kb_update', key: 'a', data: { password: SECRET } };
  await requestJson('POST', `${gateway.url}/api/events`, event, OPERATOR);
});

afterEach(async () => {
  cookie = undefined;
  for (const context of contexts.splice(0)) await context.close();
});

afterAll(async () => {
  await browser.close();
  neighbour.closeAllConnections();
  neighbour.close();
  await killLaunched();
});

/** A browser whose user has signed in: its cookie is as strict as cookies are. */
async function signedIn(host: string): Promise<BrowserContext> {
  const context = await browser.newContext();
  contexts.push(context);
  const strict = { name: 'flipgate_token', value: KEY, httpOnly: true, sameSite: 'Strict' as const };
  await context.addCookies([{ ...strict, url: `http://${host}` }]);
  return context;
}

const urlAt = (host: string): string => `http://${host}:${String(gateway.port)}`;

describe.each([NETWORK, LOCAL])('pages at http://%s', (host) => {
  test('one of another port reads nothing with the visitor’s cookie', async () => {
    const context = await signedIn(host);
    const page = await context.newPage();
    html = attack(urlAt(host));
    await page.goto(`http://${host}:${String((neighbour.address() as AddressInfo).port)}/`);
    expect(await page.evaluate('attacked.then(() => [seen, tried.length])')).toEqual([[], 8]);
    expect(cookie).toBe(`flipgate_token=${KEY}`);
    const { sessions } = (await requestJson('GET', `${gateway.url}/api/admin/status`, undefined, OPERATOR))
      .json;
    expect(sessions).toMatchObject({ sse: 0, websocket: 0 });
  });

  test('the own page has the state, the stream, polling and the websocket by it', async () => {
    const context = await signedIn(host);
    const page = await context.newPage();
    await page.goto(`${urlAt(host)}/healthz`);
    await page.addScriptTag({ url: '/socket.io/socket.io.js' });
    const seen = await page.evaluate(`(async () => {
      const { events } = await (await fetch('/api/rooms/default/state')).json();
      const stream = new EventSource('/api/events/stream');
      const welcome = await new Promise((resolve, reject) => {
        stream.addEventListener('welcome', ({ data }) => resolve(JSON.parse(data)));
        stream.onerror = reject;
      });
      stream.close();
      const connected = [];
      for (const transport of ['polling', 'websocket']) {
        const socket = io({ transports: [transport], forceNew: true, reconnection: false });
        connected.push(await new Promise((resolve) => {
          socket.on('kb_update', ({ password }) => resolve(password));
          socket.on('connect_error', ({ message }) => resolve(message));
        }));
        socket.close();
      }
      return [events.map(({ data }) => data.password), welcome.rooms, connected];
    })()`);
    expect(seen).toEqual([[SECRET], ['default'], [SECRET, SECRET]]);
  });

  test('the SDK has its stream by it, even in a page that never says where it is', async () => {
    const context = await signedIn(host);
    const page = await context.newPage();
    await page.goto(`${urlAt(host)}/healthz`);
    const seen = await page.evaluate(`(async () => {
      const policy = document.createElement('meta');
      Object.assign(policy, { name: 'referrer', content: 'no-referrer' });
      document.head.append(policy);
      const { FlipgateClient } = await import('/client.js');
      const client = new FlipgateClient('/', { prefer: 'sse' });
      const password = await new Promise((resolve) => {
        client.on('kb_update', ({ data }) => resolve(data.password));
        client.onState(({ code }) => code && resolve(code));
      });
      client.close();
      return password;
    })()`);
    expect(seen).toBe(SECRET);
  });

  test('the operators’ page works by it, over both transports and through a flip', async () => {
    const context = await signedIn(host);
    const opened = await ConsolePage.openIn(context, urlAt(host));
    await opened.isLiveOver('SSE');
    await opened.says('sessions-sse', '1');
    for (const [profile, transport] of [
      ['WEBSOCKET', 'Socket.IO'],
      ['HYBRID', 'Socket.IO'],
    ] as const) {
      const flip = await requestJson('PUT', `${gateway.url}/api/admin/profile`, { profile }, OPERATOR);
      expect(flip.status).toBe(200);
      await opened.says('profile', profile);
      await opened.isLiveOver(transport);
    }
    // Over plain http the browser says of these headers that it does without them.
    const expected = /Cross-Origin-Opener-Policy|Origin-Agent-Cluster/;
    expect(opened.troubles.filter((trouble) => !expected.test(trouble))).toEqual([]);
  });
});
