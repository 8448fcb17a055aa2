import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import {
  type Asked,
  DocumentedApi,
  type DocumentedOperation,
  type SecurityScheme,
} from '../support/documented-api.js';
import type { JsonAnswer } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { waitUntil } from '../support/wait-until.js';

/** Commands a second that the gateway takes of one client: more than the other tests send. */
const RATE = 40;
/** Connections that it takes: enough that draining them takes most of a second. */
const CROWD = 80;
const PLAIN = { 'Content-Type': 'text/plain' };
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const ENGINE = { EIO: '4', transport: 'polling' };
const WEBSOCKET = { EIO: '4', transport: 'websocket' };

const SECRET = 'a secret of at least thirty-two bytes';
const KEYS = { all: 'the-key-of-one-who-may-all', none: 'the-key-of-one-who-may-nothing' };
const ALL = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };
const HEADERS = { 'X-API-Key': KEYS.all };

const streams: { close: () => void }[] = [];
let gateway: LaunchedGateway;
let api: DocumentedApi;

beforeAll(async () => {
  gateway = await launchExecuting({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([
      { id: 'all', key: KEYS.all, ...ALL },
      { id: 'none', key: KEYS.none },
    ]),
    JWT_SECRET: SECRET,
    ALLOWED_HOSTS: '127.0.0.1',
    COMMANDS_MODULE: 'test/support/commands.mjs',
    CONTROL_RATE_PER_SECOND: String(RATE),
    CONTROL_WAIT_MS: '1000',
    MAX_HTTP_BUFFER_SIZE: '100000',
    MAX_ROOMS_PER_SESSION: '3',
    MAX_ROOM_SIZE: '1',
    ROOM_OVERFLOW: 'reject',
    MAX_CONNECTIONS: String(CROWD),
    DRAIN_MS: '20000',
  });
  api = await DocumentedApi.of(gateway.url, HEADERS);
});

afterAll(async () => {
  for (const stream of streams) stream.close();
  await killLaunched();
});

/** A stream in a room of its own, and its session. */
async function openStream(room: string): Promise<{ sessionId: string; close: () => void }> {
  const request = http.get(`${gateway.url}/api/events/stream?rooms=${room}`, {
    agent: false,
    headers: HEADERS,
  });
  const stream = { sessionId: '', close: () => void request.destroy() };
  request.on('error', () => undefined);
  request.on('response', (response) => {
    response.setEncoding('utf8').on('data', (text: string) => {
      stream.sessionId ||= /"sessionId":"([^"]+)"/.exec(text)?.[1] ?? '';
    });
  });
  streams.push(stream);
  await waitUntil(() => stream.sessionId !== '', 'the stream to be welcomed');
  return stream;
}

function tokenUntil(exp: number): Promise<string> {
  return new SignJWT({ flipgate: ALL, sub: 'ann', exp })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));
}

/** How a request shows a token, or a key, by a scheme of the document. */
function shown({ type, scheme, in: place, name = '' }: SecurityScheme, token: string): Asked {
  if (type === 'http') return { headers: { Authorization: `${String(scheme)} ${token}` } };
  if (place === 'query') return { query: { [name]: token } };
  // A cookie counts where the request is of a page of the gateway's own.
  return {
    headers:
      place === 'cookie'
        ? { Cookie: `${name}=${token}`, 'Sec-Fetch-Site': 'same-origin' }
        : { [name]: token },
  };
}

/** Operations that look at who asks. */
const guarded = (): DocumentedOperation[] => api.operations.filter(({ security }) => security.length > 0);

/** A request that would succeed, did its client have the right. */
async function sound({ operationId }: DocumentedOperation): Promise<Asked> {
  const [[, body] = []] = api.examplesOf(operationId);
  const path =
    operationId === 'changeRooms'
      ? { path: { id: (await openStream(`room-${String(streams.length)}`)).sessionId } }
      : {};
  return { ...path, ...(body === undefined ? {} : { body }) };
}

/** As many streams as there may be more. */
async function crowdIn(): Promise<void> {
  const { sse } = (await api.ask('readStatus')).json.sessions;
  const rooms = Array.from({ length: CROWD - Number(sse) }, (_, index) => `crowd-${String(index)}`);
  await Promise.all(rooms.map(openStream));
}

/** All streams are closed; resolves once the gateway has seen that all clients have left. */
async function emptied(): Promise<void> {
  for (const stream of streams.splice(0)) stream.close();
  await waitUntil(async () => {
    const { sessions } = (await api.ask('readStatus')).json;
    return sessions.sse === 0 && sessions.websocket === 0;
  }, 'all sessions to be closed');
}

describe('what succeeds', () => {
  const sent: readonly [operation: string, status: number, what: string, asked: Asked][] = [
    ['readProfile', 200, 'as it is', {}],
    ['readMe', 200, 'as it is', {}],
    ['readHealth', 200, 'as it is', {}],
    ['readReadiness', 200, 'as it is', {}],
    ['readStatus', 200, 'as it is', {}],
    ['readMetrics', 200, 'as it is', {}],
    ['readFlips', 200, 'as it is', {}],
    ['listCommands', 200, 'with a limit', { query: { limit: '200' } }],
    ['listDenied', 200, 'with a limit', { query: { limit: '1000' } }],
    ['readRoomState', 200, 'as it is', {}],
    ['readRoomHistory', 200, 'after a cursor', { query: { after: '1-0', limit: '1000' } }],
    ['followEvents', 200, 'as it is', {}],
    ['followEvents', 200, 'with rooms and a cursor', { query: { rooms: 'a,b', lastEventId: '1-0' } }],
    ['openSocket', 200, 'for a handshake', { query: ENGINE }],
    ['openSocket', 101, 'for an upgrade', { query: WEBSOCKET, headers: UPGRADE }],
    ['readSocketIoClient', 200, 'for the client', {}],
    ['readSocketIoClient', 200, 'for its map', { path: { file: 'socket.io.js.map' } }],
    ['readConsoleFile', 200, 'for a style', { path: { file: 'style.css' } }],
    ['readConsoleFile', 200, 'for a page', { path: { file: 'index.html' } }],
    ['readConsoleFile', 200, 'for a map', { path: { file: 'app.js.map' } }],
  ];

  test.each(sent)('%s answers %i %s', async (operation, status, _what, asked) => {
    expect((await api.ask(operation, asked)).status).toBe(status);
  });

  test('events, rooms and commands: with the examples of the document', async () => {
    for (const operation of ['publishEvents', 'runCommand', 'runCommandOf', 'flip']) {
      const examples = api.examplesOf(operation);
      expect(examples.length).toBeGreaterThan(0);
      for (const [, body] of examples) expect((await api.ask(operation, { body })).status).toBeLessThan(300);
    }
    await waitUntil(async () => (await api.ask('readRoomState')).json.events.length > 0, 'the events');
    await waitUntil(async () => (await api.ask('readRoomHistory')).json.events.length > 2, 'the events');
    await emptied();
    const stream = await openStream('default');
    const [[, body]] = api.examplesOf('changeRooms') as [[string, unknown]];
    expect((await api.ask('changeRooms', { path: { id: stream.sessionId }, body })).json).toEqual({
      rooms: ['monitor'],
    });
  });

  test('denials: with the examples of the document', async () => {
    for (const [, body] of api.examplesOf('denyPrincipal')) {
      expect((await api.ask('denyPrincipal', { body })).status).toBe(200);
      expect((await api.ask('listDenied')).json.total).toBe(1);
      expect((await api.ask('liftDenial')).json.lifted).toBe(true);
    }
  });

  test('commands in all their states', async () => {
    const ask = async (id: string): Promise<JsonAnswer> => api.ask('readCommand', { path: { id } });
    const slow = await api.ask('runCommand', { body: { action: 'test.sleep', data: { ms: 8000 } } });
    expect((await ask(slow.json.id)).json.status).toBe('queued');
    const headers = { 'Idempotency-Key': 'echo' };
    const ended = [
      await api.ask('runCommand', { body: { action: 'test.echo', data: [1] }, headers }),
      await api.ask('runCommand', { body: { action: 'test.fail' } }),
      await api.ask('runCommand', { body: { action: 'test.brief', data: { ms: 9000 } } }),
    ];
    // Where the machine is busy, they may not have ended by then.
    for (const { json } of ended)
      await waitUntil(async () => (await ask(json.id)).json.status !== 'queued', 'the command to end');
    const states = await Promise.all(ended.map(async ({ json }) => (await ask(json.id)).json));
    expect(states.map(({ status, error }) => [status, error?.code])).toEqual([
      ['succeeded', undefined],
      ['failed', 'command_failed'],
      ['failed', 'command_timeout'],
    ]);
    const listed = await api.ask('listCommands');
    expect(new Set(listed.json.commands.map(({ status }: { status: string }) => status)).size).toBe(3);
  });

  test('packets of one that polls', async () => {
    const { text } = await api.ask('openSocket', { query: ENGINE });
    const { sid } = JSON.parse(text.slice(1)) as { sid: string };
    const query = { ...ENGINE, sid };
    expect((await api.ask('sendPackets', { query, body: '40', headers: PLAIN })).text).toBe('ok');
    expect((await api.ask('openSocket', { query })).text).toMatch(/^40/);
    expect((await api.ask('sendPackets', { query, body: '41', headers: PLAIN })).status).toBe(200);
    expect((await api.ask('sendPackets', { query, body: '1', headers: PLAIN })).status).toBe(200);
  });

  test('files: as a whole, in part, and not at all to who has them', async () => {
    const files = api.operations.filter(({ responses }) => Object.hasOwn(responses, '304'));
    for (const { operationId, responses } of files) {
      const whole = await api.ask(operationId);
      const etag = String(whole.headers.etag);
      const again = await api.ask(operationId, { headers: { 'If-None-Match': etag } });
      expect([operationId, whole.status, again.status]).toEqual([operationId, 200, 304]);
      if (!Object.hasOwn(responses, '206')) continue;
      const part = await api.ask(operationId, { headers: { Range: 'bytes=0-9' } });
      expect([operationId, part.status, part.text]).toEqual([operationId, 206, whole.text.slice(0, 10)]);
    }
    expect(files.length).toBeGreaterThan(8);
  });
});

describe('who is served', () => {
  test('is told by each of the schemes of the document', async () => {
    const token = await tokenUntil(Date.now() / 1000 + 600);
    for (const [name, scheme] of Object.entries(api.document.components.securitySchemes)) {
      const isForKeys = name.startsWith('apiKey');
      const { headers = {}, query = {} } = shown(scheme, isForKeys ? KEYS.all : token);
      const bare = new DocumentedApi(gateway.url, api.document);
      expect([name, (await bare.ask('readStatus', { headers, query })).status]).toEqual([name, 200]);
    }
  });

  test('is everybody, by what is open', async () => {
    const bare = new DocumentedApi(gateway.url, api.document);
    const open = api.operations.filter(({ method, security }) => method === 'get' && security.length === 0);
    for (const { operationId } of open) {
      const query = operationId === 'openSocket' ? ENGINE : {};
      expect([operationId, (await bare.ask(operationId, { query })).status]).toEqual([operationId, 200]);
    }
    expect([open.length > 10, guarded().length > 10]).toEqual([true, true]);
  });

  test('is nobody who shows nothing, or what is none of ours, or no longer good', async () => {
    const expired = await tokenUntil(Date.now() / 1000 - 3600);
    const shows: readonly [string, http.OutgoingHttpHeaders][] = [
      ['unauthenticated', {}],
      ['invalid_token', { 'X-API-Key': 'a-key-that-nobody-has' }],
      ['token_expired', { Authorization: `Bearer ${expired}` }],
    ];
    const bare = new DocumentedApi(gateway.url, api.document);
    for (const operation of guarded()) {
      const asked = await sound(operation);
      for (const [code, headers] of shows) {
        const answer = await bare.ask(operation.operationId, { ...asked, headers });
        const { status, json } = answer;
        expect([operation.operationId, status, json.error?.code]).toEqual([operation.operationId, 401, code]);
      }
    }
  });

  test('is nobody without the right', async () => {
    for (const operation of guarded()) {
      const { operationId, security } = operation;
      if (Object.values(security.at(-1) ?? {}).flat().length === 0) continue;
      const asked = await sound(operation);
      const { status, json } = await api.ask(operationId, { ...asked, headers: { 'X-API-Key': KEYS.none } });
      expect([operationId, status, json.error?.code]).toEqual([operationId, 403, 'forbidden']);
    }
  });
});

describe('what is refused', () => {
  const long = 'x'.repeat(120_000);
  const refused: readonly [operation: string, status: number, code: string, asked: Asked][] = [
    ['publishEvents', 400, 'invalid_event', { body: [] }],
    ['publishEvents', 400, 'invalid_type', { body: { type: 'connect' } }],
    ['publishEvents', 400, 'invalid_room', { body: { type: 'a', room: 'a/b' } }],
    ['publishEvents', 400, 'invalid_key', { body: { type: 'a', key: '' } }],
    ['publishEvents', 400, 'invalid_timestamp', { body: { type: 'a', timestamp: 'now' } }],
    ['publishEvents', 400, 'invalid_json', { body: '{' }],
    [
      'publishEvents',
      400,
      'invalid_json',
      { body: `{"type":"a","data":${'['.repeat(100)}${']'.repeat(100)}}` },
    ],
    ['publishEvents', 413, 'too_many_events', { body: Array.from({ length: 1001 }, () => ({ type: 'a' })) }],
    ['publishEvents', 413, 'payload_too_large', { body: { type: 'a', data: long } }],
    ['publishEvents', 415, 'unsupported_media_type', { body: '{}', headers: PLAIN }],
    ['followEvents', 400, 'invalid_room', { query: { rooms: 'a b' } }],
    ['followEvents', 400, 'too_many_rooms', { query: { rooms: 'a,b,c,d' } }],
    ['changeRooms', 400, 'invalid_json', { body: '{' }],
    ['changeRooms', 404, 'unknown_session', { body: {} }],
    ['changeRooms', 413, 'payload_too_large', { body: { join: [long] } }],
    ['changeRooms', 415, 'unsupported_media_type', { body: '{}', headers: PLAIN }],
    ['readRoomState', 400, 'invalid_room', { path: { room: 'a%20b' } }],
    ['readRoomState', 400, 'bad_request', { path: { room: '%E0%A4%A' } }],
    ['readRoomHistory', 400, 'invalid_room', { path: { room: 'a%20b' } }],
    ['readRoomHistory', 400, 'bad_request', { query: { limit: '1001' } }],
    ['runCommand', 400, 'invalid_action', { body: {} }],
    ['runCommand', 400, 'bad_request', { body: { action: 'host-monitor.interval', data: { ms: 1 } } }],
    ['runCommand', 400, 'bad_request', { body: { action: 'test.echo' }, headers: { 'Idempotency-Key': '' } }],
    ['runCommand', 400, 'invalid_json', { body: '{' }],
    ['runCommand', 404, 'unknown_action', { body: { action: 'test.missing' } }],
    [
      'runCommand',
      409,
      'idempotency_mismatch',
      { body: { action: 'test.echo' }, headers: { 'Idempotency-Key': 'echo' } },
    ],
    ['runCommand', 413, 'payload_too_large', { body: { action: 'a', data: long } }],
    ['runCommand', 415, 'unsupported_media_type', { body: '{}', headers: PLAIN }],
    ['runCommandOf', 400, 'invalid_action', { body: {} }],
    ['runCommandOf', 404, 'unknown_action', { body: { action: 'missing' } }],
    ['readCommand', 404, 'unknown_command', {}],
    ['readCommand', 400, 'bad_request', { path: { id: '%E0%A4%A' } }],
    ['listCommands', 400, 'bad_request', { query: { limit: '0' } }],
    ['listDenied', 400, 'bad_request', { query: { limit: '0' } }],
    ['denyPrincipal', 400, 'bad_request', { path: { principal: 'page' }, body: {} }],
    ['denyPrincipal', 400, 'bad_request', { body: { seconds: 0 } }],
    ['denyPrincipal', 400, 'invalid_json', { body: '{' }],
    ['denyPrincipal', 409, 'own_principal', { path: { principal: 'key:all' }, body: {} }],
    ['denyPrincipal', 415, 'unsupported_media_type', { body: '{}', headers: PLAIN }],
    ['liftDenial', 400, 'bad_request', { path: { principal: '%E0%A4%A' } }],
    ['flip', 400, 'invalid_profile', { body: { profile: 'NONE' } }],
    ['flip', 400, 'bad_request', { body: { profile: 'SSE', all: 'yes' } }],
    ['flip', 413, 'payload_too_large', { body: { profile: long } }],
    ['flip', 415, 'unsupported_media_type', { body: '{}', headers: PLAIN }],
    ['openSocket', 404, 'unknown_session', { query: { ...ENGINE, sid: 'none' } }],
    ['sendPackets', 404, 'unknown_session', { query: { ...ENGINE, sid: 'none' }, body: '2', headers: PLAIN }],
    ['readConsoleFile', 404, 'not_found', { path: { file: 'none.js' } }],
    ['readConsole', 400, 'bad_request', { headers: { Range: 'bytes=999999999-' } }],
    ['readClientJs', 400, 'bad_request', { headers: { 'If-Match': '"none"' } }],
  ];

  test.each(refused)('%s answers %i %s', async (operation, status, code, asked) => {
    const answer = await api.ask(operation, asked);
    expect([answer.status, answer.json.error.code]).toEqual([status, code]);
  });

  test.each<[number, string, Asked]>([
    [403, 'origin_not_allowed', { headers: { Origin: 'https://elsewhere.example' } }],
    [421, 'host_not_allowed', { headers: { Host: 'elsewhere.example' } }],
    [414, 'url_too_long', { query: { long: 'x'.repeat(8200) } }],
    [431, 'headers_too_large', { headers: { Long: 'x'.repeat(17_000) } }],
  ])('at the door, by every operation: %i %s', async (status, code, asked) => {
    // Probes may call it by whatever name.
    const isFree = (path: string): boolean => status === 421 && ['/healthz', '/readyz'].includes(path);
    for (const { operationId, path } of api.operations) {
      const answer = await api.ask(operationId, asked);
      const expected = isFree(path) ? [operationId, 200, undefined] : [operationId, status, code];
      expect([operationId, answer.status, answer.json.error?.code]).toEqual(expected);
    }
  });

  test('Engine.IO in its own words', async () => {
    expect((await api.ask('openSocket', { query: { EIO: '4', transport: 'pigeon' } })).json.code).toBe(0);
    expect((await api.ask('sendPackets', { query: ENGINE, body: '', headers: PLAIN })).status).toBe(400);
  });

  test('who finds the room full, or the gateway', async () => {
    await emptied();
    const one = await openStream('one');
    const full = await api.ask('followEvents', { query: { rooms: 'one' } });
    const other = await openStream('other');
    const join = await api.ask('changeRooms', { path: { id: other.sessionId }, body: { join: ['one'] } });
    const many = await api.ask('changeRooms', {
      path: { id: one.sessionId },
      body: { join: ['two', 'three', 'four'] },
    });
    const wrong = await api.ask('changeRooms', { path: { id: one.sessionId }, body: { join: 'two' } });
    await crowdIn();
    const crowded = [await api.ask('followEvents'), await api.ask('openSocket', { query: ENGINE })];
    const answers = [full, join, many, wrong, ...crowded].map(({ status, json }) => [
      status,
      json.error.code,
    ]);
    expect(answers).toEqual([
      [409, 'room_full'],
      [409, 'room_full'],
      [400, 'too_many_rooms'],
      [400, 'invalid_room'],
      [503, 'too_many_connections'],
      [503, 'too_many_connections'],
    ]);
    expect(crowded.map(({ headers }) => headers['retry-after'])).toEqual(['5', '5']);
    await emptied();
  });

  test('who sends more commands than may be', async () => {
    const echo = { body: { action: 'test.echo' } };
    const refusals: JsonAnswer[] = [];
    // How many a busy machine gets through in a second, nobody knows.
    await waitUntil(async () => {
      const answers = await Promise.all(Array.from({ length: 2 * RATE }, () => api.ask('runCommand', echo)));
      refusals.push(...answers.filter(({ status }) => status === 429));
      return refusals.length > 0;
    }, 'a command to be refused');
    expect(refusals[0]?.json.error.code).toBe('rate_limited');
    expect(Number(refusals[0]?.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('who comes to a transport that is off', async () => {
    await api.ask('flip', { body: { profile: 'SSE' } });
    const socket = [
      await api.ask('openSocket', { query: ENGINE }),
      await api.ask('openSocket', { query: WEBSOCKET, headers: UPGRADE }),
      await api.ask('readSocketIoClient'),
    ];
    await api.ask('flip', { body: { profile: 'websocket' } });
    const answers = [...socket, await api.ask('followEvents')];
    for (const { status, json } of answers)
      expect([status, json.error.code]).toEqual([404, 'transport_disabled']);
    await api.ask('flip', { body: { profile: 'HYBRID' } });
  });

  test('who comes to a node that goes down', async () => {
    await crowdIn();
    gateway.process.kill('SIGTERM');
    await waitUntil(async () => (await api.ask('readReadiness')).status === 503, 'the node to drain');
    const [stream, ...answers] = await Promise.all([
      api.ask('followEvents'),
      api.ask('openSocket', { query: ENGINE }),
      api.ask('flip', { body: { profile: 'SSE' } }),
    ]);
    expect(stream.text).toContain('event: draining');
    for (const { status, json } of answers) expect([status, json.error.code]).toEqual([503, 'shutting_down']);
  });
});

test('every answer that is no refusal was given once', () => {
  const missing = api.operations.flatMap(({ operationId, responses }) =>
    Object.keys(responses)
      .filter((status) => Number(status) < 400 && api.told.get(operationId)?.has(status) !== true)
      .map((status) => `${operationId} ${status}`),
  );
  expect(missing).toEqual(['runCommandOf 202']);
});
