import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import { Manager } from 'socket.io-client';
import { bundleWire } from '../support/bundle-wire.js';
import { CountedStream } from '../support/counted-stream.js';
import { statusOf, untilSessions } from '../support/gateway-status.js';
import { requestJson, type JsonAnswer } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { PollingSession } from '../support/polling-session.js';
import { publish } from '../support/publish.js';
import { RawClient } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';
import { rawStreamWire } from '../support/raw-stream-wire.js';
import { runProgram } from '../support/run-program.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const clients: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  RawClient.leaveAll();
  await killLaunched();
});

const kept = <Client extends { close(): unknown }>(client: Client): Client => {
  clients.push(client);
  return client;
};

const flip = (url: string, profile: unknown, more: object = {}): Promise<JsonAnswer> =>
  requestJson('PUT', `${url}/api/admin/profile`, { profile, ...more });

const hasData = (events: readonly { readonly data: unknown }[], wanted: string): boolean =>
  events.some(({ data }) => data === wanted);

const report = async (url: string) => (await requestJson('GET', `${url}/api/admin/profile`)).json;

const untilDone = (url: string): Promise<void> =>
  waitUntil(async () => (await report(url)).flip.state === 'done', 'the flip to be done');

/** Lines of the log that are for the audit, without their time. */
const auditOf = (gateway: LaunchedGateway): object[] =>
  gateway
    .output()
    .split('\n')
    .filter((line) => line.includes('"audit"') && line.endsWith('}'))
    .map((line) => JSON.parse(line));

describe('a flip of a running gateway', () => {
  test('there and back: clients of every kind are moved, told if they can be, and the listener never closes', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    const { url } = gateway;
    const legacy = ([2, 3, 4] as const).flatMap((version) =>
      (['websocket', 'polling', 'upgrade'] as const).map((mode) =>
        kept(new StockClient(version, url, mode, { reconnectionDelay: 100, reconnectionDelayMax: 200 })),
      ),
    );
    const bundles = await Promise.all(
      (['websocket', 'polling'] as const).map((one) => bundleWire(one).connect(url, {})),
    );
    bundles.forEach(kept);
    await untilSessions(url, legacy.length + bundles.length);
    let answered = 0;
    const failures: unknown[] = [];
    const asking = setInterval(() => {
      requestJson('GET', `${url}/readyz`).then(
        ({ status }) => (status === 200 ? (answered += 1) : failures.push(status)),
        (error: unknown) => failures.push(error),
      );
    }, 10);

    expect((await flip(url, 'sse')).json).toMatchObject({
      profile: 'SSE',
      transports: { websocket: false, sse: true, control: true },
      flip: { from: 'WEBSOCKET', to: 'SSE', via: 'http', by: 'address:127.0.0.1', sessions: { total: 11 } },
      node: expect.stringMatching(/^[0-9a-f]{12}$/),
      rollout: null,
    });
    const stream = kept(await rawStreamWire.connect(url, {}));
    await untilDone(url);
    await untilSessions(url, 1);
    expect((await statusOf(url)) as object).toMatchObject({
      profile: 'SSE',
      transports: { websocket: false },
      flip: { state: 'done', sessions: { total: 11, left: 0 } },
    });
    for (const { got } of bundles) {
      expect(got.notices).toEqual([{ name: 'profile_changed', reason: 'transport_disabled' }]);
    }
    for (const { disconnects, mode } of legacy) {
      await waitUntil(() => disconnects.length > 0, 'the legacy client to be told');
      expect(disconnects).toEqual([mode === 'polling' ? 'transport error' : 'transport close']);
    }

    await flip(url, 'WEBSOCKET');
    await untilDone(url);
    await waitUntil(() => stream.got.losses === 1, 'the stream to end');
    expect(stream.got.notices).toEqual([{ name: 'profile_changed', reason: 'transport_disabled' }]);
    await waitUntil(() => legacy.every(({ connects }) => connects === 2), 'the stock clients to come back');
    await publish(url, { type: 'fact_added', data: 'all are here' });
    await waitUntil(
      () => legacy.every((client) => client.dataOf('fact_added').includes('all are here')),
      'the event to reach them',
    );
    clearInterval(asking);
    expect(answered).toBeGreaterThan(10);
    expect(failures).toEqual([]);
  });

  test('takes no new clients on what goes, while those it has are served on', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET', DRAIN_MS: '2000' });
    const { url, port } = gateway;
    const crowd = await RawCrowd.open(port, ['bundle'], 200, () => ({ rooms: ['r'] }));
    kept(await bundleWire('polling').connect(url, { rooms: ['r'] }));
    await flip(url, 'SSE');
    const document = { profile: 'SSE', transports: { websocket: null, sse: { path: '/api/events/stream' } } };
    for (const transport of ['polling', 'websocket']) {
      const refused = await requestJson('GET', `${url}/socket.io/?EIO=4&transport=${transport}`);
      expect([refused.status, refused.json]).toMatchObject([
        404,
        { error: { code: 'transport_disabled' }, ...document },
      ]);
    }
    const upgrade = await requestJson('GET', `${url}/socket.io/?EIO=4&transport=websocket`, undefined, {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    expect([upgrade.status, upgrade.json]).toMatchObject([
      404,
      { error: { code: 'transport_disabled' }, ...document },
    ]);
    expect((await report(url)).flip).toMatchObject({ state: 'draining', sessions: { total: 201 } });
    await publish(url, { type: 'fact_added', room: 'r', data: 'still here' });
    const { left } = (await report(url)).flip.sessions;
    expect(left).toBeGreaterThan(0);
    await waitUntil(
      () => crowd.clients.every(({ events, notices }) => notices.length > 0 || hasData(events, 'still here')),
      'those who are still there to get it',
    );
    expect(crowd.clients.filter(({ events }) => hasData(events, 'still here')).length).toBeGreaterThan(0);
    await untilDone(url);
    for (const { notices } of crowd.clients) expect(notices).toEqual(['profile_changed']);
  });

  test('closes who had shaken hands and not connected, so that stock clients come back: refused, they would not', async () => {
    const { url } = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    const session = await PollingSession.open(url);
    expect((await flip(url, 'SSE')).status).toBe(200);
    await session.send('40');
    // "44" would be the refusal; what ends this is that the session is not known any more.
    const got = await session.receive();
    await waitUntil(async () => (await session.receive())[0]?.startsWith('{') === true, 'it to be closed');
    expect(got[0]).not.toMatch(/^44/);
  });

  test('back, in the middle of it, keeps who is still there', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID', DRAIN_MS: '10000' });
    const { url, port } = gateway;
    const crowd = await RawCrowd.open(port, ['bundle'], 400, () => ({}));
    await flip(url, 'SSE');
    await waitUntil(() => crowd.clients.some(({ notices }) => notices.length > 0), 'the first to be moved');
    expect((await flip(url, 'WEBSOCKET')).json.flip).toMatchObject({ id: 2, from: 'SSE', to: 'WEBSOCKET' });
    await untilDone(url);
    const stayed = crowd.clients.filter(({ notices }) => notices.length === 0).length;
    expect(stayed).toBeGreaterThan(100);
    await publish(url, { type: 'fact_added', data: 'on' });
    await waitUntil(
      () => crowd.clients.filter(({ events }) => hasData(events, 'on')).length === stayed,
      'the event to reach them',
    );
    expect((await statusOf(url)).sessions).toEqual({ websocket: stayed, sse: 0 });
  });

  test('twenty times, over and over, loses nothing of a counted stream', async () => {
    const { url } = await launchGateway({ APP_PROFILE: 'WEBSOCKET', DEFAULT_ROOMS: 'default' });
    const got: { readonly id: string }[] = [];
    let cursor: string | undefined;
    const take = (client: { got: { events: readonly { id: string }[]; cursor: string | null } }): void => {
      got.push(...client.got.events);
      cursor = client.got.cursor ?? undefined;
    };
    let client = await bundleWire('websocket').connect(url, {});
    await waitUntil(() => client.got.welcomes.length > 0, 'the welcome');
    const counted = new CountedStream(url);
    for (let round = 0; round < 20; round += 1) {
      const isSse = round % 2 === 0;
      await flip(url, isSse ? 'SSE' : 'WEBSOCKET');
      const left = client;
      await waitUntil(() => left.got.losses > 0, 'the client to be moved');
      await left.close();
      take(left);
      const wire = isSse ? rawStreamWire : bundleWire('websocket');
      client = await wire.connect(url, cursor === undefined ? {} : { cursor });
    }
    await waitUntil(() => counted.ids.length > 20, 'something to have been published');
    await counted.stop();
    const last = counted.ids.at(-1) ?? '';
    await waitUntil(() => client.got.ids.includes(last), 'the last event');
    take(client);
    await client.close();
    const ids = [...new Set(got.map(({ id }) => id))];
    expect(ids).toEqual(counted.ids);
  });

  test('is in the audit log: who, from where, and how it ended', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
    kept(await rawStreamWire.connect(gateway.url, {}));
    await flip(gateway.url, 'WEBSOCKET');
    await untilDone(gateway.url);
    const facts = {
      audit: 'flip',
      from: 'SSE',
      to: 'WEBSOCKET',
      by: 'address:127.0.0.1',
      address: '127.0.0.1',
      via: 'http',
    };
    await waitUntil(() => auditOf(gateway).length === 4, 'the log');
    const lines = auditOf(gateway) as { readonly request?: string; readonly flip?: number }[];
    const asked = lines.filter(({ request }) => request !== undefined);
    expect(asked).toMatchObject([
      { by: 'address:127.0.0.1', address: '127.0.0.1', to: 'WEBSOCKET', flip: 1 },
    ]);
    // First who asked for it, then how it went.
    expect(lines[0]).toBe(asked[0]);
    const went = lines.filter((line) => !asked.includes(line));
    expect(went).toMatchObject([facts, { ...facts, sessions: 1 }, { ...facts, sessions: 1 }]);
    expect(lines.map(({ flip }) => flip)).toEqual([1, 1, 1, 1]);
  });

  test('refuses what is no profile, and what would serve nothing; the same again changes nothing', async () => {
    const { url } = await launchGateway({
      APP_PROFILE: 'SSE',
      ENABLE_WS: 'false',
      ENABLE_CONTROL_HTTP: 'false',
      REDIS_URL: undefined,
    });
    for (const profile of [undefined, 'websockets', 5]) {
      expect(await flip(url, profile)).toMatchObject({
        status: 400,
        json: { error: { code: 'invalid_profile' } },
      });
    }
    expect(await flip(url, 'SSE', { all: 'yes' })).toMatchObject({
      status: 400,
      json: { error: { code: 'bad_request' } },
    });
    expect(await flip(url, 'WEBSOCKET')).toMatchObject({
      status: 409,
      json: { error: { code: 'serves_nothing' } },
    });
    expect(await flip(url, 'SSE')).toMatchObject({
      status: 200,
      json: { profile: 'SSE', repeated: true, since: expect.any(Number), flip: null },
    });
    expect((await report(url)).repeated).toBe(false);
    expect((await flip(url, undefined)).json.error.message).toMatch(/^profile is missing: it is one of/);
    // Without Redis, all nodes are this one.
    expect(await flip(url, 'HYBRID', { all: true })).toMatchObject({
      status: 200,
      json: { profile: 'HYBRID' },
    });
  });

  test('has who was on the way in try again: refused in the namespace, a stock client never would', async () => {
    const { url, port } = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    // So that the flip lasts.
    await RawCrowd.open(port, ['legacy'], 300, () => ({}));
    const manager = new Manager(url, {
      transports: ['websocket'],
      autoConnect: false,
      reconnectionDelay: 100,
    });
    await new Promise((resolve) => manager.open(resolve));
    await flip(url, 'SSE');
    const socket = kept(manager.socket('/'));
    const lost = new Promise((resolve) => {
      socket.on('disconnect', resolve).on('connect_error', resolve);
    });
    socket.connect();
    await lost;
    await flip(url, 'WEBSOCKET');
    await waitUntil(() => socket.connected, 'the client to come back by itself');
  });

  test('at SIGHUP takes the profile that the env file names now', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'flipgate-'));
    try {
      const file = path.join(folder, 'gateway.env');
      writeFileSync(file, 'APP_PROFILE=WEBSOCKET\n');
      const gateway = await launchGateway({ ENV_FILE: file });
      const profile = async (): Promise<unknown> => (await report(gateway.url)).profile;
      expect(await profile()).toBe('WEBSOCKET');
      writeFileSync(file, 'APP_PROFILE=nonsense\n');
      gateway.process.kill('SIGHUP');
      await waitUntil(() => gateway.output().includes('all goes on as before'), 'the refusal');
      expect(await profile()).toBe('WEBSOCKET');
      writeFileSync(file, 'APP_PROFILE=sse\n');
      gateway.process.kill('SIGHUP');
      await waitUntil(async () => (await profile()) === 'SSE', 'the flip');
      expect((await report(gateway.url)).flip).toMatchObject({ via: 'signal', by: 'SIGHUP', address: null });
      // A reload for something else undoes no flip, and names what needs a restart.
      await flip(gateway.url, 'HYBRID');
      writeFileSync(file, 'APP_PROFILE=SSE\nPING_INTERVAL=2\n');
      gateway.process.kill('SIGHUP');
      await waitUntil(
        () => gateway.output().includes('for PING_INTERVAL to take effect'),
        'what needs a restart',
      );
      expect(gateway.output()).toContain('so HYBRID stays');
      expect(await profile()).toBe('HYBRID');
      // Nor does a file that says nothing of it any more.
      writeFileSync(file, '');
      gateway.process.kill('SIGHUP');
      await waitUntil(() => gateway.output().includes('no file names APP_PROFILE any more'), 'the warning');
      expect(await profile()).toBe('HYBRID');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('flipgate flip', () => {
  test('flips one node, tells how it goes on, and ends when it is done', async () => {
    const { url, port } = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    await RawCrowd.open(port, ['legacy'], 60, () => ({}));
    const { code, stdout } = await runProgram('dist/cli.js', ['flip', 'sse', '--url', url], {});
    expect(code).toBe(0);
    expect(stdout).toMatch(/^WEBSOCKET → SSE: draining, \d+ of 60 clients disconnected$/m);
    expect(stdout).toMatch(
      /WEBSOCKET → SSE: done; 60 clients cut off \(60 stock\)\nclients that were cut off .*\n$/,
    );
    const refused = await runProgram('dist/cli.js', ['flip', 'ssse', '--url', url], {});
    expect([refused.code, refused.stdout]).toEqual([
      1,
      'invalid_profile: a profile is one of WEBSOCKET, SSE, HYBRID\n',
    ]);
  });

  test('does not pass for done when another flip took its place, or its address is none', async () => {
    const { url, port } = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    await RawCrowd.open(port, ['legacy'], 200, () => ({}));
    const flipping = runProgram('dist/cli.js', ['flip', 'sse', '--url', url], {});
    await waitUntil(async () => (await report(url)).profile === 'SSE', 'the flip to begin');
    await flip(url, 'HYBRID');
    expect(await flipping).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('another flip took its place; HYBRID is served'),
    });
    expect(await runProgram('dist/cli.js', ['flip', 'HYBRID', '--url', url], {})).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^already serves HYBRID since 20\S+Z; nothing to do\n$/),
    });
    expect(await runProgram('dist/cli.js', ['flip', 'HYBRID', '--url', 'localhost:5002'], {})).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('is no address'),
    });
  });

  test('says when nobody is there', async () => {
    const gateway = await launchGateway({});
    await gateway.kill();
    const { code, stdout } = await runProgram('dist/cli.js', ['flip', 'SSE'], { PORT: String(gateway.port) });
    expect(code).toBe(1);
    expect(stdout).toContain(`no gateway answers at http://127.0.0.1:${String(gateway.port)}`);
  });

  test('flips all nodes, one after the other', async () => {
    const shared = {
      REDIS_URL: process.env['TEST_REDIS_URL'],
      REDIS_KEY_PREFIX: `flip-${String(process.pid)}-${String(Date.now())}`,
      APP_PROFILE: 'WEBSOCKET',
    };
    const nodes = await Promise.all([launchGateway(shared), launchGateway(shared), launchGateway(shared)]);
    const [first] = nodes as [LaunchedGateway, ...LaunchedGateway[]];
    await waitUntil(async () => {
      const { cluster } = (await statusOf(first.url)) as unknown as { cluster: { nodes: unknown[] } };
      return cluster.nodes.length === 3;
    }, 'the nodes to know of each other');
    for (const { port } of nodes) await RawCrowd.open(port, ['bundle'], 20, () => ({}));
    const { code, stdout } = await runProgram(
      'dist/cli.js',
      ['flip', 'HYBRID', '--all', '--url', first.url],
      {},
    );
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/HYBRID: done, nobody had to move; (\S+ done(, |\n)){3}$/),
    ]);
    const { code: second, stdout: told } = await runProgram(
      'dist/cli.js',
      ['flip', 'SSE', '--all', '--url', first.url],
      {},
    );
    expect(second).toBe(0);
    expect(told).toMatch(/SSE: running; .*draining, \d+ of 20 clients disconnected/);
    for (const { url } of nodes) {
      expect(await report(url)).toMatchObject({
        profile: 'SSE',
        flip: { state: 'done', sessions: { total: 20, left: 0 } },
      });
    }
    const [asked, ...others] = nodes.map(auditOf).map((lines) => JSON.stringify(lines));
    expect(asked).toContain('"audit":"rollout"');
    for (const other of others) expect(other).toContain('"via":"cluster"');
  });
});

describe('flipgate flip --all', () => {
  test('passes over a node that was killed, and says so', async () => {
    const shared = {
      REDIS_URL: process.env['TEST_REDIS_URL'],
      REDIS_KEY_PREFIX: `flip-gone-${String(process.pid)}-${String(Date.now())}`,
      APP_PROFILE: 'WEBSOCKET',
    };
    const [asked, killed] = await Promise.all([launchGateway(shared), launchGateway(shared)]);
    await waitUntil(async () => {
      const { cluster } = (await statusOf(asked.url)) as unknown as { cluster: { nodes: unknown[] } };
      return cluster.nodes.length === 2;
    }, 'the nodes to know of each other');
    await killed.kill();
    const { code, stdout } = await runProgram(
      'dist/cli.js',
      ['flip', 'SSE', '--all', '--url', asked.url],
      {},
      60_000,
    );
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /SSE: done.*; \S+ gone \(this gateway ended meanwhile and is passed over.*\), \S+ done\n$/,
      ),
    ]);
    expect(asked.output()).toContain('a node ended before it was flipped and is passed over');
    expect(JSON.stringify(auditOf(asked)[0])).toContain('a flip was asked for');
  });
});

describe('a node that stops', () => {
  test('is not ready, moves its clients over time, and tells an EventSource that comes on a stream, so that it tries on', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '3000' });
    const { url, port } = gateway;
    const crowd = await RawCrowd.open(port, ['sse'], 300, () => ({}));
    const ended = gateway.stop();
    await waitUntil(
      async () => (await requestJson('GET', `${url}/readyz`)).status === 503,
      'not to be ready',
    );
    expect((await requestJson('GET', `${url}/readyz`)).json).toMatchObject({ ready: false, draining: true });
    const source = new EventSource(`${url}/api/events/stream`);
    kept(source);
    const told: string[] = [];
    let errors = 0;
    source.addEventListener('draining', ({ data }) => void told.push(String(data)));
    source.addEventListener('error', () => (errors += 1));
    await waitUntil(() => told.length > 0 && errors > 0, 'the notice and the end');
    expect(told[0]).toBe('{"reason":"shutting_down"}');
    expect(source.readyState).toBe(source.CONNECTING);
    expect(crowd.clients.some(({ isClosed }) => !isClosed)).toBe(true);
    expect(await ended).toBe(0);
    for (const { notices } of crowd.clients) expect(notices).toEqual(['draining']);
    expect(source.readyState).not.toBe(source.CLOSED);
  });

  test('ends at once at a second signal', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '60000' });
    await RawCrowd.open(gateway.port, ['sse'], 1000, () => ({}));
    const ended = gateway.stop();
    await waitUntil(() => gateway.output().includes('a second signal ends at once'), 'the first signal');
    gateway.process.kill('SIGINT');
    expect(await ended).toBe(1);
  });

  test('legacy pages with three attempts survive that all nodes are restarted, one after the other', async () => {
    const shared = {
      REDIS_URL: process.env['TEST_REDIS_URL'],
      REDIS_KEY_PREFIX: `pages-${String(process.pid)}-${String(Date.now())}`,
    };
    const nodes = await Promise.all([launchGateway(shared), launchGateway(shared)]);
    // As pages have it that give up after 7 to 21 s.
    const asPages = { reconnectionAttempts: 3, reconnectionDelay: 2000, reconnectionDelayMax: 8000 };
    const pages = nodes.flatMap(({ url }) =>
      ([2, 3, 4] as const).flatMap((version) =>
        (['websocket', 'upgrade'] as const).map((mode) => kept(new StockClient(version, url, mode, asPages))),
      ),
    );
    await waitUntil(() => pages.every(({ connects }) => connects === 1), 'the pages to connect');
    for (const [index, { port, stop }] of nodes.entries()) {
      expect(await stop()).toBe(0);
      nodes[index] = await launchGateway({ ...shared, PORT: String(port) });
    }
    await waitUntil(() => pages.every(({ connects }) => connects === 2), 'the pages to come back', 30_000);
    await publish(nodes[0]?.url ?? '', { type: 'fact_added', data: 'after' });
    await waitUntil(() => pages.every((page) => page.dataOf('fact_added').includes('after')), 'the event');
  }, 60_000);
});
