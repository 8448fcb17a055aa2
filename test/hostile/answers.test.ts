import { once } from 'node:events';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { answersIn, type RawAnswer } from '../support/http-answers.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched } from '../support/launched-gateway.js';
import { launchProbedGateway, type ProbedGateway } from '../support/probed-gateway.js';
import { waitUntil } from '../support/wait-until.js';

const KEYS = {
  publisher: 'publisher-key-1',
  reader: 'reader-key-1234',
  other: 'other-key-12345',
  none: 'none-key-123456',
};
const MIB = 1024 * 1024;
/** Values of the room `state`: 20 MB together. */
const VALUES = 200;

let gateway: ProbedGateway;
const sockets: net.Socket[] = [];

beforeAll(async () => {
  gateway = await launchProbedGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    REDIS_URL: undefined,
    TRUSTED_PROXIES: 'loopback',
    ANONYMOUS_RIGHTS: '{"subscribe":["state"]}',
    API_KEYS: JSON.stringify([
      { id: 'publisher', key: KEYS.publisher, publish: ['*'], admin: ['*'] },
      { id: 'reader', key: KEYS.reader, subscribe: ['*'] },
      { id: 'other', key: KEYS.other, subscribe: ['*'] },
      { id: 'none', key: KEYS.none },
    ]),
  });
  for (let from = 0; from < VALUES; from += 10) {
    await publish(
      Array.from({ length: 10 }, (_, index) => ({
        type: 'value',
        room: 'state',
        key: `k${String(from + index)}`,
        data: '€'.repeat(33_000),
      })),
    );
  }
  await publish(
    Array.from({ length: 150 }, (_, data) => ({
      type: 'n',
      room: 'history',
      data: [data, 'x'.repeat(10_000)],
    })),
  );
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

afterAll(killLaunched);

async function publish(events: readonly object[]): Promise<void> {
  const headers = { 'X-API-Key': KEYS.publisher };
  expect((await requestJson('POST', `${gateway.url}/api/events`, events, headers)).status).toBe(202);
}

function read(
  target: string,
  key = KEYS.reader,
  method = 'GET',
  headers = {},
): ReturnType<typeof requestJson> {
  return requestJson(method, gateway.url + target, undefined, { 'X-API-Key': key, ...headers });
}

async function counter(name: string): Promise<number> {
  const { json } = await read('/api/admin/status', KEYS.publisher);
  return Object.values((json.counters[name] ?? {}) as Record<string, number>).reduce(
    (sum, count) => sum + count,
    0,
  );
}

/** A connection that sends this and reads nothing until it is told to. */
function silent(text: string): net.Socket {
  const socket = net.connect(gateway.port, '127.0.0.1', () => socket.write(text));
  socket.on('error', () => undefined).pause();
  sockets.push(socket);
  return socket;
}

function get(target: string, key = KEYS.reader): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n\r\n`;
}

/** The request of an anonymous caller from an IPv6 network. */
function anonymousGet(network: string, host: number): string {
  return `GET /api/rooms/state/state HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 2001:db8:1:${network}::${host.toString(16)}\r\n\r\n`;
}

async function anonymousStatus(network: string): Promise<number> {
  const headers = { 'X-Forwarded-For': `2001:db8:1:${network}::ffff` };
  const response = await fetch(`${gateway.url}/api/rooms/state/state`, { headers });
  await response.body?.cancel();
  return response.status;
}

function headOf(path: string, key: string, sized: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nContent-Type: application/json\r\n${sized}\r\n\r\n`;
}

/** The status of the answer to a JSON text of so many bytes, and two. */
async function send(method: string, path: string, bytes: number): Promise<number> {
  const headers = { 'X-API-Key': KEYS.publisher };
  return (await requestJson(method, gateway.url + path, `"${'x'.repeat(bytes)}"`, headers)).status;
}

/** The answers on a connection, once it was closed. */
async function answersOn(socket: net.Socket): Promise<RawAnswer[]> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part)).resume();
  if (!socket.closed) await once(socket, 'close');
  return answersIn(Buffer.concat(parts));
}

describe('history', () => {
  test('pages have at most 1 MiB; the cursor goes on to the end', async () => {
    const seen: number[] = [];
    let pages = 0;
    for (let after = ''; ; pages += 1) {
      const { json, text } = await read(`/api/rooms/history/events?limit=1000${after}`);
      expect(text.length).toBeLessThan(1.1 * MIB);
      seen.push(...json.events.map(({ data }: { data: [number] }) => data[0]));
      if (json.more !== true) break;
      after = `&after=${String(json.cursor)}`;
    }
    expect(pages).toBe(1);
    expect(seen).toEqual(Array.from({ length: 150 }, (_, index) => index));
  });

  test('an unchanged page is answered 304', async () => {
    const first = await read('/api/rooms/history/events?limit=5');
    const tag = { 'If-None-Match': first.headers.etag };
    expect((await read('/api/rooms/history/events?limit=5', KEYS.reader, 'GET', tag)).status).toBe(304);
    expect((await read('/api/rooms/history/events?limit=6', KEYS.reader, 'GET', tag)).status).toBe(200);
  });
});

describe('state', () => {
  test('arrives whole, whatever its size; HEAD and 304 have no body', async () => {
    const { status, json, headers } = await read('/api/rooms/state/state');
    expect([status, json.events.length]).toEqual([200, VALUES]);
    expect(json.events.every(({ data }: { data: string }) => data === '€'.repeat(33_000))).toBe(true);
    const head = await read('/api/rooms/state/state', KEYS.reader, 'HEAD');
    expect([head.status, head.text, head.headers.etag]).toEqual([200, '', headers.etag]);
    const fresh = await read('/api/rooms/state/state', KEYS.reader, 'GET', { 'If-None-Match': headers.etag });
    expect([fresh.status, fresh.text]).toEqual([304, '']);
  });

  test('that nobody reads costs next to nothing, on many connections and pipelined on each', async () => {
    const before = gateway.rssBytes() ?? 0;
    for (let index = 0; index < 40; index += 1) silent(get('/api/rooms/state/state').repeat(20));
    for (let index = 0; index < 40; index += 1)
      silent(get('/api/rooms/history/events?limit=1000').repeat(20));
    for (let index = 0; index < 40; index += 1) silent(get('/openapi.json').repeat(20));
    await waitUntil(() => sockets.every(({ bytesWritten }) => bytesWritten > 0), 'the requests');
    await read('/api/rooms/history/events?limit=1', KEYS.other);
    // 80 answers of 20 MB and more, and 1600 that wait for their turn.
    expect((gateway.rssBytes() ?? 0) - before).toBeLessThan(100 * MIB);
  });

  test('of which one caller reads too many at once is refused, to that caller alone', async () => {
    const refusedBefore = await counter('answers_refused');
    for (let index = 0; index < 140; index += 1) silent(get('/api/rooms/state/state'));
    await waitUntil(async () => (await read('/api/rooms/state/state')).status === 429, 'the limit');
    const { json, headers } = await read('/api/rooms/state/state');
    expect([json.error.code, headers['retry-after']]).toEqual(['rate_limited', '1']);
    expect((await read('/api/rooms/state/state', KEYS.other)).status).toBe(200);
    expect((await read('/api/rooms/history/events?limit=1')).status).toBe(200);
    expect(await counter('answers_refused')).toBeGreaterThan(refusedBefore);
    for (const socket of sockets.splice(0)) socket.destroy();
    await waitUntil(async () => (await read('/api/rooms/state/state')).status === 200, 'its turn again');
  });

  test('count for one network where nobody is known: an IPv6 /64 has as many addresses as it likes', async () => {
    for (let host = 1; host <= 140; host += 1) silent(anonymousGet('a', host));
    const refusedBefore = await counter('answers_refused');
    await waitUntil(async () => (await anonymousStatus('a')) === 429, 'the limit');
    expect(await anonymousStatus('b')).toBe(200);
    expect(await counter('answers_refused')).toBeGreaterThan(refusedBefore);
  });

  test('whose reader takes nothing for 10 s ends with its connection, that of a slow one does not', async () => {
    const cutBefore = await counter('answers_cut');
    const stalled = silent(get('/api/rooms/state/state'));
    const slow = silent(get('/api/rooms/state/state'));
    let isStalledClosed = false;
    let slowBytes = 0;
    slow.on('data', (part: Buffer) => {
      slowBytes += part.length;
      slow.pause();
      setTimeout(() => slow.resume(), 200);
    });
    slow.resume();
    await waitUntil(async () => (await counter('answers_cut')) > cutBefore, 'the answer to be cut', 25_000);
    expect(await counter('answers_cut')).toBe(cutBefore + 1);
    expect([slow.destroyed, slowBytes > MIB]).toEqual([false, true]);
    stalled.on('close', () => {
      isStalledClosed = true;
    });
    stalled.resume();
    await waitUntil(() => isStalledClosed, 'its connection to be closed');
  }, 40_000);
});

describe('requests on one connection', () => {
  test('are answered in turn, all of them', async () => {
    const socket = silent(
      get('/api/me').repeat(30) + get('/api/me').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    expect((await answersOn(socket)).map(({ status }) => status)).toEqual(Array(31).fill(200));
  });

  test('beyond 32 that wait cost the connection', async () => {
    const socket = silent(get('/api/rooms/state/state').repeat(200));
    await answersOn(socket);
    const { json } = await read('/api/admin/status', KEYS.publisher);
    expect(json.counters.http_refused.rate_limited).toBeGreaterThan(0);
  });
});

describe('a request that is refused', () => {
  const BODY_BYTES = 2_000_000;
  const entrances: readonly [string, string, number, string][] = [
    ['/api/events', KEYS.none, 403, 'forbidden'],
    ['/api/events', 'wrong', 401, 'invalid_token'],
    ['/api/control', KEYS.none, 413, 'payload_too_large'],
    ['/api/x/control', KEYS.none, 413, 'payload_too_large'],
    ['/api/sessions/x/rooms', KEYS.none, 413, 'payload_too_large'],
    ['/api/nothing', KEYS.none, 404, 'not_found'],
    ['/api/rooms/a/state', KEYS.none, 404, 'not_found'],
    ['/metrics', 'wrong', 401, 'invalid_token'],
  ];

  test('does not have its body read, at any entrance', async () => {
    const cases = entrances.flatMap((entrance) => [
      // Of the body comes a first part, and nothing more: the answer does not wait for it.
      { entrance, sized: `Content-Length: ${String(BODY_BYTES)}`, part: '['.repeat(300_000) },
      { entrance, sized: 'Transfer-Encoding: chunked', part: `493e0\r\n${'['.repeat(300_000)}\r\n` },
    ]);
    await Promise.all(
      cases.map(async ({ entrance: [path, key, status, code], sized, part }) => {
        const [answer] = await answersOn(silent(headOf(path, key, sized) + part));
        const { error } = JSON.parse(answer?.body ?? '') as { error: { code: string } };
        expect([path, answer?.status, error.code]).toEqual([path, status, code]);
        expect(answer?.headers.get('connection')).toBe('close');
      }),
    );
  });

  test('can send all of it first, and read the answer then', async () => {
    const socket = silent(
      headOf('/api/events', KEYS.none, `Content-Length: ${String(BODY_BYTES)}`) + ' '.repeat(BODY_BYTES),
    );
    await waitUntil(() => socket.writableLength === 0, 'the body to be sent');
    expect((await answersOn(socket)).map(({ status }) => status)).toEqual([403]);
  });

  test('with a small body keeps its connection', async () => {
    const small = headOf('/api/events', KEYS.none, 'Content-Length: 2') + '{}';
    const last = get('/api/me', KEYS.none).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    expect((await answersOn(silent(small + small + last))).map(({ status }) => status)).toEqual([
      403, 403, 200,
    ]);
  });

  test('of a flip has at most 16 KiB, of a change of rooms 256 KiB', async () => {
    expect(await send('PUT', '/api/admin/profile', 16_000)).toBe(400);
    expect(await send('PUT', '/api/admin/profile', 16_384)).toBe(413);
    expect(await send('POST', '/api/sessions/x/rooms', 262_000)).toBe(404);
    expect(await send('POST', '/api/sessions/x/rooms', 262_144)).toBe(413);
  });
});
