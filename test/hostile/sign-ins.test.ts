import http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { io, type Socket } from 'socket.io-client';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { exchangeRaw, upgradeLines } from '../support/raw-exchange.js';
import { waitUntil } from '../support/wait-until.js';

const KEYS = { operator: 'operator-key-1234', low: 'low-right-key-1234' } as const;
const SECRET = 'a secret of at least thirty-two bytes';
const NEW_SECRET = 'another secret of at least thirty-two bytes';
const VARIABLES = {
  APP_PROFILE: 'HYBRID',
  AUTH_MODE: 'token',
  REDIS_URL: undefined,
  ALLOWED_HOSTS: '127.0.0.1',
  TRUSTED_PROXIES: 'loopback',
  MAX_CONNECTIONS_PER_ADDRESS: '100',
  JWT_SECRET: SECRET,
  JWT_MAX_LIFETIME: '3600',
  API_KEYS: JSON.stringify([
    { id: 'operator', key: KEYS.operator, subscribe: ['*'], command: ['*'], admin: ['*'] },
    { id: 'low', key: KEYS.low, subscribe: ['open'] },
  ]),
};

type Line = Readonly<Record<string, unknown>>;

let gateway: LaunchedGateway;
const sockets: Socket[] = [];
let addresses = 0;

beforeAll(async () => {
  gateway = await launchGateway(VARIABLES);
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await killLaunched();
});

/** An address that nobody had yet. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${String(addresses)}`;
}

const from = (address: string, headers: http.OutgoingHttpHeaders = {}): http.OutgoingHttpHeaders => ({
  'X-Forwarded-For': address,
  ...headers,
});

const withKey = (address: string, key: string): http.OutgoingHttpHeaders =>
  from(address, { 'X-API-Key': key });

function ask(
  method: string,
  target: string,
  headers: http.OutgoingHttpHeaders,
  body?: unknown,
): Promise<JsonAnswer> {
  return requestJson(method, gateway.url + target, body, headers);
}

/** What somebody is answered that asks who it is. */
async function whoIs(headers: http.OutgoingHttpHeaders, at = gateway): Promise<string> {
  const { json } = await requestJson('GET', `${at.url}/api/me`, undefined, headers);
  return String(json.id ?? json.error.code);
}

/** Shows different wrong keys; returns what the last was answered. */
async function guess(address: string, count: number): Promise<JsonAnswer> {
  let last = await ask('GET', '/api/me', withKey(address, 'guess-number-0'));
  for (let n = 1; n < count; n += 1)
    last = await ask('GET', '/api/me', withKey(address, `guess-number-${String(n)}`));
  return last;
}

function connect(address: string, auth: object, reconnection = false): Socket {
  const extraHeaders = { 'X-Forwarded-For': address };
  const socket = io(gateway.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection,
    auth,
    extraHeaders,
  });
  sockets.push(socket);
  return socket;
}

async function connected(address: string, auth: object): Promise<Socket> {
  const socket = connect(address, auth);
  await waitUntil(() => socket.connected, 'the socket to connect');
  return socket;
}

/** Lines about refusals of requests from this address. */
function refusalsOf(address: string): readonly Line[] {
  const lines = gateway.output().trim().split('\n');
  return lines
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line['audit'] === 'refusal' && line['address'] === address);
}

/** The line about what an address is refused; `act` is done again while lines are left out, as those of a second are. */
async function refusalOf(address: string, act: () => unknown): Promise<Line> {
  const isLogged = async (): Promise<boolean> => {
    await act();
    return refusalsOf(address).length > 0;
  };
  await waitUntil(isLogged, 'a line about the refusal');
  return refusalsOf(address)[0] ?? {};
}

/** How many lines about refusals with this code were left out. */
function leftOut(code: string): number {
  return gateway
    .output()
    .split('\n')
    .filter((line) => line.includes('"audit":"refusal"') && line.includes(`"code":"${code}"`))
    .reduce((sum, line) => sum + Number(/"leftOut":(\d+)/.exec(line)?.[1] ?? 0), 0);
}

function tokenBy(secret: string, seconds = 600, subject = 'ada'): Promise<string> {
  return new SignJWT({ flipgate: { subscribe: ['*'] }, sub: subject })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(`${String(seconds)}s`)
    .sign(new TextEncoder().encode(secret));
}

const bearer = (address: string, token: string): http.OutgoingHttpHeaders =>
  from(address, { Authorization: `Bearer ${token}` });

describe('refusals are logged', () => {
  const low = { 'X-API-Key': KEYS.low };
  const LOW = 'key:low';

  test.each<[string, string, http.OutgoingHttpHeaders, unknown, string, string | undefined]>([
    ['GET', '/api/me?x=SECRET', {}, undefined, 'unauthenticated', undefined],
    ['GET', '/metrics', { 'X-API-Key': 'SECRET-1234' }, undefined, 'invalid_token', undefined],
    ['GET', '/api/events/stream', { 'X-API-Key': 'SECRET-1234' }, undefined, 'invalid_token', undefined],
    ['POST', '/api/events', { 'X-API-Key': 'SECRET-1234' }, {}, 'invalid_token', undefined],
    ['GET', '/api/me', { Origin: 'https://elsewhere.example' }, undefined, 'origin_not_allowed', undefined],
    ['GET', '/api/me', { Host: 'elsewhere.example' }, undefined, 'host_not_allowed', undefined],
    ['GET', '/api/admin/status', low, undefined, 'forbidden', LOW],
    ['PUT', '/api/admin/profile', low, { profile: 'SSE' }, 'forbidden', LOW],
    ['GET', '/metrics', low, undefined, 'forbidden', LOW],
    ['GET', '/api/rooms/hidden/state', low, undefined, 'forbidden', LOW],
    ['POST', '/api/events', low, { type: 'x', room: 'hidden' }, 'forbidden', LOW],
    ['GET', '/api/events/stream?rooms=hidden', low, undefined, 'forbidden', LOW],
    ['HEAD', '/api/events/stream?rooms=hidden', low, undefined, 'forbidden', LOW],
    ['POST', '/api/control', low, { action: 'host-monitor.start' }, 'forbidden', LOW],
    ['POST', '/api/control', low, { action: 'a.b', data: { apiKey: 'SECRET-1234' } }, 'invalid_token', LOW],
  ])('%s %s %j', async (method, target, headers, body, code, principal) => {
    const address = newAddress();
    const [path] = target.split('?');
    const line = await refusalOf(address, async () => {
      const { status } = await ask(method, target, from(address, headers), body);
      expect(status).toBeGreaterThanOrEqual(400);
    });
    expect([line['code'], line['principal'], line['asked']]).toEqual([
      code,
      principal,
      `${method} ${String(path)}`,
    ]);
    expect(gateway.output()).not.toContain('SECRET');
  });

  test('of upgrades', async () => {
    const address = newAddress();
    const lines = upgradeLines('/socket.io/?EIO=4&transport=websocket');
    const headers = [`X-Forwarded-For: ${address}`, 'Origin: https://elsewhere.example'];
    const upgrade = async (): Promise<void> => {
      const exchange = exchangeRaw(gateway.port, [...lines, ...headers]);
      await waitUntil(() => exchange.text().includes('origin_not_allowed'), 'a refusal');
    };
    expect(await refusalOf(address, upgrade)).toMatchObject({
      code: 'origin_not_allowed',
      asked: 'GET /socket.io/',
    });
  });

  test.each<[string, object, string, string | undefined]>([
    ['a wrong key', { apiKey: 'SECRET-1234' }, 'invalid_token', undefined],
    ['nothing shown', {}, 'unauthenticated', undefined],
    ['a room', { token: KEYS.low, rooms: ['hidden'] }, 'forbidden', LOW],
  ])('of Socket.IO clients: %s', async (_, auth, code, principal) => {
    const address = newAddress();
    const line = await refusalOf(address, async () => {
      const socket = connect(address, auth);
      await new Promise((resolve) => void socket.on('connect_error', resolve));
      socket.disconnect();
    });
    expect([line['code'], line['principal'], line['asked']]).toEqual([code, principal, 'GET /socket.io/']);
    expect(gateway.output()).not.toContain('SECRET');
  });

  test.each<[string, unknown, string]>([
    ['join', 'hidden', 'forbidden'],
    ['control', { action: 'host-monitor.start' }, 'forbidden'],
    ['control', { action: 'a.b', data: { apiKey: 'SECRET-1234' } }, 'invalid_token'],
  ])('of what Socket.IO clients ask for: %s %j', async (name, sent, code) => {
    const address = newAddress();
    const socket = await connected(address, { token: KEYS.low, rooms: ['open'] });
    const line = await refusalOf(address, async () => {
      expect(await socket.emitWithAck(name, sent)).toMatchObject({ error: { code } });
    });
    expect(line).toMatchObject({ code, principal: LOW, asked: `Socket.IO ${name}` });
    expect(gateway.output()).not.toContain('SECRET');
  });

  test('lines about commands say where they came from', async () => {
    const address = newAddress();
    // Lines are limited: after others in the same second, one may be left out.
    await waitUntil(async () => {
      await ask('POST', '/api/control', withKey(address, KEYS.low), { action: 'no.such' });
      const lines = gateway.output().split('\n');
      return lines.some((line) => line.includes('"audit":"command"') && line.includes(address));
    }, 'a line about the command');
  });

  test('a flood of one kind is cut, counted, and hides no other kind', async () => {
    const [flooder, other] = [newAddress(), newAddress()];
    await Promise.all(Array.from({ length: 300 }, () => ask('GET', '/api/me', from(flooder))));
    const line = await refusalOf(other, () => ask('GET', '/metrics', withKey(other, KEYS.low)));
    expect(line).toMatchObject({ code: 'forbidden' });
    await waitUntil(
      () => leftOut('unauthenticated') + refusalsOf(flooder).length >= 300,
      'all to be told of',
    );
    expect(refusalsOf(flooder).length).toBeLessThan(200);
  });
});

describe('guesses of keys', () => {
  test('are slowed down at each entrance, and known clients and other addresses notice nothing', async () => {
    const address = newAddress();
    expect(await whoIs(withKey(address, KEYS.low))).toBe('key:low');
    const { status, json, headers } = await guess(address, 200);
    expect([status, json.error.code]).toEqual([429, 'too_many_attempts']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(json.error.retryAfterMs).toBeGreaterThan(0);
    // Not even the right key tells a guesser anything, wherever it is shown.
    const key = { 'X-API-Key': KEYS.operator };
    const answers = [
      await ask('GET', '/api/me', from(address, key)),
      await ask('POST', '/api/events', from(address, key), { type: 'x' }),
      await ask('GET', '/api/events/stream', from(address, key)),
      await ask('GET', '/api/me', bearer(address, KEYS.operator)),
      await ask('POST', '/api/control', withKey(address, KEYS.low), {
        action: 'host-monitor.start',
        data: { apiKey: KEYS.operator },
      }),
    ];
    expect(answers.map((answer) => [answer.status, answer.json.error.code])).toEqual(
      answers.map(() => [429, 'too_many_attempts']),
    );
    const socket = connect(address, { apiKey: KEYS.operator });
    await new Promise((resolve) => void socket.on('disconnect', resolve).on('connect_error', resolve));
    expect(socket.connected).toBe(false);
    expect(await whoIs(withKey(address, KEYS.low))).toBe('key:low');
    expect(await whoIs(withKey(newAddress(), KEYS.operator))).toBe('key:operator');
    expect(await whoIs(bearer(address, await tokenBy(SECRET)))).toBe('user:ada');
    const counted = await ask('GET', '/api/admin/status', withKey(newAddress(), KEYS.operator));
    expect(counted.json.counters.callers_refused.too_many_attempts).toBeGreaterThan(100);
  });

  test('over Socket.IO count as well', async () => {
    const address = newAddress();
    const socket = await connected(address, { token: KEYS.low, rooms: ['open'] });
    const codes: unknown[] = [];
    for (let n = 0; n < 40; n += 1) {
      const sent = { action: 'a.b', data: { apiKey: `guess-number-${String(n)}` } };
      const { error } = (await socket.emitWithAck('control', sent)) as { error: { code: string } };
      codes.push(error.code);
    }
    expect(codes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'invalid_token'));
    expect(codes.at(-1)).toBe('too_many_attempts');
  });

  test('a fleet with one withdrawn key makes no guesses', async () => {
    const address = newAddress();
    for (let n = 0; n < 100; n += 1)
      expect(await whoIs(withKey(address, 'withdrawn-key-1234'))).toBe('invalid_token');
    expect(await whoIs(withKey(address, KEYS.operator))).toBe('key:operator');
  });

  test('the addresses of one IPv6 network are one guesser', async () => {
    for (let n = 0; n < 40; n += 1)
      await whoIs(withKey(`2001:db8:1:2::${n.toString(16)}`, `guess-number-${String(n)}`));
    expect(await whoIs(withKey('2001:db8:1:2::ffff', KEYS.operator))).toBe('too_many_attempts');
    expect(await whoIs(withKey('2001:db8:1:3::1', KEYS.operator))).toBe('key:operator');
  });

  test('an EventSource is told in its stream when to come back, and does', async () => {
    const address = newAddress();
    await guess(address, 21);
    const headers = { ...bearer(address, KEYS.operator), Accept: 'text/event-stream' };
    const text = await streamOf(`${gateway.url}/api/events/stream?rooms=a`, headers);
    const [, retry] = /^retry: (\d+)$/m.exec(text) ?? [];
    expect(text).toContain('event: too_many_attempts\n');
    expect(Number(retry)).toBeGreaterThanOrEqual(1000);
    await waitUntil(
      async () => (await whoIs(withKey(address, KEYS.operator))) === 'key:operator',
      'the wait to end',
    );
  });

  test('a stock Socket.IO client comes back by itself', async () => {
    const address = newAddress();
    await guess(address, 20);
    const socket = connect(address, { apiKey: KEYS.operator }, true);
    await waitUntil(() => socket.connected, 'the client to be let in', 20_000);
  });
});

describe('JWTs', () => {
  test('wrong ones of one address do not make work without end, and delay nobody else', async () => {
    const address = newAddress();
    const [head, claims] = (await tokenBy(SECRET)).split('.');
    const codes: string[] = [];
    for (let batch = 0; batch < 10; batch += 1) {
      const wrong = Array.from({ length: 50 }, (_, n) => {
        const signature = Buffer.from(`wrong ${String(batch)} ${String(n)}`).toString('base64url');
        return whoIs(bearer(address, `${String(head)}.${String(claims)}.${signature}`));
      });
      codes.push(...(await Promise.all(wrong)));
    }
    expect(codes.filter((code) => code === 'too_many_attempts').length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set(['invalid_token', 'too_many_attempts']));
    expect(await whoIs(bearer(newAddress(), await tokenBy(SECRET, 600, 'bob')))).toBe('user:bob');
    expect(await whoIs(withKey(address, KEYS.operator))).toBe('key:operator');
  });

  test('that live longer than JWT_MAX_LIFETIME are refused', async () => {
    const headers = bearer(newAddress(), await tokenBy(SECRET, 7200));
    const { status, json } = await ask('GET', '/api/me', headers);
    expect([status, json.error.code]).toEqual([401, 'invalid_token']);
    expect(json.error.message).toContain('JWT_MAX_LIFETIME');
    expect(await whoIs(bearer(newAddress(), await tokenBy(SECRET, 3600)))).toBe('user:ada');
  });

  test('no client is refused while the secret is rotated', async () => {
    const old = await tokenBy(SECRET);
    const anew = await tokenBy(NEW_SECRET);
    const steps = [
      { variables: { JWT_SECRET_PREVIOUS: NEW_SECRET }, shown: [old, anew] },
      { variables: { JWT_SECRET: NEW_SECRET }, shown: [anew] },
    ];
    for (const { variables, shown } of steps) {
      const node = await launchGateway({ ...VARIABLES, ...variables });
      for (const token of shown) expect(await whoIs(bearer(newAddress(), token), node)).toBe('user:ada');
      if (!shown.includes(old)) expect(await whoIs(bearer(newAddress(), old), node)).toBe('invalid_token');
      expect(await node.stop()).toBe(0);
    }
  });
});

test('streams of one IPv6 network are counted together', async () => {
  const node = await launchGateway({ ...VARIABLES, MAX_CONNECTIONS_PER_ADDRESS: '2' });
  const requests: http.ClientRequest[] = [];
  const open = (address: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = withKey(address, KEYS.operator);
      const request = http.get(`${node.url}/api/events/stream?rooms=a`, { agent: false, headers });
      requests.push(request);
      request.on('response', ({ statusCode }) => {
        resolve(statusCode);
      });
      request.on('error', reject);
    });
  const statuses: (number | undefined)[] = [];
  for (let n = 1; n <= 4; n += 1) statuses.push(await open(`2001:db8:1:2::${String(n)}`));
  statuses.push(await open('2001:db8:1:3::1'));
  expect(statuses).toEqual([200, 200, 503, 503, 200]);
  for (const request of requests) request.on('error', () => undefined).destroy();
  expect(await node.stop()).toBe(0);
});

/** What a stream says until its end, whole or not. */
function streamOf(address: string, headers: http.OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(address, { agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response
        .on('error', () => undefined)
        .on('close', () => {
          resolve(text);
        });
    });
    request.on('error', reject);
  });
}
