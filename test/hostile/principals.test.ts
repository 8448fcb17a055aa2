import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { io, type Socket } from 'socket.io-client';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway, type LaunchedGateway } from '../support/launched-gateway.js';
import { RAW_WIRES, RawClient } from '../support/raw-client.js';
import { startRedisServer } from '../support/redis-server.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const OPERATOR = 'operator-key-1234';
const PAGE = 'page-key-12345678';
const WATCHER = 'watcher-key-12345';
const SECRET = 'a secret of at least thirty-two bytes';
const API_KEYS = [
  { id: 'op', key: OPERATOR, subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] },
  { id: 'page', key: PAGE, subscribe: ['*'], publish: ['*'], command: ['*'] },
  { id: 'watcher', key: WATCHER, admin: ['status'] },
];

let gateway: LaunchedGateway;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  RawClient.leaveAll();
  await killLaunched();
});

async function launch(variables: Readonly<Record<string, string>> = {}): Promise<void> {
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify(API_KEYS),
    JWT_SECRET: SECRET,
    ANONYMOUS_RIGHTS: JSON.stringify({ subscribe: ['*'] }),
    REDIS_URL: undefined,
    ...variables,
  });
}

function ask(
  method: string,
  path: string,
  body?: unknown,
  key: string | null = OPERATOR,
): Promise<JsonAnswer> {
  return requestJson(
    method,
    gateway.url + path,
    body,
    key === null ? {} : { Authorization: `Bearer ${key}` },
  );
}

/** What a client behind a proxy is told of itself. */
function meFrom(address: string): Promise<JsonAnswer> {
  return requestJson('GET', `${gateway.url}/api/me`, undefined, { 'X-Forwarded-For': address });
}

const pathOf = (principal: string): string => `/api/admin/denied/${encodeURIComponent(principal)}`;

const deny = (principal: string, terms?: object): Promise<JsonAnswer> =>
  ask('PUT', pathOf(principal), terms ?? {});

function tokenFor(sub: string): Promise<string> {
  return new SignJWT({ flipgate: { subscribe: ['*'], publish: ['*'] } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
}

const codeOf = ({ status, json }: JsonAnswer): unknown => [
  status,
  (json as { error?: { code?: string } })?.error?.code,
];

const DENIED = [403, 'principal_denied'];

/** How a stock client is refused. */
async function connectError(auth: object, transport: string): Promise<string> {
  const socket = io(gateway.url, { transports: [transport], forceNew: true, auth });
  sockets.push(socket);
  return new Promise((resolve) => {
    socket.on('connect', () => {
      resolve('connected');
    });
    socket.on('connect_error', ({ message }) => {
      resolve(message);
    });
  });
}

describe('a denied principal', () => {
  test('is refused at every entrance, and let in again once the denial is lifted', async () => {
    await launch();
    const denial = await deny('key:page', { reason: 'the key leaked', seconds: 3600 });
    expect([denial.status, denial.json]).toEqual([
      200,
      {
        principal: 'key:page',
        reason: 'the key leaked',
        by: 'key:op',
        at: expect.any(Number),
        until: expect.any(Number),
      },
    ]);
    const paths = ['/api/me', '/api/rooms/default/state', '/api/events/stream', '/metrics', '/api/nothing'];
    for (const path of paths)
      expect([path, codeOf(await ask('GET', path, undefined, PAGE))]).toEqual([path, DENIED]);
    const event = { type: 'a', data: 1 };
    expect(codeOf(await ask('POST', '/api/events', event, PAGE))).toEqual(DENIED);
    const command = { action: 'host-monitor.start' };
    expect(codeOf(await ask('POST', '/api/control', command, PAGE))).toEqual(DENIED);
    expect(codeOf(await ask('POST', '/api/control', { ...command, data: { apiKey: PAGE } }, null))).toEqual(
      DENIED,
    );
    for (const transport of ['websocket', 'polling'])
      for (const auth of [{ token: PAGE }, { apiKey: PAGE }, { token: PAGE, bundle: true }])
        expect(await connectError(auth, transport)).toBe('principal_denied');
    // Nobody else is.
    expect((await ask('GET', '/api/me', undefined, WATCHER)).status).toBe(200);
    expect((await ask('GET', '/api/me', undefined, null)).status).toBe(200);
    const lifted = await ask('DELETE', pathOf('key:page'));
    expect([lifted.status, lifted.json]).toEqual([200, { principal: 'key:page', lifted: true }]);
    expect((await ask('GET', '/api/me', undefined, PAGE)).status).toBe(200);
    expect((await ask('DELETE', pathOf('key:page'))).json).toEqual({ principal: 'key:page', lifted: false });
  });

  test('loses its open sessions on every wire at once; those of others stay', async () => {
    await launch();
    const theirs = await Promise.all(
      RAW_WIRES.map((wire) => RawClient.open(gateway.port, wire, wire === 'legacy' ? {} : { token: PAGE })),
    );
    const others = await Promise.all(
      (['sse', 'bundle'] as const).map((wire) => RawClient.open(gateway.port, wire, { token: OPERATOR })),
    );
    const stock = new StockClient(4, gateway.url, 'polling', { auth: { token: PAGE } });
    await waitUntil(() => stock.connects === 1, 'the stock client to connect');
    await deny('key:page');
    await deny('address:127.0.0.1');
    await waitUntil(() => theirs.every(({ isClosed }) => isClosed), 'the sessions to end');
    await waitUntil(() => stock.errors.length > 0, 'the stock client to be cut, and refused');
    expect(stock.disconnects).toHaveLength(1);
    expect(others.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    const { counters } = (await ask('GET', '/api/admin/status')).json as {
      counters: Record<string, Record<string, number>>;
    };
    expect(counters['sessions_ended']?.['principal_denied']).toBe(4);
    await stock.close();
  });

  test('what it had begun to send is refused when it has come', async () => {
    await launch();
    const targets = [
      ['POST', '/api/events', JSON.stringify({ type: 'a', data: 1 })],
      ['POST', '/api/control', JSON.stringify({ action: 'host-monitor.start' })],
      ['POST', '/api/sessions/none/rooms', JSON.stringify({ join: ['a'] })],
    ] as const;
    const begun = targets.map(([method, path, body]) => {
      const request = http.request(gateway.url + path, {
        method,
        agent: false,
        headers: { 'X-API-Key': PAGE, 'Content-Type': 'application/json', 'Content-Length': body.length },
      });
      request.write(body.slice(0, 5));
      return { request, rest: body.slice(5) };
    });
    // A keep-alive connection that was let in before.
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const [first] = (await once(
      http.get(`${gateway.url}/api/me`, { agent, headers: { 'X-API-Key': PAGE } }),
      'response',
    )) as [http.IncomingMessage];
    first.resume();
    expect(first.statusCode).toBe(200);
    await once(first, 'end');
    await deny('key:page');
    const again = http.get(`${gateway.url}/api/me`, { agent, headers: { 'X-API-Key': PAGE } });
    const [second] = (await once(again, 'response')) as [http.IncomingMessage];
    second.resume();
    expect([again.reusedSocket, second.statusCode]).toEqual([true, 403]);
    agent.destroy();
    for (const { request, rest } of begun) {
      request.end(rest);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += String(part);
      expect([request.path, response.statusCode, text]).toEqual([
        request.path,
        403,
        expect.stringContaining('principal_denied'),
      ]);
    }
  });

  test('is a user by any name, also one with slashes, spaces and other letters', async () => {
    await launch();
    for (const sub of [
      'https://id.example/users/7',
      'Zoë Müller',
      'a%2Fb',
      'key:page',
      '..',
      'ユーザー',
      '?#&',
    ]) {
      const token = await tokenFor(sub);
      expect((await ask('GET', '/api/me', undefined, token)).json).toMatchObject({ id: `user:${sub}` });
      expect((await deny(`user:${sub}`)).json).toMatchObject({ principal: `user:${sub}` });
      expect(codeOf(await ask('GET', '/api/me', undefined, token))).toEqual(DENIED);
    }
    const { denied, total } = (await ask('GET', '/api/admin/denied?limit=2')).json as {
      denied: { principal: string }[];
      total: number;
    };
    expect([denied.map(({ principal }) => principal), total]).toEqual([['user:?#&', 'user:ユーザー'], 7]);
  });

  test('is let in again when the time is over', async () => {
    await launch();
    await deny('key:page', { seconds: 1 });
    expect(codeOf(await ask('GET', '/api/me', undefined, PAGE))).toEqual(DENIED);
    await waitUntil(
      async () => (await ask('GET', '/api/me', undefined, PAGE)).status === 200,
      'the denial to be over',
    );
    expect((await ask('GET', '/api/admin/denied')).json).toEqual({ denied: [], total: 0 });
  });

  test('is an address where nobody has a name', async () => {
    await launch({
      AUTH_MODE: 'none',
      API_KEYS: '',
      JWT_SECRET: '',
      ANONYMOUS_RIGHTS: '',
      TRUSTED_PROXIES: 'loopback',
    });
    expect((await meFrom('2001:db8:1:2::3')).json).toMatchObject({ id: 'address:2001:db8:1:2::3' });
    const block = 'address:2001:db8:1:2::/64';
    expect((await deny('address:2001:db8:1:2::3')).json).toMatchObject({ principal: block });
    expect(codeOf(await meFrom('2001:db8:1:2:ffff::4'))).toEqual(DENIED);
    expect((await meFrom('2001:db8:1:3::3')).status).toBe(200);
    expect((await ask('DELETE', pathOf(block))).json).toEqual({ principal: block, lifted: true });
    await deny('address:10.1.2.3');
    expect(codeOf(await meFrom('10.1.2.3'))).toEqual(DENIED);
    expect(codeOf(await deny('address:127.0.0.1'))).toEqual([409, 'own_principal']);
  });
});

describe('who denies', () => {
  test('needs the right, can not deny itself, and says whom, why and for how long', async () => {
    await launch();
    for (const key of [PAGE, WATCHER, null]) {
      expect(codeOf(await ask('PUT', pathOf('key:op'), {}, key))).toEqual([403, 'forbidden']);
      expect(codeOf(await ask('DELETE', pathOf('key:op'), undefined, key))).toEqual([403, 'forbidden']);
    }
    expect(codeOf(await ask('GET', '/api/admin/denied', undefined, PAGE))).toEqual([403, 'forbidden']);
    expect((await ask('GET', '/api/admin/denied', undefined, WATCHER)).status).toBe(200);
    expect(codeOf(await deny('key:op'))).toEqual([409, 'own_principal']);
    const none = [
      'page',
      'key:',
      'key:ä',
      'user:',
      'user:a\nb',
      'address:',
      'address:host',
      'address:::ffff:1.2.3.4',
      'session:1',
    ];
    for (const principal of none)
      expect([principal, codeOf(await deny(principal))]).toEqual([principal, [400, 'bad_request']]);
    const terms = [
      { reason: '' },
      { reason: 'a\nb' },
      { reason: 'x'.repeat(201) },
      { reason: 1 },
      { seconds: 0 },
      { seconds: 1.5 },
      { seconds: '60' },
      { seconds: 1e12 },
    ];
    for (const bad of terms)
      expect([bad, codeOf(await deny('key:page', bad))]).toEqual([bad, [400, 'bad_request']]);
    expect(codeOf(await ask('GET', '/api/admin/denied?limit=1001'))).toEqual([400, 'bad_request']);
    expect(codeOf(await ask('PUT', '/api/admin/denied/%E0%A4', {}))).toEqual([400, 'bad_request']);
    expect((await ask('GET', '/api/admin/denied')).json).toEqual({ denied: [], total: 0 });
  });

  test('leaves lines in the audit log, and the status says how many are denied', async () => {
    await launch();
    const client = await RawClient.open(gateway.port, 'sse', { token: PAGE });
    await deny('key:page', { reason: 'the key leaked' });
    await waitUntil(() => client.isClosed, 'the session to end');
    expect((await ask('GET', '/api/admin/status')).json).toMatchObject({ denied: 1 });
    await deny('key:op');
    await ask('GET', '/api/me', undefined, PAGE);
    await waitUntil(
      () =>
        /"code":"principal_denied".*"reason":"an operator has denied access to key:page"/.test(
          gateway.output(),
        ),
      'the line about the refused request',
    );
    await ask('DELETE', pathOf('key:page'));
    const lines = (): Record<string, unknown>[] =>
      gateway
        .output()
        .split('\n')
        .filter((line) => line.includes('"audit":"deny"'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await waitUntil(() => lines().length >= 4, 'the lines');
    const by = { by: 'key:op', address: '127.0.0.1', request: expect.any(String) };
    const expected = [
      expect.objectContaining({
        ...by,
        message: 'a principal was denied',
        principal: 'key:page',
        reason: 'the key leaked',
      }),
      expect.objectContaining({ sessions: 1 }),
      expect.objectContaining({ ...by, principal: 'key:op', code: 'own_principal' }),
      expect.objectContaining({ ...by, message: 'a denial was lifted', principal: 'key:page', lifted: true }),
    ];
    expect(lines()).toHaveLength(4);
    expect(lines()).toEqual(expect.arrayContaining(expected));
  });
});

describe('on several nodes', () => {
  test('a denial counts on all of them, also on one that starts later, and while Redis is away', async () => {
    const redis = await startRedisServer();
    const variables = { REDIS_URL: redis.url, REDIS_KEY_PREFIX: 'flipgate' };
    try {
      await launch(variables);
      const one = gateway;
      await launch(variables);
      const two = gateway;
      const of = (node: LaunchedGateway): Promise<JsonAnswer> =>
        requestJson('GET', `${node.url}/api/me`, undefined, { 'X-API-Key': PAGE });
      const theirs = await Promise.all(
        [one, two].flatMap(({ port }) => [
          RawClient.open(port, 'sse', { token: PAGE }),
          RawClient.open(port, 'bundle', { token: PAGE }),
        ]),
      );
      gateway = one;
      expect((await deny('key:page', { reason: 'leaked' })).status).toBe(200);
      await waitUntil(() => theirs.every(({ isClosed }) => isClosed), 'all sessions to end');
      expect([codeOf(await of(one)), codeOf(await of(two))]).toEqual([DENIED, DENIED]);
      await launch(variables);
      const three = gateway;
      expect(codeOf(await of(three))).toEqual(DENIED);
      gateway = two;
      expect((await ask('GET', '/api/admin/denied')).json).toMatchObject({
        denied: [{ principal: 'key:page', reason: 'leaked', by: 'key:op' }],
        total: 1,
      });
      await redis.kill();
      await waitUntil(
        async () => String(codeOf(await deny('key:watcher'))) === '503,node_unavailable',
        'Redis to be away',
      );
      expect([codeOf(await of(one)), codeOf(await of(two))]).toEqual([DENIED, DENIED]);
      expect((await ask('GET', '/api/me', undefined, WATCHER)).status).toBe(200);
      // It has kept nothing: the nodes tell it.
      const anew = await startRedisServer({ port: redis.port, folder: redis.folder });
      try {
        await waitUntil(async () => (await deny('key:watcher')).status === 200, 'Redis to be back');
        for (const node of [one, two, three]) {
          gateway = node;
          await waitUntil(
            async () => ((await ask('GET', '/api/admin/denied')).json as { total: number }).total === 2,
            'both denials to be known',
          );
        }
        expect((await ask('DELETE', pathOf('key:page'))).json).toMatchObject({ lifted: true });
        for (const node of [one, two, three])
          await waitUntil(async () => (await of(node)).status === 200, 'the denial to be lifted');
      } finally {
        await anew.stop();
      }
    } finally {
      await redis.stop();
    }
  }, 60_000);
});
