import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { SignJWT } from 'jose';
import { FlipgateClient } from '../../src/client/index.js';
import { requestJson } from '../support/json-request.js';
import { type LaunchedGateway, launchGateway, ROOT } from '../support/launched-gateway.js';
import { StockClient, type StockVersion } from '../support/stock-client.js';
import { runProgram } from '../support/run-program.js';
import { waitUntil } from '../support/wait-until.js';

const SECRET = 'a secret of at least thirty-two bytes';
const KEYS = {
  page: 'page-key-1234',
  backend: 'backend-key-1234',
  operator: 'operator-key-1234',
  nobody: 'nobody-key-1234',
};
const API_KEYS = [
  { id: 'page', key: KEYS.page, subscribe: ['default', 'team.*'], command: ['host-monitor.*'] },
  { id: 'backend', key: KEYS.backend, publish: ['default', 'team.*'] },
  { id: 'operator', key: KEYS.operator, admin: ['*'] },
  { id: 'nobody', key: KEYS.nobody },
];

let gateway: LaunchedGateway;
let url: string;

let folder: string;
let keysFile: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'flipgate-keys-'));
  keysFile = path.join(folder, 'keys.json');
  writeKeys(['withdrawn', 'narrowed', 'kept'], ['team.*']);
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify(API_KEYS),
    API_KEYS_FILE: keysFile,
    JWT_SECRET: SECRET,
    CORS_ORIGINS: '*',
    TRUSTED_PROXIES: 'loopback',
    MAX_CONNECTIONS_PER_ADDRESS: '50',
    CONTROL_RATE_PER_SECOND: '1000',
  });
  ({ url } = gateway);
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  rmSync(folder, { recursive: true });
});

/** The file of keys; each key is its id's, and may subscribe to `team.*`, the one named `narrowed` to these rooms. */
function writeKeys(ids: readonly string[], narrowed: readonly string[]): void {
  const keys = ids.map((id) => ({
    id,
    key: `key-of-${id}`,
    subscribe: id === 'narrowed' ? narrowed : ['team.*'],
  }));
  writeFileSync(keysFile, JSON.stringify(keys));
}

const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });

function tokenFor(rights: object, lastsS = 600, sub = 'ann'): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + lastsS;
  return new SignJWT({ flipgate: rights, sub, exp })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));
}

/** Opens a stream; gives its status, and what came of it so far. */
async function openStream(query: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/events/stream?${query}`, { headers, signal: stop.signal });
  const stream = {
    status: response.status,
    text: '',
    ended: false,
    close: () => {
      stop.abort();
    },
  };
  const read = async (): Promise<void> => {
    for await (const part of response.body ?? []) stream.text += Buffer.from(part as Uint8Array).toString();
    stream.ended = true;
  };
  read().catch(() => undefined);
  return stream;
}

const head = async (rooms: string): Promise<number> =>
  (await requestJson('HEAD', `${url}/api/events/stream?rooms=${rooms}`, undefined, bearer(KEYS.page))).status;
const get = (path: string, token: string) => requestJson('GET', url + path, undefined, bearer(token));
const publish = (body: unknown, token: string) =>
  requestJson('POST', `${url}/api/events`, body, bearer(token));
const command = (token: string, action: string) =>
  requestJson('POST', `${url}/api/control`, { action }, bearer(token));
const flip = (token: string) =>
  requestJson('PUT', `${url}/api/admin/profile`, { profile: 'HYBRID' }, bearer(token));

const event = (room: string, data: unknown = 1): object => ({ type: 'fact_added', room, data });

describe('who shows nothing', () => {
  test.each([
    ['GET', '/api/events/stream'],
    ['POST', '/api/events'],
    ['POST', '/api/control'],
    ['POST', '/api/governor/control'],
    ['GET', '/api/control/some-id'],
    ['GET', '/api/rooms/default/state'],
    ['GET', '/api/rooms/default/events'],
    ['POST', '/api/sessions/some-id/rooms'],
    ['GET', '/api/me'],
    ['GET', '/api/admin/status'],
    ['GET', '/api/admin/commands'],
    ['GET', '/api/admin/profile'],
    ['PUT', '/api/admin/profile'],
    ['GET', '/api/anything'],
  ])('%s %s is refused', async (method, path) => {
    const { status, headers, json } = await requestJson(
      method,
      url + path,
      method === 'GET' ? undefined : {},
    );
    expect([status, json.error.code]).toEqual([401, 'unauthenticated']);
    expect(headers['www-authenticate']).toBe('Bearer');
  });

  test.each(['/', '/client.js', '/healthz', '/readyz', '/api/profile', '/console/app.js'])(
    '%s is for everybody',
    async (path) => {
      expect((await requestJson('GET', url + path)).status).toBe(200);
    },
  );

  test.each([4, 3, 2] as const)(
    'socket.io-client %s is told in its handshake',
    async (version: StockVersion) => {
      const client = new StockClient(version, url, 'websocket');
      await waitUntil(() => client.errors.length > 0, 'the refusal');
      expect(client.connects).toBe(0);
      await client.close();
    },
  );
});

describe('where a key or a token may be', () => {
  const STATE = '/api/rooms/default/state';

  test.each([
    ['Authorization', STATE, bearer(KEYS.page)],
    ['X-API-Key', STATE, { 'X-API-Key': KEYS.page }],
    ['a cookie', STATE, { Cookie: `a=b; flipgate_token=${KEYS.page}`, 'Sec-Fetch-Site': 'same-origin' }],
    ['?apiKey=', `${STATE}?apiKey=${KEYS.page}`, {}],
    ['?access_token=', `${STATE}?access_token=${KEYS.page}`, {}],
  ])('%s', async (_where, path, headers) => {
    expect((await requestJson('GET', url + path, undefined, headers)).status).toBe(200);
  });

  test('a JWT says what its bearer may do', async () => {
    const token = await tokenFor({ subscribe: ['team.*'] });
    expect((await requestJson('GET', `${url}/api/rooms/team.a/state`, undefined, bearer(token))).status).toBe(
      200,
    );
    const other = await requestJson('GET', `${url}/api/rooms/other/state`, undefined, bearer(token));
    expect([other.status, other.json.error.code]).toEqual([403, 'forbidden']);
  });

  test('a cookie of a page that only * lets in does not count, not over a websocket either', async () => {
    const cookie = { Cookie: `flipgate_token=${KEYS.operator}`, Origin: 'https://evil.example' };
    expect((await requestJson('GET', `${url}/api/me`, undefined, cookie)).status).toBe(401);
    const client = new StockClient(4, url, 'websocket', { extraHeaders: cookie });
    await waitUntil(() => client.errors.length > 0, 'the refusal');
    expect(client.errors).toEqual([expect.objectContaining({ message: 'unauthenticated' })]);
    await client.close();
    const own = new StockClient(4, url, 'websocket', {
      extraHeaders: { Cookie: `flipgate_token=${KEYS.page}`, Origin: url },
    });
    await waitUntil(() => own.connects === 1, 'the connection');
    await own.close();
  });

  test('HEAD of a stream is asked the same', async () => {
    expect([await head('team.a'), await head('secret')]).toEqual([200, 403]);
  });

  test('a JWT that is made by hand, as PROTOCOL.md has it', async () => {
    const [, program = ''] =
      /```python\n(import base64.*?)```/s.exec(readFileSync(path.join(ROOT, 'PROTOCOL.md'), 'utf8')) ?? [];
    const { stdout } = await promisify(execFile)('python3', ['-c', program], {
      env: { ...process.env, JWT_SECRET: SECRET },
    });
    expect((await get('/api/me', stdout.trim())).json).toMatchObject({
      id: 'user:ann',
      rights: { subscribe: ['default'] },
    });
  });

  test.each([
    ['auth.token', { auth: { token: KEYS.page } }],
    ['auth.apiKey', { auth: { apiKey: KEYS.page } }],
    ['the query', { query: { apiKey: KEYS.page } }],
  ])('of Socket.IO: %s', async (_where, options) => {
    const client = new StockClient(4, url, 'websocket', options);
    await waitUntil(() => client.connects === 1, 'the connection');
    await client.close();
  });

  test('version 2 puts it into the query', async () => {
    const client = new StockClient(2, url, 'websocket', { query: { apiKey: KEYS.page } });
    await waitUntil(() => client.connects === 1, 'the connection');
    const [id] = (
      await requestJson('POST', `${url}/api/events`, event('default', 'v2'), bearer(KEYS.backend))
    ).json.ids as string[];
    expect(id).toBeDefined();
    await waitUntil(() => client.events.some(({ args }) => args[0] === 'v2'), 'the event');
    await client.close();
  });

  test('of a command: in its data, as pages have it, which is not part of the command', async () => {
    const answer = await requestJson(
      'POST',
      `${url}/api/host-monitor/control`,
      { action: 'interval', data: { ms: 5000, apiKey: KEYS.page } },
      bearer(KEYS.nobody),
    );
    expect([answer.status, answer.json.status]).toEqual([200, 'succeeded']);
    const socket = io(url, {
      transports: ['websocket'],
      auth: { bundle: true, token: await tokenFor({ subscribe: ['default'] }) },
    });
    const ask = (data: object): Promise<unknown> => socket.emitWithAck('host-monitor.interval', data);
    expect(await ask({ ms: 5000 })).toMatchObject({ error: { code: 'forbidden' } });
    expect(await ask({ ms: 5000, apiKey: KEYS.page })).toMatchObject({ status: 'succeeded' });
    expect(await ask({ ms: 5000, apiKey: 'wrong' })).toMatchObject({ error: { code: 'invalid_token' } });
    socket.close();
  });
});

test('GET /api/me tells who asks what it may do, and until when', async () => {
  const { headers, json } = await get('/api/me', KEYS.page);
  expect(json).toEqual({
    id: 'key:page',
    rights: { subscribe: ['default', 'team.*'], publish: [], command: ['host-monitor.*'], admin: [] },
    expiresAt: null,
  });
  expect(headers['cache-control']).toBe('no-store');
  const token = await tokenFor({ admin: ['status'] });
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number;
  };
  expect((await get('/api/me', token)).json).toMatchObject({ id: 'user:ann', expiresAt: exp * 1000 });
});

describe('least privilege', () => {
  test('publishing: to each room of each event, all or none', async () => {
    expect((await publish(event('team.a'), KEYS.backend)).status).toBe(202);
    expect((await publish([event('team.a'), event('other')], KEYS.backend)).json).toMatchObject({
      error: { code: 'forbidden', message: expect.stringContaining('event 1') },
    });
    // Without a room it goes to the default one.
    expect((await publish({ type: 'fact_added', data: 1 }, KEYS.backend)).status).toBe(202);
    expect((await publish(event('team.a'), KEYS.page)).status).toBe(403);
  });

  test('streams: of rooms that are allowed, and no other', async () => {
    expect((await openStream('rooms=other', bearer(KEYS.page))).status).toBe(403);
    expect((await openStream('rooms=team.a,other', bearer(KEYS.page))).status).toBe(403);
    expect((await openStream('', bearer(KEYS.nobody))).status).toBe(403);
    const stream = await openStream('rooms=team.b', bearer(KEYS.page));
    await waitUntil(() => stream.text.includes('welcome'), 'the welcome');
    const id = /"sessionId":"([^"]+)"/.exec(stream.text)?.[1] ?? '';
    const join = (rooms: string[], key: string) =>
      requestJson('POST', `${url}/api/sessions/${id}/rooms`, { join: rooms }, bearer(key));
    expect((await join(['other'], KEYS.page)).json.error.code).toBe('forbidden');
    // Nobody else may move it, whatever they may do themselves.
    expect((await join(['team.c'], await tokenFor({ subscribe: ['*'] }))).status).toBe(403);
    expect((await join(['team.c'], KEYS.page)).json).toEqual({ rooms: ['team.b', 'team.c'] });
    stream.close();
  });

  test('sockets: join is asked each time', async () => {
    const socket: Socket = io(url, { transports: ['websocket'], auth: { bundle: true, token: KEYS.page } });
    expect(await socket.emitWithAck('join', ['team.x'])).toEqual({ rooms: ['default', 'team.x'] });
    expect(await socket.emitWithAck('join', ['other'])).toMatchObject({ error: { code: 'forbidden' } });
    socket.close();
  });

  test('commands, by action', async () => {
    expect((await command(KEYS.page, 'governor.start')).json.error.code).toBe('forbidden');
    expect((await command(KEYS.page, 'host-monitor.stop')).status).toBe(200);
    expect((await command(KEYS.operator, 'host-monitor.stop')).status).toBe(403);
  });

  test("a command's result is its principal's, and an operator's", async () => {
    const { id } = (await command(KEYS.page, 'host-monitor.stop')).json as { id: string };
    const codeFor = async (token: string): Promise<unknown> => {
      const { status, json } = await get(`/api/control/${id}`, token);
      return status === 200 ? json.status : [status, json.error.code];
    };
    expect(await codeFor(KEYS.page)).toBe('succeeded');
    expect(await codeFor(KEYS.operator)).toBe('succeeded');
    const none = [404, 'unknown_command'];
    expect([await codeFor(KEYS.backend), await codeFor(KEYS.nobody)]).toEqual([none, none]);
    const everything = await tokenFor({ subscribe: ['*'], publish: ['*'], command: ['*'] }, 600, 'page');
    expect(await codeFor(everything)).toEqual(none);
  });

  test('types of events, where the rights name some', async () => {
    const token = await tokenFor({ publish: ['*'], publishTypes: ['kb_*'] });
    expect((await publish({ type: 'kb_update' }, token)).status).toBe(202);
    const both = await publish([{ type: 'kb_update' }, { type: 'fact_added' }], token);
    expect([both.status, both.json.error.code]).toEqual([403, 'forbidden']);
    expect(both.json.error.message).toContain('fact_added');
    expect((await get('/api/me', token)).json.rights.publishTypes).toEqual(['kb_*']);
    const none = await tokenFor({ publish: ['*'], publishTypes: [] });
    expect((await publish({ type: 'kb_update' }, none)).status).toBe(403);
  });

  test('administration', async () => {
    for (const path of ['/api/admin/status', '/api/admin/commands', '/api/admin/profile']) {
      expect((await get(path, KEYS.operator)).status).toBe(200);
      expect((await get(path, KEYS.page)).status).toBe(403);
    }
    const token = await tokenFor({ admin: ['status'] });
    expect((await flip(token)).status).toBe(403);
    for (const [shown, code] of [
      [[], 'unauthenticated'],
      [['--token', token], 'forbidden'],
    ] as const) {
      const command = await runProgram('dist/cli.js', ['flip', 'SSE', '--url', url, ...shown], {});
      expect(command).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(new RegExp(`^${code}: .*--token`)),
      });
    }
    expect((await flip(KEYS.operator)).json).toMatchObject({ profile: 'HYBRID' });
  });
});

describe('a token that expires', () => {
  test('ends its stream, and is told so when it comes again; a fresh one resumes', async () => {
    const rights = { subscribe: ['team.*'] };
    const short = await tokenFor(rights, 2);
    const stream = await openStream('rooms=team.e', bearer(short));
    await waitUntil(() => stream.ended, 'the end');
    expect(stream.text).toContain('event: token_expired\ndata: {"reason":"token_expired"}');
    const again = await requestJson('GET', `${url}/api/events/stream?rooms=team.e`, undefined, bearer(short));
    expect([again.status, again.json.error.code]).toEqual([401, 'token_expired']);
  });

  test('ends its socket, without an end to coming back', async () => {
    const tokens = [await tokenFor({ subscribe: ['team.*'] }, 2)];
    const socket = io(url, {
      transports: ['websocket'],
      reconnectionDelay: 50,
      auth: (done) => {
        done({ bundle: true, rooms: ['team.e'], token: tokens[0] });
      },
    });
    const told: string[] = [];
    const ends: string[] = [];
    socket.on('token_expired', () => told.push('token_expired'));
    socket.on('disconnect', (reason) => ends.push(reason));
    await waitUntil(() => socket.connected, 'the connection');
    const fresh = await tokenFor({ subscribe: ['team.*'] });
    socket.once('disconnect', () => tokens.splice(0, 1, fresh));
    await waitUntil(() => ends.length === 1 && socket.connected, 'its return');
    expect([told, ends]).toEqual([['token_expired'], ['transport close']]);
    socket.close();
  });

  test.each(['websocket', 'sse'] as const)('the SDK goes on with a fresh one: %s', async (transport) => {
    const asked: number[] = [];
    const client = new FlipgateClient(url, {
      rooms: ['team.sdk'],
      prefer: transport,
      token: async () => {
        asked.push(Date.now());
        return tokenFor({ subscribe: ['team.*'] }, asked.length < 3 ? 3 : 600);
      },
    });
    const got: unknown[] = [];
    client.on('fact_added', (one: unknown) => got.push(one));
    await waitUntil(() => client.stateChange.state === 'live', 'the first connection');
    const before = asked.length;
    await waitUntil(
      () => asked.length > before && client.stateChange.state === 'live',
      'the second connection',
    );
    await requestJson('POST', `${url}/api/events`, event('team.sdk'), bearer(KEYS.backend));
    await waitUntil(() => got.length > 0, 'the event');
    client.close();
  });
});

describe.each(['websocket', 'sse'] as const)('the SDK over %s', (prefer) => {
  test.each([
    ['unauthenticated', () => undefined],
    ['invalid_token', () => 'no-such-key'],
    ['forbidden', () => KEYS.nobody],
    ['token_expired', () => tokenFor({ subscribe: ['team.*'] }, 2)],
  ])('ends with %s', async (code, tokenOf) => {
    const token = await tokenOf();
    const client = new FlipgateClient(url, {
      rooms: ['team.sdk'],
      prefer,
      ...(token === undefined ? {} : { token }),
    });
    const seen: string[] = [];
    client.onState(({ state, transport }) => seen.push(`${state} ${String(transport)}`));
    await waitUntil(() => client.state === 'closed', 'the end');
    expect(client.stateChange).toMatchObject({ code, retryInMs: null });
    const before = ['connecting null', `connecting ${prefer}`];
    if (code === 'token_expired') before.push(`live ${prefer}`);
    expect(seen).toEqual([...before, 'closed null']);
  });
});

describe('keys that are read again', () => {
  test('let go of who has one that was withdrawn, or narrowed, and of nobody else', async () => {
    const open = (id: string) => openStream('rooms=team.k', bearer(`key-of-${id}`));
    const [withdrawn, narrowed, kept] = await Promise.all([
      open('withdrawn'),
      open('narrowed'),
      open('kept'),
    ]);
    const page = await openStream('rooms=team.k', bearer(KEYS.page));
    writeKeys(['narrowed', 'kept', 'added'], ['team.a']);
    gateway.process.kill('SIGHUP');
    await waitUntil(() => withdrawn.ended && narrowed.ended, 'their ends');
    expect((await open('withdrawn')).status).toBe(401);
    expect((await open('narrowed')).status).toBe(403);
    const added = await open('added');
    expect([added.status, kept.ended, page.ended]).toEqual([200, false, false]);
    // A file that is none changes nothing.
    writeFileSync(keysFile, 'rubbish');
    gateway.process.kill('SIGHUP');
    await waitUntil(() => gateway.output().includes('all goes on as before'), 'the fault');
    expect(gateway.output()).toContain(keysFile);
    expect((await open('added')).status).toBe(200);
    for (const stream of [kept, page, added]) stream.close();
  });
});

describe('addresses behind a trusted proxy', () => {
  test('count as they are forwarded', async () => {
    const streams = await Promise.all(
      Array.from({ length: 50 }, () =>
        openStream('rooms=team.p', { ...bearer(KEYS.page), 'X-Forwarded-For': '203.0.113.7' }),
      ),
    );
    const one = (address: string) =>
      requestJson('GET', `${url}/api/events/stream?rooms=team.p`, undefined, {
        ...bearer(KEYS.page),
        'X-Forwarded-For': address,
      });
    // What the client itself has put before its address does not count.
    for (const address of ['203.0.113.7', '198.51.100.1, 203.0.113.7', 'rubbish, 203.0.113.7']) {
      expect((await one(address)).json.error.code).toBe('too_many_connections');
    }
    const other = await openStream('rooms=team.p', {
      ...bearer(KEYS.page),
      'X-Forwarded-For': '203.0.113.8',
    });
    expect(other.status).toBe(200);
    for (const stream of [...streams, other]) stream.close();
  });
});
