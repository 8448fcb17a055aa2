import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cursorOf } from '../support/gateway-status.js';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { PollingSession } from '../support/polling-session.js';
import { publish } from '../support/publish.js';
import { exchangeRaw, type RawExchange, upgradeLines } from '../support/raw-exchange.js';
import { rawStreamWire } from '../support/raw-stream-wire.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const PAGE = 'https://app.example';
const exchanges: RawExchange[] = [];
let hybrid: LaunchedGateway;
let url: string;

beforeAll(async () => {
  hybrid = await launchExecuting({
    APP_PROFILE: 'HYBRID',
    COMMANDS_MODULE: 'test/support/commands.mjs',
    CONTROL_RATE_PER_SECOND: '1000',
    CONTROL_WAIT_MS: '1500',
    MAX_HTTP_BUFFER_SIZE: '300000',
    CORS_ORIGINS: PAGE,
  });
  url = hybrid.url;
});

afterEach(() => {
  for (const exchange of exchanges.splice(0)) exchange.close();
});

afterAll(killLaunched);

function exchange(port: number, lines: readonly string[]): RawExchange {
  const opened = exchangeRaw(port, lines);
  exchanges.push(opened);
  return opened;
}

/** The whole of what came back, once the other side has ended it. */
async function wholeOf(opened: RawExchange): Promise<string> {
  await waitUntil(() => opened.ended(), 'the connection to end');
  return opened.text();
}

function expectError(answer: JsonAnswer, status: number, code: string): void {
  expect([answer.status, answer.json]).toEqual([
    status,
    expect.objectContaining({
      error: expect.objectContaining({ code, message: expect.any(String), retryable: expect.any(Boolean) }),
    }),
  ]);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
}

const post = (body: unknown, headers = {}): Promise<JsonAnswer> =>
  requestJson('POST', `${url}/api/events`, body, headers);

const control = (body: unknown, headers = {}): Promise<JsonAnswer> =>
  requestJson('POST', `${url}/api/control`, body, headers);

/** The state of a command that was still running, once it has ended. */
async function ended({ headers }: JsonAnswer): Promise<JsonAnswer> {
  let state = await requestJson('GET', `${url}${String(headers.location)}`);
  await waitUntil(async () => {
    state = await requestJson('GET', `${url}${String(headers.location)}`);
    return state.json.status !== 'queued';
  });
  return state;
}

const preflight = (origin: string): Promise<JsonAnswer> =>
  requestJson('OPTIONS', `${url}/api/control`, undefined, {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type,idempotency-key',
  });

const typesRefused = async (): Promise<number> => {
  const { json } = await requestJson('GET', `${url}/api/admin/status`);
  return Number(json.counters.events_refused?.invalid_type ?? 0);
};

describe('GET /api/profile', () => {
  test('says which transports are on, where, and how to come back', async () => {
    const { status, json, headers } = await requestJson('GET', `${url}/api/profile`);
    expect([status, json]).toEqual([
      200,
      {
        profile: 'HYBRID',
        transports: { websocket: { path: '/socket.io' }, sse: { path: '/api/events/stream' } },
        control: { path: '/api/control' },
        reconnect: { minMs: 1000, maxMs: 30_000, jitterMs: 0 },
      },
    ]);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['content-security-policy']).toContain("default-src 'self'");
  });
});

describe('POST /api/events', () => {
  test('publishes one event or up to 1000, and answers their ids in order', async () => {
    const one = await post({ type: 'fact_added', room: 'publish', data: 'one' });
    expect([one.status, one.json.ids.length]).toEqual([202, 1]);
    const all = Array.from({ length: 1000 }, (_, data) => ({ type: 'fact_added', room: 'publish', data }));
    const many = await post(all);
    expect([many.status, new Set(many.json.ids).size]).toEqual([202, 1000]);
    await waitUntil(async () => {
      const { json } = await requestJson('GET', `${url}/api/rooms/publish/events?limit=1000`);
      return json.events.length === 1000;
    }, 'the events to be in the log');
    const { json } = await requestJson(
      'GET',
      `${url}/api/rooms/publish/events?limit=1000&after=${await cursorOf(url, one.json.ids[0])}`,
    );
    expect(json.events.map(({ id }: { id: string }) => id)).toEqual(many.json.ids);
  });

  test.each([
    ['nothing', [], 'invalid_event'],
    ['null', 'null', 'invalid_event'],
    ['a number', 7, 'invalid_event'],
    ['a text', '"fact_added"', 'invalid_event'],
    ['a list in a list', [[{ type: 'fact_added' }]], 'invalid_event'],
    ['no type', {}, 'invalid_type'],
    ['a type with a space', { type: 'a b' }, 'invalid_type'],
    ['a type of 129 characters', { type: 'x'.repeat(129) }, 'invalid_type'],
    ['a type that is none', { type: ['fact_added'] }, 'invalid_type'],
    ['a type kept by Socket.IO', { type: 'connect_error' }, 'invalid_type'],
    ['a room with a slash', { type: 'a', room: 'a/b' }, 'invalid_room'],
    ['an empty room', { type: 'a', room: '' }, 'invalid_room'],
    ['a key of 257 characters', { type: 'a', key: 'x'.repeat(257) }, 'invalid_key'],
    ['a key with a line end', { type: 'a', key: 'a\nb' }, 'invalid_key'],
    ['a key that is a number', { type: 'a', key: 7 }, 'invalid_key'],
    ['a timestamp that is a text', { type: 'a', timestamp: 'now' }, 'invalid_timestamp'],
    ['no JSON', '{"type":', 'invalid_json'],
    ['no body', '', 'invalid_json'],
    ['a body nested too deep', `{"type":"a","data":${'['.repeat(100)}${']'.repeat(100)}}`, 'invalid_json'],
    ['a body that only opens', '['.repeat(200_000), 'invalid_json'],
  ])('refuses %s', async (_what, body, code) => {
    expectError(await post(body), 400, code);
  });

  test('takes all or none, and says which one was wrong', async () => {
    const answer = await post([
      { type: 'fact_added', room: 'all-or-none', data: 1 },
      { type: 'fact_added', room: 'all-or-none', key: '' },
      { type: 'fact_added', room: 'all-or-none', data: 3 },
    ]);
    expectError(answer, 400, 'invalid_key');
    expect(answer.json.error.message).toMatch(/^event 1: /);
    // What comes after has passed whatever was on its way.
    await publish(url, { type: 'fact_added', room: 'all-or-none', data: 'after' });
    await waitUntil(async () => {
      const { json } = await requestJson('GET', `${url}/api/rooms/all-or-none/events`);
      return json.events.length > 0;
    });
    const { json } = await requestJson('GET', `${url}/api/rooms/all-or-none/events`);
    expect(json.events.map(({ data }: { data: unknown }) => data)).toEqual(['after']);
  });

  test('refuses more than 1000 events, and more bytes than it was told to take', async () => {
    expectError(await post(Array.from({ length: 1001 }, () => ({ type: 'a' }))), 413, 'too_many_events');
    expectError(await post({ type: 'a', data: 'x'.repeat(300_001) }), 413, 'payload_too_large');
  });

  test('refuses bodies that are not said to be JSON', async () => {
    const body = '{"type":"fact_added"}';
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'json',
      '',
    ]) {
      expectError(await post(body, { 'Content-Type': type }), 415, 'unsupported_media_type');
    }
    const latin = { 'Content-Type': 'application/json; charset=latin1' };
    expectError(await post(body, latin), 415, 'unsupported_media_type');
    expectError(await post(body, { 'Content-Encoding': 'rot13' }), 415, 'unsupported_media_type');
    expect((await post(body, { 'Content-Type': 'application/json; charset=utf-8' })).status).toBe(202);
  });

  test('refuses bytes that are not UTF-8, wherever they are, and other charsets', async () => {
    for (const bytes of [
      Buffer.from('{"type":"a","data":"Müller"}', 'latin1'),
      Buffer.from('{"type":"a","data":"\xed\xa0\x80"}', 'latin1'),
      Buffer.from('{"type":"a","data":"\xc3"}', 'latin1'),
      Buffer.concat([Buffer.from('{"type":"a"}'), Buffer.of(0xff)]),
    ]) {
      expectError(await post(bytes), 400, 'invalid_json');
      expectError(await control(bytes), 400, 'invalid_json');
    }
    const utf16 = { 'Content-Type': 'application/json; charset=utf-16le' };
    expectError(await post(Buffer.from('{"type":"a"}', 'utf16le'), utf16), 415, 'unsupported_media_type');
    expect((await post('\ufeff{"type":"fact_added","room":"bom"}')).status).toBe(202);
  });

  test('passes data on as it was sent, over each wire', async () => {
    const data = '{"order":1234567890123456789,"x":1e400,"b":-0.0,"1":"\\ud800\\u0000 \u2028 é"}';
    const sse = exchange(Number(new URL(url).port), [
      'GET /api/events/stream?rooms=exact HTTP/1.1',
      'Host: 127.0.0.1',
    ]);
    await waitUntil(() => sse.text().includes('event: welcome'));
    const bundle = await PollingSession.open(url);
    const legacy = await PollingSession.open(url);
    await bundle.send('40{"bundle":true,"rooms":["exact"]}');
    await legacy.send('40');
    const packets: string[] = [];
    const receive = async (session: PollingSession, part: string): Promise<void> => {
      while (!packets.some((packet) => packet.includes(part))) packets.push(...(await session.receive()));
    };
    await receive(bundle, '42["welcome"');
    await receive(legacy, '42["connection_status"');
    // Line ends between tokens must not end the line of the block.
    const spaced = data.replaceAll(',"', ' ,\r\n\t"');
    const events = ['exact', 'default'].map((room) => `{"type":"exact","room":"${room}","data":${spaced}}`);
    expect((await post(`[${events.join(',')}]`)).status).toBe(202);
    await receive(bundle, `"data":${data},`);
    await receive(legacy, `42["exact",${data}]`);
    await waitUntil(() => Buffer.from(sse.text(), 'latin1').toString().includes(`"data":${data},`));
  });

  test('counts what it refuses', async () => {
    const before = await typesRefused();
    await post({ type: 'no type' });
    expect(await typesRefused()).toBe(before + 1);
  });
});

describe('POST /api/control', () => {
  test('answers 200 with the result of a command that is done in time', async () => {
    const { status, json } = await control({ action: 'test.echo', data: { any: ['JSON'] } });
    expect([status, json]).toEqual([
      200,
      { id: expect.any(String), action: 'test.echo', status: 'succeeded', result: { any: ['JSON'] } },
    ]);
    const again = await requestJson('GET', `${url}/api/control/${json.id}`);
    expect([again.status, again.json]).toEqual([200, json]);
  });

  test('takes the target from the path', async () => {
    const { status, json } = await requestJson('POST', `${url}/api/test/control`, {
      action: 'echo',
      data: 5,
    });
    expect([status, json]).toMatchObject([200, { action: 'test.echo', result: 5 }]);
    expectError(await requestJson('POST', `${url}/api/test/control`, {}), 400, 'invalid_action');
    expectError(
      await requestJson('POST', `${url}/api/a%20b/control`, { action: 'c' }),
      400,
      'invalid_action',
    );
  });

  test('answers 202 with a Location while the command runs, where its outcome appears', async () => {
    const { status, json, headers } = await control({ action: 'test.sleep', data: { ms: 4000 } });
    expect([status, json]).toEqual([202, { id: json.id, action: 'test.sleep', status: 'queued' }]);
    expect(headers.location).toBe(`/api/control/${json.id}`);
    const state = (): Promise<JsonAnswer> => requestJson('GET', `${url}${String(headers.location)}`);
    expect((await state()).json.status).toBe('queued');
    await waitUntil(async () => (await state()).json.status !== 'queued', 'the outcome');
    const { status: done, json: outcome } = await state();
    expect([done, outcome]).toEqual([200, { ...json, status: 'succeeded', result: { sleptMs: 4000 } }]);
  });

  test('answers a command that fails with its state and the status of its error', async () => {
    const failed = await control({ action: 'test.fail' });
    expectError(failed, 500, 'command_failed');
    expect(failed.json).toMatchObject({
      action: 'test.fail',
      status: 'failed',
      error: { message: 'it failed as it should' },
    });
    const late = await control({ action: 'test.brief', data: { ms: 60_000 } });
    // A thread that has to start first may take longer than the answer waits.
    const outcome = late.status === 202 ? await ended(late) : late;
    expect(outcome.json).toMatchObject({ status: 'failed', error: { code: 'command_timeout' } });
    if (late.status !== 202) expectError(late, 504, 'command_timeout');
  });

  test('refuses what is no action, or no known one', async () => {
    for (const body of [
      {},
      { action: 7 },
      { action: '' },
      { action: 'a b' },
      { action: ['test.echo'] },
      [],
      7,
    ]) {
      expectError(await control(body), 400, 'invalid_action');
    }
    for (const action of ['test.missing', 'toString', '__proto__', 'constructor']) {
      expectError(await control({ action }), 404, 'unknown_action');
    }
    expectError(await requestJson('GET', `${url}/api/control/none`), 404, 'unknown_command');
    expectError(await control('{"action"'), 400, 'invalid_json');
    expectError(await control('{}', { 'Content-Type': 'text/plain' }), 415, 'unsupported_media_type');
  });

  test('runs a command once, however often it is asked with the same Idempotency-Key', async () => {
    const key = { 'Idempotency-Key': `key-${String(Date.now())}` };
    const ask = (data: unknown, headers: object = key): Promise<JsonAnswer> =>
      control({ action: 'test.context', data }, headers);
    const [first, ...others] = await Promise.all([ask(1), ask(1), ask(1)]);
    for (const { status, json } of [...others, await ask(1)])
      expect([status, json]).toEqual([200, first?.json]);
    expectError(await ask(2), 409, 'idempotency_mismatch');
    expect((await ask(1, {})).json.id).not.toBe(first?.json.id);
    expectError(await ask(1, { 'Idempotency-Key': 'x'.repeat(256) }), 400, 'bad_request');
  });

  test('publishes outcomes as events', async () => {
    const { json } = await control({ action: 'test.context' });
    await waitUntil(async () => {
      const { text } = await requestJson('GET', `${url}/api/rooms/tests/events`);
      return text.includes(`"type":"test_context"`) && text.includes(String(json.id));
    }, 'the outcome');
  });

  test('beyond the rate it answers 429 and when to come again, which then works', async () => {
    const slow = await launchGateway({ COMMANDS_MODULE: 'test/support/commands.mjs' });
    const ask = (): Promise<JsonAnswer> =>
      requestJson('POST', `${slow.url}/api/control`, { action: 'host-monitor.stop' });
    const answers = await Promise.all(Array.from({ length: 12 }, ask));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(5);
    const [first] = refused;
    if (first === undefined) throw new Error('no command was refused');
    expectError(first, 429, 'rate_limited');
    const { retryAfterMs, retryable } = first.json.error;
    expect(retryable).toBe(true);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
    expect(first.headers['retry-after']).toBe(String(Math.ceil(retryAfterMs / 1000)));
    await new Promise((resolve) => {
      setTimeout(resolve, retryAfterMs);
    });
    expect((await ask()).status).toBe(200);
  });

  test('with ENABLE_CONTROL_HTTP=false commands are answered 404 transport_disabled, and nothing else is', async () => {
    const quiet = await launchGateway({ ENABLE_CONTROL_HTTP: 'false' });
    const profile = (await requestJson('GET', `${quiet.url}/api/profile`)).json;
    expect(profile.control).toBeNull();
    for (const path of ['/api/control', '/api/governor/control']) {
      const answer = await requestJson('POST', `${quiet.url}${path}`, { action: 'start' });
      expectError(answer, 404, 'transport_disabled');
      expect(answer.json).toMatchObject(profile);
    }
    expectError(await requestJson('GET', `${quiet.url}/api/control/x`), 404, 'transport_disabled');
    expect((await requestJson('GET', `${quiet.url}/api/rooms/control/state`)).status).toBe(200);
    expect((await requestJson('GET', `${quiet.url}/api/rooms/control/events`)).status).toBe(200);
  });
});

describe('GET /api/rooms', () => {
  test('state: the newest values, with an ETag that answers 304 until they change', async () => {
    const ask = (tag?: string): Promise<JsonAnswer> =>
      requestJson(
        'GET',
        `${url}/api/rooms/etag/state`,
        undefined,
        tag === undefined ? {} : { 'If-None-Match': tag },
      );
    const empty = await ask();
    expect([empty.status, empty.json.events]).toEqual([200, []]);
    expect((await ask(empty.headers.etag)).status).toBe(304);
    const ids = await publish(url, [
      { type: 'kb_update', room: 'etag', data: 'old' },
      { type: 'fact_added', room: 'etag', data: 'no value' },
      { type: 'gpu_update', room: 'etag', key: 'a', data: 1 },
      { type: 'kb_update', room: 'etag', data: 'new' },
    ]);
    await waitUntil(async () => (await ask()).json.events.length === 2, 'both values');
    const full = await ask(empty.headers.etag);
    expect(full.status).toBe(200);
    expect(full.json).toMatchObject({ room: 'etag', events: [{ data: 1, key: 'a' }, { data: 'new' }] });
    expect(full.json.events[1]).toEqual({
      id: ids[3],
      type: 'kb_update',
      room: 'etag',
      data: 'new',
      timestamp: expect.any(Number),
    });
    expect(full.headers).toMatchObject({ 'cache-control': 'no-cache', etag: expect.any(String) });
    const fresh = await ask(full.headers.etag);
    expect([fresh.status, fresh.text]).toEqual([304, '']);
    await publish(url, { type: 'gpu_update', room: 'etag', key: 'a', data: 2 });
    await waitUntil(async () => (await ask(full.headers.etag)).status === 200, 'the change');
  });

  test('events: the history, page by page, from a cursor on', async () => {
    const ids = await publish(
      url,
      Array.from({ length: 7 }, (_, data) => ({ type: 'fact_added', room: 'history', data })),
    );
    const ask = (query: string): Promise<JsonAnswer> =>
      requestJson('GET', `${url}/api/rooms/history/events${query}`);
    await waitUntil(async () => (await ask('')).json.events.length === 7, 'the events');
    const seen: unknown[] = [];
    let after = await cursorOf(url, ids[0]);
    for (;;) {
      const { json } = await ask(`?limit=2&after=${after}`);
      expect(json).toMatchObject({ room: 'history', whole: true });
      if (json.events.length === 0) break;
      seen.push(...json.events.map(({ id }: { id: string }) => id));
      after = json.cursor;
    }
    expect(seen).toEqual(ids.slice(1));
    expect((await ask('')).json.events).toHaveLength(7);
    // A bare id is no cursor: it does not say of which log.
    for (const after of ['garbage', ids[0]]) {
      expect((await ask(`?after=${String(after)}`)).json).toMatchObject({ whole: false });
    }
  });

  test('refuse rooms and parameters that are none', async () => {
    expectError(await requestJson('GET', `${url}/api/rooms/a%20b/state`), 400, 'invalid_room');
    expectError(await requestJson('GET', `${url}/api/rooms/a%2Fb/events`), 400, 'invalid_room');
    expectError(await requestJson('GET', `${url}/api/rooms/%E0%A4%A/state`), 400, 'bad_request');
    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'limit=1.5',
      'limit=1&limit=2',
      'after=a&after=b',
    ]) {
      expectError(await requestJson('GET', `${url}/api/rooms/a/events?${query}`), 400, 'bad_request');
    }
  });
});

describe('POST /api/sessions/{id}/rooms', () => {
  test('changes the rooms of a live session, and of no other', async () => {
    const client = await rawStreamWire.connect(url, { rooms: ['first'] });
    const address = `${url}/api/sessions/${String(client.got.welcomes[0]?.sessionId)}/rooms`;
    const both = await requestJson('POST', address, { join: ['second', 'third'], leave: ['first', 'never'] });
    expect([both.status, both.json]).toEqual([200, { rooms: ['second', 'third'] }]);
    expect((await requestJson('POST', address, {})).json).toEqual({ rooms: ['second', 'third'] });
    expectError(await requestJson('POST', address, { join: 'second' }), 400, 'invalid_room');
    expectError(await requestJson('POST', address, { leave: [7] }), 400, 'invalid_room');
    await client.close();
    await waitUntil(
      async () => (await requestJson('POST', address, {})).status === 404,
      'the session to end',
    );
    expectError(await requestJson('POST', address, {}), 404, 'unknown_session');
    expectError(await requestJson('POST', `${url}/api/sessions/none/rooms`, {}), 404, 'unknown_session');
  });
});

describe('the routes for operators', () => {
  test('say that the process is alive, and fit', async () => {
    expect((await requestJson('GET', `${url}/healthz`)).json).toEqual({ status: 'ok' });
    await waitUntil(async () => (await requestJson('GET', `${url}/readyz`)).status === 200, 'the log');
    expect((await requestJson('GET', `${url}/readyz`)).json).toEqual({
      ready: true,
      log: 'ready',
      since: expect.any(Number),
      draining: false,
    });
  });

  test('status shows sessions, rooms, the log and the counters', async () => {
    const client = await rawStreamWire.connect(url, { rooms: ['status-room'] });
    const { json } = await requestJson('GET', `${url}/api/admin/status`);
    expect(json).toMatchObject({
      profile: 'HYBRID',
      uptimeSeconds: expect.any(Number),
      sessions: { sse: expect.any(Number), websocket: expect.any(Number) },
      rooms: { 'status-room': 1 },
      eventsHeld: expect.any(Number),
      cursor: expect.stringMatching(/^[\w-]{8}\.\d+-\d+$/),
      commands: { open: 0, actions: expect.arrayContaining(['host-monitor.start']) },
      log: { state: 'ready' },
      counters: { sessions_opened: expect.anything() },
    });
    await client.close();
  });

  test('whatever is not there is answered 404 in the one shape', async () => {
    for (const [method, path] of [
      ['GET', '/nowhere'],
      ['GET', '/api/nowhere'],
      ['GET', '/console/../package.json'],
      ['GET', '/console/%2e%2e/%2e%2e/package.json'],
      ['GET', '/console/none.js'],
    ] as const) {
      expectError(await requestJson(method, `${url}${path}`), 404, 'not_found');
    }
    expect((await requestJson('GET', `${url}/`)).headers['content-type']).toContain('text/html');
  });

  test('the path of events is taken as other paths are: in any case, with a slash, in absolute form with the host of Host', async () => {
    for (const path of ['/api/events/', '/API/Events']) {
      expect((await requestJson('POST', `${url}${path}`, { type: 'x' })).status).toBe(202);
    }
    const { port } = new URL(url);
    const body = '{"type":"x"}';
    const text = await wholeOf(
      exchange(Number(port), [
        `POST ${url}/api/events HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        'Connection: close',
        'Content-Type: application/json',
        `Content-Length: ${String(body.length)}`,
        '',
        body,
      ]),
    );
    expect(text).toMatch(/^HTTP\/1\.1 202 /);
  });

  test('events are published with POST, and no other method', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await requestJson(method, `${url}/api/events`);
      expectError(answer, 405, 'method_not_allowed');
      expect(answer.headers['allow']).toBe('POST');
    }
  });
});

describe('a transport that is off', () => {
  test('under SSE, /socket.io answers 404 with the profile beside, to polling and to upgrades', async () => {
    const sse = await launchGateway({ APP_PROFILE: 'sse' });
    const profile = (await requestJson('GET', `${sse.url}/api/profile`)).json;
    expect(profile).toMatchObject({ profile: 'SSE', transports: { websocket: null } });
    const polling = `${sse.url}/socket.io/?EIO=4&transport=polling`;
    for (const answer of [
      await requestJson('GET', polling),
      await requestJson('POST', `${polling}&sid=x`, '40', { 'Content-Type': 'text/plain;charset=UTF-8' }),
    ]) {
      expectError(answer, 404, 'transport_disabled');
      expect(answer.json).toMatchObject(profile);
    }
    const text = await wholeOf(
      exchange(sse.port, upgradeLines('/socket.io/?EIO=4&transport=websocket', 'Origin: http://127.0.0.1')),
    );
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
    expect(body).toMatchObject({ ...profile, error: { code: 'transport_disabled' } });
    const client = new StockClient(4, sse.url, 'websocket', { reconnection: false });
    await waitUntil(() => client.errors.length > 0, 'the stock client to be refused');
    await client.close();
  });

  test('under WEBSOCKET, the stream answers 404 with the profile beside', async () => {
    const websocket = await launchGateway({});
    const profile = (await requestJson('GET', `${websocket.url}/api/profile`)).json;
    expect(profile).toMatchObject({ profile: 'WEBSOCKET', transports: { sse: null } });
    for (const method of ['GET', 'POST']) {
      const answer = await requestJson(method, `${websocket.url}/api/events/stream?rooms=a`);
      expectError(answer, 404, 'transport_disabled');
      expect(answer.json).toMatchObject(profile);
    }
  });
});

describe('GET /api/events/stream', () => {
  test('has the headers of a stream and begins with the time to reconnect', async () => {
    const request = ['GET /api/events/stream?rooms=h HTTP/1.1', 'Host: localhost'];
    const stream = exchange(hybrid.port, request);
    await waitUntil(() => stream.text().includes('event: welcome'), 'the welcome');
    const [head = '', body = ''] = stream.text().split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(head).toContain('Content-Type: text/event-stream\r\n');
    expect(head).toContain('Cache-Control: no-cache, no-transform\r\n');
    expect(head).toContain('X-Accel-Buffering: no');
    expect(head).toContain('Connection: close');
    expect(body).toContain('retry: 1000\nevent: welcome\n');
  });

  test('serves HTTP/1.0 clients, without chunks', async () => {
    const stream = exchange(hybrid.port, ['GET /api/events/stream?rooms=old HTTP/1.0']);
    await waitUntil(() => stream.text().includes('event: welcome'), 'the welcome');
    await publish(url, { type: 'fact_added', room: 'old', data: 'still here' });
    await waitUntil(() => stream.text().includes('still here'), 'the event');
    const [head = '', body = ''] = stream.text().split('\r\n\r\n');
    expect(head.toLowerCase()).not.toContain('transfer-encoding');
    expect(body).toMatch(/^retry: 1000\nevent: welcome\ndata: \{/);
    expect(stream.ended()).toBe(false);
  });

  test('answers HEAD without a body, and no other method', async () => {
    const head = await requestJson('HEAD', `${url}/api/events/stream`);
    expect([head.status, head.headers['content-type'], head.text]).toEqual([200, 'text/event-stream', '']);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await requestJson(
        method,
        `${url}/api/events/stream`,
        method === 'POST' ? {} : undefined,
      );
      expectError(answer, 405, 'method_not_allowed');
      expect(answer.headers.allow).toBe('GET, HEAD');
    }
  });

  test('the header Last-Event-ID wins over the parameter', async () => {
    const [first, second] = await publish(url, [
      { type: 'fact_added', room: 'wins', data: 1 },
      { type: 'fact_added', room: 'wins', data: 2 },
    ]);
    const [one, two] = [await cursorOf(url, first), await cursorOf(url, second)];
    const stream = exchange(hybrid.port, [
      `GET /api/events/stream?rooms=wins&lastEventId=${two} HTTP/1.0`,
      `Last-Event-ID: ${one}`,
    ]);
    await waitUntil(() => stream.text().includes('"data":2'), 'what follows the first');
    expect(stream.text()).toContain(`"cursor":"${one}","resumed":true`);
  });
});

describe('pages of other origins', () => {
  test('a listed one is told that it may', async () => {
    const { status, headers } = await preflight(PAGE);
    expect([status, headers]).toMatchObject([
      204,
      {
        'access-control-allow-origin': PAGE,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': expect.stringContaining('POST'),
        'access-control-allow-headers': 'content-type,idempotency-key',
      },
    ]);
    const answer = await requestJson('GET', `${url}/api/profile`, undefined, { Origin: PAGE });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-expose-headers': 'Location,Retry-After,ETag,X-Request-Id',
      vary: expect.stringContaining('Origin'),
    });
    const refused = await requestJson('GET', `${url}/nowhere`, undefined, { Origin: PAGE });
    expect(refused.headers['access-control-allow-origin']).toBe(PAGE);
  });

  test('the stream of a listed one can be read by it', async () => {
    const stream = exchange(hybrid.port, ['GET /api/events/stream HTTP/1.0', `Origin: ${PAGE}`]);
    await waitUntil(() => stream.text().includes('welcome'), 'the welcome');
    expect(stream.text()).toContain(`Access-Control-Allow-Origin: ${PAGE}\r\n`);
  });

  test.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])(
    '%s is not',
    async (origin) => {
      expect((await preflight(origin)).headers['access-control-allow-origin']).toBeUndefined();
      const answer = await requestJson('GET', `${url}/api/profile`, undefined, { Origin: origin });
      expectError(answer, 403, 'origin_not_allowed');
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      const path = '/socket.io/?EIO=4&transport=websocket';
      const text = await wholeOf(exchange(hybrid.port, upgradeLines(path, `Origin: ${origin}`)));
      expect(text).toMatch(/^HTTP\/1\.1 403 /);
      expect(text).toContain('"code":"origin_not_allowed"');
    },
  );

  test('a websocket is opened for a listed page, for the own page, and for programs', async () => {
    for (const headers of [[`Origin: ${PAGE}`], ['Origin: http://127.0.0.1'], []]) {
      const opened = exchange(hybrid.port, upgradeLines('/socket.io/?EIO=4&transport=websocket', ...headers));
      await waitUntil(() => opened.text().includes('\r\n\r\n'), 'the answer');
      expect(opened.text()).toMatch(/^HTTP\/1\.1 101 /);
    }
  });

  test('an upgrade at a path where there is none is refused', async () => {
    const text = await wholeOf(exchange(hybrid.port, upgradeLines('/elsewhere')));
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({
      error: { code: expect.any(String) },
    });
  });
});

describe('at the door', () => {
  test('a name that the gateway does not go by is refused, to requests and to upgrades', async () => {
    const answer = await requestJson('GET', `${url}/api/profile`, undefined, { Host: 'evil.example' });
    expectError(answer, 421, 'host_not_allowed');
    const upgrade = upgradeLines('/socket.io/?EIO=4&transport=websocket').map((line) =>
      line.startsWith('Host:') ? 'Host: evil.example' : line,
    );
    expect(await wholeOf(exchange(hybrid.port, upgrade))).toMatch(/^HTTP\/1\.1 421 /);
    expect((await requestJson('GET', `${url}/readyz`, undefined, { Host: '10.1.2.3' })).status).toBe(200);
  });

  test('a URL, and the head of a request, that are too long', async () => {
    expectError(await requestJson('GET', `${url}/${'x'.repeat(8192)}`), 414, 'url_too_long');
    const text = await wholeOf(
      exchange(hybrid.port, ['GET / HTTP/1.1', 'Host: localhost', `X: ${'x'.repeat(20_000)}`]),
    );
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(text).toContain('"code":"headers_too_large"');
  });

  test('what is no request is told so', async () => {
    const text = await wholeOf(exchange(hybrid.port, ['rubbish']));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('"code":"bad_request"');
    const { counters } = (await requestJson('GET', `${url}/api/admin/status`)).json;
    // Those before it repeated a parameter.
    expect(counters.http_refused).toMatchObject({ bad_request: 3, url_too_long: 1, headers_too_large: 1 });
  });
});

test.each([
  ['MAX_CONNECTIONS', 'HYBRID'],
  ['MAX_CONNECTIONS_PER_ADDRESS', 'HYBRID'],
])('%s holds for both wires together, and a place that is left can be taken', async (variable, profile) => {
  const small = await launchGateway({ APP_PROFILE: profile, [variable]: '2' });
  const first = await rawStreamWire.connect(small.url, {});
  const second = new StockClient(4, small.url, 'websocket');
  await waitUntil(() => second.events.length > 0, 'the second client');
  const polling = `${small.url}/socket.io/?EIO=4&transport=polling`;
  for (const address of [`${small.url}/api/events/stream`, polling]) {
    const answer = await requestJson('GET', address);
    expectError(answer, 503, 'too_many_connections');
    expect(answer.json.error).toMatchObject({ retryable: true, retryAfterMs: 5000 });
    expect(answer.headers['retry-after']).toBe('5');
  }
  const upgrade = upgradeLines('/socket.io/?EIO=4&transport=websocket');
  const text = await wholeOf(exchange(small.port, upgrade));
  expect(text).toMatch(/^HTTP\/1\.1 503 [^]*\r\nRetry-After: 5\r\n[^]*"too_many_connections"/);
  await first.close();
  await waitUntil(async () => (await requestJson('GET', polling)).status === 200, 'the place to be free');
  await second.close();
});
