import type http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { exchangeRaw, type RawExchange, upgradeLines } from '../support/raw-exchange.js';
import { waitUntil } from '../support/wait-until.js';

const KEY = 'page-key-1234567';
const STATE = '/api/rooms/default/state';
const COOKIE = { Cookie: `flipgate_token=${KEY}` };
/** Entrances of data, each with a method that it takes. */
const ENTRANCES = [
  ['GET', '/api/profile'],
  ['GET', '/API/me'],
  ['GET', '/api/events/stream'],
  ['HEAD', '/api/events/stream/'],
  ['POST', '/api/events'],
  ['POST', '/api/control'],
  ['GET', '/api/rooms/default/state'],
  ['GET', '/api/admin/status'],
  ['GET', '/metrics'],
  ['GET', '/Metrics/'],
  ['GET', '/socket.io/?EIO=4&transport=polling'],
  ['GET', '/socket.io/?EIO=3&transport=polling'],
  ['POST', '/socket.io/?EIO=4&transport=polling&sid=x'],
  ['GET', '/socket.io?EIO=3&transport=polling'],
] as const;

/** Everybody may do everything: what holds here holds before any right. */
let open: LaunchedGateway;
/** Takes tokens, and lists a page of another origin. */
let guarded: LaunchedGateway;
const exchanges: RawExchange[] = [];

beforeAll(async () => {
  open = await launchGateway({ APP_PROFILE: 'HYBRID', ALLOWED_HOSTS: 'live.example,127.0.0.1' });
  guarded = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([{ id: 'page', key: KEY, subscribe: ['*'] }]),
    CORS_ORIGINS: 'https://app.example',
  });
});

afterEach(() => {
  for (const exchange of exchanges.splice(0)) exchange.close();
});

afterAll(killLaunched);

const ask = (
  method: string,
  path: string,
  headers: http.OutgoingHttpHeaders = {},
  { url }: LaunchedGateway = open,
): Promise<JsonAnswer> => requestJson(method, url + path, method === 'POST' ? '{}' : undefined, headers);

const told = ({ status, json }: JsonAnswer): unknown => [status, json?.error?.code];

/** The status that lines of a request, or of an upgrade, are answered with, and all that came by then. */
async function exchange(
  lines: readonly string[],
  { port }: LaunchedGateway = open,
): Promise<{ readonly status: number; readonly text: string }> {
  const opened = exchangeRaw(port, lines);
  exchanges.push(opened);
  await waitUntil(() => opened.text().includes('\r\n\r\n') || opened.ended(), 'an answer');
  await waitUntil(() => !opened.text().startsWith('HTTP/1.1 4') || opened.text().includes('}}'), 'all of it');
  return { status: Number(opened.text().slice(9, 12)), text: opened.text() };
}

/** A stream that is asked for with the cookie. */
const openStream = (...more: readonly string[]): Promise<{ readonly status: number }> =>
  exchange(
    ['GET /api/events/stream HTTP/1.1', 'Host: 127.0.0.1', `Cookie: ${COOKIE.Cookie}`, ...more],
    guarded,
  );

const profileAt = (...hosts: readonly string[]): string[] => ['GET /api/profile HTTP/1.1', ...hosts];

describe('what a page loads by a tag, or without wanting to read it (Sec-Fetch-Mode: no-cors)', () => {
  test.each(ENTRANCES)('%s %s is refused, whichever site the page is of', async (method, path) => {
    for (const site of ['cross-site', 'same-site', 'same-origin']) {
      const headers = { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Site': site, 'Sec-Fetch-Dest': 'script' };
      const answer = await ask(method, path, headers);
      expect(answer.status).toBe(403);
      if (method !== 'HEAD') expect(told(answer)).toEqual([403, 'origin_not_allowed']);
    }
  });

  test('comes before all else: credentials, a body that is none, a name that is none of the gateway’s', async () => {
    const headers = { ...COOKIE, 'Sec-Fetch-Mode': 'no-cors' };
    expect(
      told(await ask('POST', '/api/events', { ...headers, 'Content-Type': 'text/plain' }, guarded)),
    ).toEqual([403, 'origin_not_allowed']);
    expect(told(await ask('GET', '/api/me', { ...headers, Host: 'evil.example' }))).toEqual([
      403,
      'origin_not_allowed',
    ]);
  });

  test('an upgrade is refused, too', async () => {
    const upgrade = upgradeLines('/socket.io/?EIO=4&transport=websocket', 'Sec-Fetch-Mode: no-cors');
    expect((await exchange(upgrade)).status).toBe(403);
  });

  test.each([
    '/',
    '/console/app.js',
    '/client.js',
    '/client-shared.js',
    '/socket.io/socket.io.js',
    '/socket.io/socket.io.min.js',
    '/socket.io/socket.io.esm.min.js',
    '/socket.io/socket.io.js.map',
    '/healthz',
    '/readyz',
    '/openapi.json',
  ])('%s is served', async (path) => {
    const { status, headers } = await ask('GET', path, { 'Sec-Fetch-Mode': 'no-cors' });
    expect(status).toBe(200);
    expect(headers['cross-origin-resource-policy']).not.toBe('same-origin');
  });

  test('a browser that does not say so is told not to hand the answer over', async () => {
    for (const path of [
      '/api/profile',
      '/api/admin/status',
      '/metrics',
      '/socket.io/?EIO=4&transport=polling',
      '/socket.io/?EIO=3&transport=polling',
    ]) {
      expect((await ask('GET', path)).headers).toMatchObject({
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      });
    }
    const { text } = await exchange(['GET /api/events/stream HTTP/1.1', 'Host: 127.0.0.1']);
    expect(text).toContain('\r\nCross-Origin-Resource-Policy: same-origin\r\n');
    expect(text).toContain('\r\nX-Content-Type-Options: nosniff\r\n');
  });
});

describe('JSONP polling', () => {
  test.each([
    'EIO=3&transport=polling&j=0',
    'EIO=4&transport=polling&j=0',
    'EIO=3&transport=websocket&j=1',
    'EIO=3&transport=polling&j',
    'EIO=3&transport=polling&%6A=0',
    'EIO=3&transport=polling&j=0&j=1',
    'j=0&sid=x',
  ])('%s is refused, and says why', async (query) => {
    for (const path of ['/socket.io/', '/socket.io']) {
      const answer = await ask('GET', `${path}?${query}`);
      expect(told(answer)).toEqual([400, 'bad_request']);
      expect(answer.json.error.message).toContain('JSONP');
    }
    const upgrade = await exchange(upgradeLines(`/socket.io/?${query}`));
    expect([upgrade.status, upgrade.text]).toEqual([400, expect.stringContaining('JSONP')]);
  });

  test('so are the requests of a session that was opened without it', async () => {
    const polling = '/socket.io/?EIO=3&transport=polling';
    const { text } = await ask('GET', polling);
    const [, sid = ''] = /"sid":"([^"]+)"/.exec(text) ?? [];
    expect(sid).not.toBe('');
    for (const method of ['GET', 'POST']) {
      expect(told(await ask(method, `${polling}&sid=${sid}&j=0`))).toEqual([400, 'bad_request']);
    }
  });

  test('a fragment, where parsers of URLs and of queries part, is refused', async () => {
    const lines = ['GET /socket.io/?EIO=3&transport=polling&j#=0 HTTP/1.1', 'Host: 127.0.0.1'];
    expect((await exchange(lines)).status).toBe(400);
  });

  test('elsewhere the parameter means nothing', async () => {
    expect((await ask('GET', '/api/profile?j=0')).status).toBe(200);
  });
});

describe('a cookie counts', () => {
  test.each([
    ['of the page itself', (): http.OutgoingHttpHeaders => ({ 'Sec-Fetch-Site': 'same-origin' }), 200],
    ['typed by the user', () => ({ 'Sec-Fetch-Site': 'none' }), 200],
    ['of another port or subdomain', () => ({ 'Sec-Fetch-Site': 'same-site' }), 401],
    ['of another site', () => ({ 'Sec-Fetch-Site': 'cross-site' }), 401],
    [
      'of another port that looks like a stream',
      () => ({ 'Sec-Fetch-Site': 'same-site', Accept: 'text/event-stream' }),
      401,
    ],
    ['of an EventSource over plain http', () => ({ Accept: 'text/event-stream' }), 200],
    ['of the own page over plain http', () => ({ Referer: `${guarded.url}/some/page` }), 200],
    ['of another port over plain http', () => ({ Referer: 'http://127.0.0.1:1/' }), 401],
    ['of a page whose path looks right', () => ({ Referer: `http://evil.example/${guarded.url}` }), 401],
    ['of a page whose user looks right', () => ({ Referer: `${guarded.url}@evil.example/` }), 401],
    ['of a tag over plain http', () => ({ Accept: '*/*' }), 401],
    ['of a tag that takes anything', () => ({ Accept: 'image/*,text/event-stream' }), 401],
    ['of a program', () => ({}), 401],
    ['of the own page, by its origin', () => ({ Origin: guarded.url }), 200],
    ['of a listed page', () => ({ Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' }), 200],
  ])('a request %s', async (_name, headers, status) => {
    expect((await ask('GET', STATE, { ...COOKIE, ...headers() }, guarded)).status).toBe(status);
  });

  test('for the stream of an EventSource', async () => {
    expect((await openStream('Accept: text/event-stream')).status).toBe(200);
    expect((await openStream('Accept: */*')).status).toBe(401);
    expect((await openStream('Accept: text/event-stream', 'Sec-Fetch-Site: same-site')).status).toBe(401);
  });
});

describe('the host of a request', () => {
  test.each([
    ['two, the good one first', profileAt('Host: live.example', 'Host: evil.example')],
    ['two, the good one last', profileAt('Host: evil.example', 'hOST: live.example')],
    ['the same, twice', profileAt('Host: live.example', 'Host: live.example')],
    ['none', profileAt('Accept: */*')],
    ['a target with another', ['GET http://evil.example/api/profile HTTP/1.1', 'Host: live.example']],
    ['a target with a good one, and another', ['GET http://live.example/ HTTP/1.1', 'Host: evil.example']],
    ['a target with another port', ['GET http://live.example:81/ HTTP/1.1', 'Host: live.example']],
    ['a target with a user', ['GET http://live.example@evil.example/ HTTP/1.1', 'Host: live.example']],
    ['a target that none can read', ['GET http://[/ HTTP/1.1', 'Host: live.example']],
    ['a target, and none', ['GET http://live.example/ HTTP/1.0', 'Accept: */*']],
    [
      'two Authorizations',
      profileAt('Host: live.example', 'Authorization: Bearer a', 'Authorization: Bearer b'),
    ],
  ])('%s: refused', async (_name, lines) => {
    const { status, text } = await exchange(lines);
    expect([status, text]).toEqual([400, expect.stringContaining('"code":"bad_request"')]);
    const [first = '', ...headers] = lines;
    const upgrade = upgradeLines('/').slice(2);
    // What is offered another protocol goes on as a request.
    for (const offer of [upgrade, upgrade.map((line) => line.replace('websocket', 'h2c'))]) {
      expect((await exchange([first, ...headers, ...offer])).status).toBe(400);
    }
  });

  test.each([
    'live.example',
    'LIVE.Example',
    'live.example:80',
    'live.example:5002',
    'live.example.',
    'Live.Example.:443',
  ])('%s is the one that is listed', async (host) => {
    expect((await ask('GET', '/api/profile', { Host: host })).status).toBe(200);
  });

  test.each([
    'evil.example',
    'live.example..',
    'live.example@evil.example',
    'live.example/',
    '.live.example',
  ])('%j is not', async (host) => {
    expect(told(await ask('GET', '/api/profile', { Host: host }))).toEqual([421, 'host_not_allowed']);
  });

  test('a target with the host that Host names is served', async () => {
    const lines = ['GET http://LIVE.example:80/api/profile?x HTTP/1.1', 'Host: live.example'];
    expect((await exchange(lines)).status).toBe(200);
  });

  test.each([
    ['http://live.example', 'live.example:80'],
    ['http://live.example', 'LIVE.example.'],
    ['https://live.example', 'live.example:443'],
    ['https://live.example:5002', 'Live.Example:5002'],
  ])('a page of %s is the own one at %s', async (origin, host) => {
    expect((await ask('GET', '/api/profile', { Origin: origin, Host: host })).status).toBe(200);
  });

  test.each([
    ['http://live.example', 'live.example:443'],
    ['https://live.example', 'live.example:80'],
    ['http://live.example:81', 'live.example'],
    ['null', 'live.example'],
    ['http://live.example@evil.example', 'live.example'],
    ['http://evil.example/live.example', 'live.example'],
    ['chrome-extension://live.example', 'live.example'],
  ])('a page of %s is not at %s', async (origin, host) => {
    expect(told(await ask('GET', '/healthz', { Origin: origin, Host: host }))).toEqual([
      403,
      'origin_not_allowed',
    ]);
  });

  test.each([
    ['null', []],
    ['null', ['Host: ']],
    ['file://', ['Host: ']],
  ])('a page of %s is not where no host is named: %j', async (origin, lines) => {
    const { text } = await exchange(['GET /healthz HTTP/1.0', `Origin: ${origin}`, ...lines]);
    expect(text).toContain('"code":"origin_not_allowed"');
  });

  test('no name is not one of the gateway', async () => {
    expect((await exchange(['GET / HTTP/1.1', 'Host: '])).status).toBe(421);
  });
});

describe('answers to paths that lead nowhere', () => {
  test.each([
    '/CLIENT.JS',
    '/client.js/',
    '/Client-Shared.js.map',
    '/client.js%00',
    '/console/none.js',
    '/Console/INDEX.HTML',
    '/console/index.html/',
    '/console/%zz',
    '/console/..%2f..%2fpackage.json',
    '/socket.io/none',
    '/socket.io/socket.io.js/',
    '/socket.io/../package.json',
    '/api/events/stream/anything',
    '/api/events/anything',
    '/api/rooms/%zz/state',
    '/api/control/%ff',
    '/api/%c0%af/control',
  ])(
    '%s: a code and a fixed text, nothing of the machine, of the path or of what was asked for',
    async (path) => {
      for (const method of ['GET', 'POST']) {
        const { status, json, text } = await ask(method, path);
        expect([400, 404]).toContain(status);
        expect(json.error.code).toBe(status === 400 ? 'bad_request' : 'not_found');
        expect(text).not.toMatch(/ENOENT|ENOTDIR|stat|dist|node_modules|decode|%|\/(tmp|home|root|usr)/);
      }
    },
  );

  test('nor do conditions and ranges that can not be met', async () => {
    for (const headers of [{ 'If-Match': '"x"' }, { Range: 'bytes=99999999-' }]) {
      const answer = await ask('GET', '/client.js', headers);
      expect(told(answer)).toEqual([400, 'bad_request']);
      expect(answer.text).not.toMatch(/Range Not|Precondition/);
    }
  });

  test('a path is taken in any letter case, with a slash at its end, and with nothing below it', async () => {
    for (const path of ['/api/events/stream', '/API/Events/Stream/']) {
      const { status, text } = await exchange([`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1']);
      expect([status, text]).toEqual([200, expect.stringContaining('text/event-stream')]);
    }
    const websocket = await exchange(upgradeLines('/socket.io/x?EIO=4&transport=websocket'));
    expect(websocket.status).toBe(404);
  });
});

describe('parameters that stand in a query more than once', () => {
  test.each([
    ['lastEventId', '/api/events/stream'],
    ['from', '/api/events/stream'],
    ['client', '/api/events/stream'],
    ['access_token', '/api/events/stream'],
    ['apiKey', '/api/me'],
    ['limit', '/api/rooms/a/events'],
    ['after', '/api/rooms/a/events'],
    ['limit', '/api/admin/commands'],
    ['sid', '/socket.io/'],
    ['transport', '/socket.io/'],
    ['EIO', '/socket.io/'],
  ])('%s at %s', async (name, path) => {
    for (const query of [`${name}=1&${name}=2`, `${name}&x=1&${name}`]) {
      const answer = await ask('GET', `${path}?${query}`);
      expect(told(answer)).toEqual([400, 'bad_request']);
      expect(answer.json.error.message).toContain(`the parameter ${name} `);
    }
    if (path !== '/socket.io/') return;
    expect((await exchange(upgradeLines(`${path}?${name}=1&${name}=2`))).status).toBe(400);
  });

  test.each([
    ['rooms=a&rooms=b', ['a', 'b']],
    ['rooms=a,b&rooms=&rooms=c', ['a', 'b', 'c']],
    ['rooms=', ['default']],
    ['other=1&other=2&rooms=a', ['a']],
  ])('rooms are all of them: %s', async (query, rooms) => {
    const opened = exchangeRaw(open.port, [`GET /api/events/stream?${query} HTTP/1.1`, 'Host: 127.0.0.1']);
    exchanges.push(opened);
    await waitUntil(() => opened.text().includes('"resumed"'), 'the welcome');
    expect(opened.text()).toContain(`"rooms":${JSON.stringify(rooms)}`);
  });
});

describe('a gateway that every page of a browser could change does not start', () => {
  const API_KEYS = JSON.stringify([{ id: 'one', key: KEY, subscribe: ['*'] }]);
  const asked = { APP_PROFILE: 'HYBRID', AUTH_MODE: 'token', API_KEYS, CORS_ORIGINS: '*' };

  test.each([
    ['nobody is authenticated', { CORS_ORIGINS: '*' }, /^CORS_ORIGINS="\*" .*ALLOW_INSECURE=true/m],
    ['everybody may publish', { ...asked, ANONYMOUS_RIGHTS: '{"publish":["a"]}' }, /^ANONYMOUS_RIGHTS=/m],
    ['everybody may command', { ...asked, ANONYMOUS_RIGHTS: '{"command":["a"]}' }, /^ANONYMOUS_RIGHTS=/m],
    ['everybody may flip', { ...asked, ANONYMOUS_RIGHTS: '{"admin":["flip"]}' }, /^ANONYMOUS_RIGHTS=/m],
  ])('%s', async (_name, variables, line) => {
    await expect(launchGateway(variables)).rejects.toThrow(line);
  });

  test('but one that they may only read does, and one that is told to', async () => {
    const ANONYMOUS_RIGHTS = '{"subscribe":["public"]}';
    const read = await launchGateway({ ...asked, ANONYMOUS_RIGHTS });
    const any = { CORS_ORIGINS: '*', ALLOW_INSECURE: 'true' };
    const told = await launchGateway({ ...asked, ...any, ANONYMOUS_RIGHTS: '{"publish":["a"]}' });
    expect([await read.stop(), await told.stop()]).toEqual([0, 0]);
  });
});

test('all of it is counted', async () => {
  const { counters } = (await ask('GET', '/api/admin/status')).json;
  expect(counters.http_refused).toMatchObject({
    origin_not_allowed: expect.any(Number),
    host_not_allowed: expect.any(Number),
    bad_request: expect.any(Number),
  });
});
