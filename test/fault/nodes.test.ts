import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { rawStreamWire } from '../support/raw-stream-wire.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireClient } from '../support/wire-client.js';

/** What `GET /api/admin/status` says of all nodes. */
interface Cluster {
  readonly nodes: readonly {
    readonly id: string;
    readonly thisNode: boolean;
    readonly pid: number;
    readonly url: string;
    readonly profile: string;
    readonly transports: readonly string[];
    readonly sessions: { readonly websocket: number; readonly sse: number };
    readonly uptimeSeconds: number;
    readonly ageMs: number;
  }[];
  readonly sessions: { readonly websocket: number; readonly sse: number };
  readonly rooms: Readonly<Record<string, number>>;
  readonly reachable: boolean;
  readonly ageMs: number | null;
}

/** An answer, and how long it took, ms. */
interface TimedAnswer extends JsonAnswer {
  readonly tookMs: number;
}

/** Longer than a node may take to answer, and shorter than a hang, ms. */
const NO_HANG_MS = 4000;

const idOf = (client: WireClient): string => String(client.got.welcomes[0]?.sessionId);

/** Asks `through` to change the rooms of a session. */
const change = async (through: LaunchedGateway, session: string, body: unknown): Promise<TimedAnswer> => {
  const beganAt = performance.now();
  const answer = await requestJson('POST', `${through.url}/api/sessions/${session}/rooms`, body);
  return { ...answer, tookMs: performance.now() - beganAt };
};

const clusterOf = async (node: LaunchedGateway): Promise<Cluster> => {
  const { json } = await requestJson('GET', `${node.url}/api/admin/status`);
  return (json as { cluster: Cluster }).cluster;
};

const pidsOf = async (node: LaunchedGateway): Promise<(number | undefined)[]> =>
  (await clusterOf(node)).nodes.map(({ pid }) => pid).sort((one, other) => one - other);

const pids = (...of: LaunchedGateway[]): (number | undefined)[] =>
  of.map((node) => node.process.pid ?? 0).sort((one, other) => one - other);

describe('several gateways on one Redis', () => {
  let server: RedisServer;
  let variables: Record<string, string>;
  let nodes: LaunchedGateway[];
  let clients: WireClient[];

  beforeAll(async () => {
    server = await startRedisServer();
  });

  afterAll(() => server.stop());

  beforeEach(() => {
    const name = `test-${randomUUID()}`;
    variables = { APP_PROFILE: 'SSE', REDIS_URL: server.url, REDIS_KEY_PREFIX: name, REDIS_CHANNELS: name };
    nodes = [];
    clients = [];
  });

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await killLaunched();
  });

  const start = async (more: Record<string, string> = {}): Promise<LaunchedGateway> => {
    const node = await launchGateway({ ...variables, ...more });
    nodes.push(node);
    return node;
  };

  const open = async (node: LaunchedGateway, ...rooms: string[]): Promise<WireClient> => {
    const client = await rawStreamWire.connect(node.url, { rooms });
    clients.push(client);
    return client;
  };

  test('rooms change through either node, and what is said is what the owner says', async () => {
    const [owner, other] = [await start(), await start()];
    const client = await open(owner, 'first');
    await publish(other.url, { type: 'kb_update', room: 'second', key: 'k', data: 'snapshot' });
    const joined = await change(other, idOf(client), { join: ['second'], leave: ['first', 'never'] });
    expect([joined.status, joined.json]).toEqual([200, { rooms: ['second'] }]);
    await waitUntil(() => client.got.dataOf('second').length > 0, 'the snapshot');
    await publish(owner.url, [
      { type: 'fact_added', room: 'first', data: 'left' },
      { type: 'fact_added', room: 'second', data: 'joined' },
    ]);
    await waitUntil(() => client.got.dataOf('second').length > 1, 'the event');
    expect((await change(other, idOf(client), { leave: ['second'], join: ['third'] })).json).toEqual({
      rooms: ['third'],
    });
    await publish(other.url, { type: 'fact_added', room: 'second', data: 'left' });
    await publish(other.url, { type: 'fact_added', room: 'third', data: 'here' });
    await waitUntil(() => client.got.dataOf('third').length > 0, 'the event');
    expect(client.got.dataOf('second')).toEqual(['snapshot', 'joined']);
    expect(client.got.dataOf('first')).toEqual([]);
    expect((await change(other, idOf(client), {})).json).toEqual({ rooms: ['third'] });
  });

  test('refusals through another node are the owner’s, to the letter', async () => {
    const limits = { MAX_ROOMS_PER_SESSION: '3', ROOM_OVERFLOW: 'reject', MAX_ROOM_SIZE: '1' };
    // Only the owner has these limits: what the other says can only come from it.
    const [owner, other] = [await start(limits), await start()];
    const client = await open(owner, 'mine');
    await open(owner, 'full');
    const session = idOf(client);
    const ended = await rawStreamWire.connect(owner.url, { rooms: ['gone'] });
    await ended.close();
    await waitUntil(
      async () => (await change(owner, idOf(ended), {})).status === 404,
      'the session to have ended',
    );
    const asked: [string, unknown, number, string][] = [
      [session, { join: ['full'] }, 409, 'room_full'],
      [session, { join: ['a', 'b', 'c'] }, 400, 'too_many_rooms'],
      [session, { join: ['a b'] }, 400, 'invalid_room'],
      [session, { join: 'a' }, 400, 'invalid_room'],
      [session, { leave: [7] }, 400, 'invalid_room'],
      [session, { leave: null, join: { '0': 'a' } }, 400, 'invalid_room'],
      [session, '{"join": [', 400, 'invalid_json'],
      [idOf(ended), { join: ['a'] }, 404, 'unknown_session'],
      [`${session.slice(0, 13)}${randomUUID()}`, {}, 404, 'unknown_session'],
      [`${'0'.repeat(12)}.${randomUUID()}`, {}, 404, 'unknown_session'],
      [randomUUID(), {}, 404, 'unknown_session'],
      ['none', {}, 404, 'unknown_session'],
      [session, [1], 400, 'invalid_room'],
      [session, 'null', 200, ''],
      [session, { join: ['a', 'a', 'b'], leave: ['c', 'c'] }, 200, ''],
    ];
    for (const [id, body, status, code] of asked) {
      const [own, foreign] = [await change(owner, id, body), await change(other, id, body)];
      const { date: _, ...headers } = own.headers;
      expect([own.status, own.json.error?.code ?? '']).toEqual([status, code]);
      expect([foreign.status, foreign.text]).toEqual([own.status, own.text]);
      expect(foreign.headers).toMatchObject(headers);
    }
  });

  test('either node tells of the whole cluster', async () => {
    const [one, two] = [await start(), await start({ APP_PROFILE: 'HYBRID' })];
    await open(one, 'shared', 'mine');
    await open(two, 'shared');
    await open(two, 'shared', 'yours');
    for (const node of nodes) {
      await waitUntil(async () => {
        const { sessions, rooms } = await clusterOf(node);
        return sessions.sse === 3 && rooms['shared'] === 3;
      }, 'all sessions to be known');
      const cluster = await clusterOf(node);
      expect(cluster.sessions).toEqual({ websocket: 0, sse: 3 });
      expect(cluster.rooms).toEqual({ shared: 3, mine: 1, yours: 1 });
      expect(cluster.reachable).toBe(true);
      expect(cluster.nodes.map(({ thisNode }) => thisNode)).toEqual([true, false]);
      expect(cluster.nodes[0]).toMatchObject({ pid: node.process.pid, ageMs: 0 });
      const byPid = new Map(cluster.nodes.map((known) => [known.pid, known]));
      expect(byPid.get(one.process.pid ?? 0)).toMatchObject({
        url: `${one.url}/`,
        profile: 'SSE',
        transports: ['sse'],
        sessions: { websocket: 0, sse: 1 },
      });
      expect(byPid.get(two.process.pid ?? 0)).toMatchObject({
        url: `${two.url}/`,
        profile: 'HYBRID',
        transports: ['websocket', 'sse'],
        sessions: { websocket: 0, sse: 2 },
      });
    }
  });

  test('a node that is killed is gone within seconds, and its sessions with it', async () => {
    const [owner, other] = [await start(), await start()];
    const client = await open(owner, 'a');
    expect(await pidsOf(other)).toEqual(pids(owner, other));
    await owner.kill();
    let last: TimedAnswer | undefined;
    await waitUntil(async () => {
      last = await change(other, idOf(client), { join: ['b'] });
      expect(last.tookMs).toBeLessThan(NO_HANG_MS);
      expect(['node_unavailable', 'unknown_session']).toContain(last.json.error.code);
      return last.status === 404;
    }, 'the session to be unknown');
    expect(last?.json.error).toMatchObject({ code: 'unknown_session', retryable: false });
    expect(await pidsOf(other)).toEqual(pids(other));
  });

  test('a node that stops says so: it is gone at once', async () => {
    const [owner, other] = [await start(), await start()];
    const client = await open(owner, 'a');
    expect(await pidsOf(other)).toEqual(pids(owner, other));
    expect(await owner.stop()).toBe(0);
    // Long before anyone would miss it.
    const cluster = await clusterOf(other);
    expect(cluster.nodes.every(({ ageMs }) => ageMs < 5000)).toBe(true);
    await waitUntil(async () => (await pidsOf(other)).length === 1, 'it to be gone', 4000);
    expect((await change(other, idOf(client), {})).json.error.code).toBe('unknown_session');
  });

  test('a node that sleeps does not answer, which is said in time; awake, it does', async () => {
    const [owner, other] = [await start(), await start()];
    const client = await open(owner, 'a');
    owner.process.kill('SIGSTOP');
    const refused = await change(other, idOf(client), { join: ['late'] });
    expect(refused.json.error).toMatchObject({ code: 'node_unavailable', retryable: true });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    expect(refused.tookMs).toBeLessThan(NO_HANG_MS);
    owner.process.kill('SIGCONT');
    await waitUntil(
      async () => (await change(other, idOf(client), { join: ['b'] })).status === 200,
      'it to answer',
    );
    // What was given up was not done later.
    expect((await change(owner, idOf(client), {})).json).toEqual({ rooms: ['a', 'b'] });
  });

  test('with Redis away nothing hangs, and all goes on when it is back', async () => {
    const { port } = server;
    const [owner, other] = [await start(), await start()];
    const client = await open(owner, 'a');
    const session = idOf(client);
    expect((await change(other, session, { join: ['b'] })).status).toBe(200);
    await waitUntil(async () => {
      const { sessions, rooms } = await clusterOf(other);
      return sessions.sse === 1 && rooms['a'] === 1;
    }, 'the session to be known');
    await server.kill();
    const refused = await change(other, session, { join: ['c'] });
    expect([refused.status, refused.json.error.code]).toEqual([503, 'node_unavailable']);
    expect(refused.tookMs).toBeLessThan(NO_HANG_MS);
    // The owner itself needs no Redis.
    expect((await change(owner, session, { leave: ['b'] })).json).toEqual({ rooms: ['a'] });
    await waitUntil(async () => !(await clusterOf(other)).reachable, 'it to be noticed');
    const beganAt = performance.now();
    const away = await clusterOf(other);
    expect(performance.now() - beganAt).toBeLessThan(NO_HANG_MS);
    expect(away).toMatchObject({ reachable: false, sessions: { sse: 1 }, rooms: { a: 1 } });
    expect(away.ageMs).toBeGreaterThan(0);
    expect(away.nodes).toHaveLength(2);
    server = await startRedisServer({ port, folder: server.folder });
    // Whoever is back first must not take the session for gone.
    await waitUntil(async () => {
      const { status, json } = await change(other, session, { join: ['d'] });
      if (status !== 200) expect(json.error.code).toBe('node_unavailable');
      return status === 200;
    }, 'the nodes to find each other');
    await waitUntil(async () => (await clusterOf(other)).reachable, 'the cluster to be known');
  });

  test('with a Redis that does not answer nothing hangs either', async () => {
    const [owner, other] = [await start(), await start()];
    const session = idOf(await open(owner, 'a'));
    expect((await change(other, session, { join: ['b'] })).status).toBe(200);
    server.process.kill('SIGSTOP');
    try {
      const refused = await change(other, session, { join: ['c'] });
      expect([refused.status, refused.json.error.code]).toEqual([503, 'node_unavailable']);
      const unknown = await change(other, `${'0'.repeat(12)}.${randomUUID()}`, {});
      expect([unknown.status, unknown.json.error.code]).toEqual([503, 'node_unavailable']);
      const beganAt = performance.now();
      expect((await clusterOf(other)).nodes).toHaveLength(2);
      const tookMs = performance.now() - beganAt;
      for (const took of [refused.tookMs, unknown.tookMs, tookMs]) expect(took).toBeLessThan(NO_HANG_MS);
    } finally {
      server.process.kill('SIGCONT');
    }
    await waitUntil(
      async () => (await change(other, session, { join: ['d'] })).status === 200,
      'the nodes to find each other',
    );
    expect((await change(owner, session, {})).json).toEqual({ rooms: ['a', 'b', 'd'] });
  });
});
