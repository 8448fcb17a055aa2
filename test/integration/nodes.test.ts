import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { systemClock } from '../../src/core/clock.js';
import { ClusterOverview } from '../../src/core/cluster/cluster-status.js';
import { newNodeId, newSessionId } from '../../src/core/cluster/node-id.js';
import { ClusterSessions, type LocalSessions } from '../../src/core/cluster/cluster-sessions.js';
import { NodeMessages } from '../../src/core/cluster/node-messages.js';
import { NodeRecords } from '../../src/core/cluster/node-records.js';
import { NODE_TTL_MS, NodeRegistry } from '../../src/core/cluster/node-registry.js';
import type { NodeState } from '../../src/core/cluster/node-report.js';
import type { RoomChange } from '../../src/core/delivery/room-changes.js';
import { Session } from '../../src/core/delivery/session.js';
import { Refusal } from '../../src/core/errors.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { connectRedis, connectSubscriber } from '../../src/core/redis/redis-connection.js';
import { OpenedLogs, testRedisUrl } from '../support/opened-logs.js';
import { RecordingOutlet } from '../support/recording-outlet.js';
import { startRedisServer } from '../support/redis-server.js';
import { silentLogger } from '../support/silent-logger.js';
import { freeCaller, keyCaller } from '../support/caller.js';
import { waitUntil } from '../support/wait-until.js';

const opened = new OpenedLogs();
afterEach(() => opened.closeAll());

/** A node in this process, with one session; `changes` are what it was asked to change. */
interface Node {
  readonly id: string;
  readonly session: string;
  readonly changes: RoomChange[];
  /** Who asked for them. */
  readonly askers: string[];
  /** Until when they may. */
  readonly until: (number | null)[];
  readonly counters: Counters;
  readonly registry: NodeRegistry;
  readonly messages: NodeMessages;
  readonly sessions: ClusterSessions;
  readonly overview: ClusterOverview;
  /** What it says of its rooms. */
  rooms: Record<string, number>;
  /** What it answers; throws when the test says so. */
  answer: () => readonly string[] | Refusal;
}

function describeAs(node: { rooms: Record<string, number> }): NodeState {
  const report = {
    url: null,
    host: 'here',
    pid: 1,
    profile: 'SSE',
    transports: ['sse'],
    sessions: { websocket: 1, sse: 2 },
    clients: {
      websocket: { sdk: 0, bundle: 0, eventsource: 0, stock: 1 },
      sse: { sdk: 1, bundle: 0, eventsource: 1, stock: 0 },
    },
    uptimeSeconds: 1.5,
    cursor: '0-0',
    log: { state: 'ready', bridge: null },
  };
  return { report, rooms: node.rooms };
}

async function startNode(url: string, keyPrefix: string): Promise<Node> {
  const id = newNodeId();
  const session = newSessionId(id);
  const counters = new Counters();
  const common = { clock: systemClock, logger: silentLogger, counters };
  const publisher = connectRedis(url, 'write', silentLogger);
  const subscriber = connectSubscriber(url, keyPrefix, silentLogger);
  const records = new NodeRecords(publisher, keyPrefix, NODE_TTL_MS);
  const describe = (): NodeState => describeAs(node);
  const registry = new NodeRegistry(id, { ...common, records, describe });
  const messages = new NodeMessages(id, keyPrefix, { ...common, directory: registry, publisher, subscriber });
  const local: LocalSessions = {
    session: (asked) =>
      asked === session ? new Session(session, freeCaller('p'), 'sse', new RecordingOutlet()) : undefined,
    changeRooms: (_session, change, by) => {
      node.changes.push(change);
      node.askers.push(by.id);
      node.until.push(by.expiresAt);
      return node.answer();
    },
  };
  const node: Node = {
    id,
    session,
    changes: [],
    askers: [],
    until: [],
    counters,
    registry,
    messages,
    sessions: new ClusterSessions(id, local, messages),
    overview: new ClusterOverview(id, { registry, records, clock: systemClock, describe }),
    rooms: {},
    answer: () => ['a'],
  };
  opened.add(async () => {
    await registry.close();
    messages.close();
    publisher.disconnect();
  });
  await messages.listen();
  void registry.beat();
  await registry.joined;
  return node;
}

interface Pair {
  readonly one: Node;
  readonly two: Node;
  readonly redis: Redis;
  readonly keyPrefix: string;
  channelOf(node: Node): string;
}

/** Two nodes that know of each other. */
async function startPair(url = testRedisUrl()): Promise<Pair> {
  const keyPrefix = `test-${randomUUID()}`;
  const [one, two] = [await startNode(url, keyPrefix), await startNode(url, keyPrefix)];
  await one.registry.beat();
  const channelOf = ({ id }: Node): string => `${keyPrefix}:{nodes}:to:${id}`;
  return { one, two, redis: opened.connect(url), keyPrefix, channelOf };
}

const CHANGE: RoomChange = { join: ['a'], leave: [] };

/** What a node's messages look like, more or less. */
const messageLike = (node: string): fc.Arbitrary<unknown> =>
  fc.record(
    {
      kind: fc.constantFrom('request', 'reply', 'ping', 'other', null),
      id: fc.oneof(fc.string(), fc.uuid(), fc.jsonValue()),
      from: fc.oneof(fc.constant(node), fc.string(), fc.jsonValue()),
      subject: fc.oneof(fc.constant('rooms'), fc.string(), fc.jsonValue()),
      until: fc.oneof(fc.constant(1e15), fc.double(), fc.jsonValue()),
      failed: fc.oneof(fc.boolean(), fc.jsonValue()),
      body: fc.oneof(
        fc.jsonValue(),
        fc.record({ session: fc.jsonValue(), join: fc.jsonValue(), leave: fc.jsonValue() }),
      ),
    },
    { requiredKeys: [] },
  );

describe('ClusterSessions', () => {
  test('tells the other node who asks, and asks for no room that one may not have', async () => {
    const { one, two } = await startPair();
    const asker = keyCaller('key:page', { subscribe: ['a', 'team.*'] }, 5000);
    expect(await one.sessions.changeRooms(two.session, CHANGE, asker)).toEqual(['a']);
    expect(two.askers).toEqual(['key:page']);
    expect(two.until).toEqual([5000]);
    const join = ['team.x', 'other'];
    expect(await one.sessions.changeRooms(two.session, { join, leave: [] }, asker)).toMatchObject({
      code: 'forbidden',
    });
    expect(two.changes).toHaveLength(1);
  });
});

describe('NodeMessages', () => {
  test('whatever comes on a node’s channel breaks nothing, and carries nothing out', async () => {
    const { one, two, redis, channelOf } = await startPair();
    const any = fc.oneof(
      fc.string(),
      fc.json(),
      messageLike(one.id).map((message) => JSON.stringify(message)),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 20 }), async (texts) => {
        for (const text of texts) await redis.publish(channelOf(two), text);
        expect(await one.sessions.changeRooms(two.session, CHANGE, freeCaller())).toEqual(['a']);
        expect(two.changes.splice(0)).toEqual([CHANGE]);
      }),
      { numRuns: 100 },
    );
    expect(two.counters.get('node_messages_ignored', 'malformed')).toBeGreaterThan(0);
  });

  test('whatever a node answers is an answer, or a refusal', async () => {
    const { one, redis, keyPrefix, channelOf } = await startPair();
    // A node that only the test knows.
    const other = newNodeId();
    const id = newSessionId(other);
    await redis.zadd(`${keyPrefix}:{nodes}`, 9e15, other);
    const report = JSON.stringify(describeAs({ rooms: {} }).report);
    await redis.hset(`${keyPrefix}:{nodes}:reports`, other, report);
    const listener = opened.connect();
    await listener.subscribe(`${keyPrefix}:{nodes}:to:${other}`);
    let body: unknown;
    listener.on('message', (_channel, text) => {
      const { id } = JSON.parse(text) as { id: string };
      void redis.publish(channelOf(one), JSON.stringify({ kind: 'reply', id, body }));
    });
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record(
        { rooms: fc.jsonValue(), refusal: fc.jsonValue(), gone: fc.jsonValue() },
        { requiredKeys: [] },
      ),
      fc.record({
        refusal: fc.record({
          code: fc.constantFrom('room_full', 'toString', '__proto__', 7),
          message: fc.oneof(fc.string(), fc.jsonValue()),
          retryAfterMs: fc.oneof(fc.integer(), fc.jsonValue()),
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (said) => {
        body = said;
        const answer = await one.sessions.changeRooms(id, CHANGE, freeCaller());
        if (answer instanceof Refusal) expect(answer.toBody().error.retryable).toBe(true);
        else if (answer === undefined) expect(said).toMatchObject({ gone: true });
        else expect(said).toMatchObject({ rooms: answer });
      }),
      { numRuns: 200 },
    );
  });

  test('a request that comes too late, or from nobody, is not carried out', async () => {
    const { one, two, redis, channelOf } = await startPair();
    const request = { kind: 'request', subject: 'rooms', body: { session: two.session } };
    const send = (until: number, from = one.id) =>
      redis.publish(channelOf(two), JSON.stringify({ ...request, from, id: randomUUID(), until }));
    const [seconds] = await redis.time();
    await send(Number(seconds) * 1000 - 3000);
    await waitUntil(() => two.counters.get('node_messages_ignored', 'late') === 1, 'it to be ignored');
    await send(Number(seconds) * 1000 + 3000, 'nobody');
    await waitUntil(() => two.counters.get('node_messages_ignored', 'malformed') === 1, 'it to be ignored');
    expect(two.changes).toEqual([]);
    await send(Number(seconds) * 1000 + 3000);
    await waitUntil(() => two.changes.length === 1, 'one in time to be carried out');
  });

  test('a request that fails there, for a fault, is a failure here', async () => {
    const { one, two } = await startPair();
    two.answer = () => {
      throw new Error('a bug');
    };
    expect(await one.sessions.changeRooms(two.session, CHANGE, freeCaller())).toMatchObject({
      code: 'internal',
    });
    two.answer = () => new Refusal('room_full', 'full', 5000);
    expect(await one.sessions.changeRooms(two.session, CHANGE, freeCaller())).toEqual(
      new Refusal('room_full', 'full', 5000),
    );
  });

  test('requests in flight are bounded, in number and size; beyond it they are refused, and counted', async () => {
    const { one, two } = await startPair();
    const ask = (count: number, change = CHANGE) =>
      Promise.all(
        Array.from({ length: count }, () => one.sessions.changeRooms(two.session, change, freeCaller())),
      );
    const many = await ask(1200);
    const full = many.filter((answer) => answer instanceof Refusal && answer.code === 'queue_full');
    expect([full.length, two.changes.length]).toEqual([200, 1000]);
    expect(one.counters.get('node_requests_refused', 'in_flight')).toBe(200);
    // A MiB each, so that four are one too many.
    const large = Array.from({ length: 8192 }, (_, n) => `${String(n)}-`.padEnd(125, 'x'));
    const four = await ask(4, { join: large, leave: [] });
    expect(four.filter((answer) => answer instanceof Refusal)).toHaveLength(1);
    const huge = Array.from({ length: 40_000 }, (_, n) => `${String(n)}-`.padEnd(125, 'x'));
    expect(await ask(1, { join: huge, leave: [] })).toMatchObject([{ code: 'payload_too_large' }]);
    expect(await ask(1)).toEqual([['a']]);
  });

  test('a subscription that breaks is there again', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const { one, two, redis } = await startPair(server.url);
    const list = String(await redis.client('LIST'));
    const ids = [...list.matchAll(/^id=(\d+) .*name=flipgate-wait /gm)].map(([, id]) => String(id));
    expect(ids).toHaveLength(2);
    for (const id of ids) await redis.client('KILL', 'ID', id).catch(() => undefined);
    await waitUntil(
      async () => !((await one.sessions.changeRooms(two.session, CHANGE, freeCaller())) instanceof Refusal),
      'the nodes to hear each other',
    );
  });
});

describe('NodeRegistry', () => {
  test('knows who is there, who was never, and who left', async () => {
    const { one, two } = await startPair();
    expect(await one.registry.knows(two.id)).toBe(true);
    expect(await one.registry.knows(newNodeId())).toBe(false);
    await two.registry.close();
    await one.registry.beat();
    expect(await one.registry.knows(two.id)).toBe(false);
  });

  test('many that ask for nodes nobody knows make few requests', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const { one, redis } = await startPair(server.url);
    const calls = async (): Promise<number> =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    const before = await calls();
    const asked: Promise<unknown>[] = [];
    for (let n = 0; n < 300; n += 1) {
      asked.push(one.sessions.changeRooms(newSessionId(newNodeId()), CHANGE, freeCaller()));
      await redis.ping();
    }
    expect(new Set(await Promise.all(asked))).toEqual(new Set([undefined]));
    // Ten a second at most, and the beats of both.
    expect((await calls()) - before).toBeLessThan(30);
  });

  test('when Redis has lost what it knew, a node that is not back yet is not taken for gone', async () => {
    const { one, two, redis, keyPrefix } = await startPair();
    await redis.del(...['', ':reports', ':rooms'].map((end) => `${keyPrefix}:{nodes}${end}`));
    await one.registry.beat();
    const unknown = await one.registry.knows(newNodeId());
    expect(unknown).toMatchObject({ code: 'node_unavailable' });
    await two.registry.beat();
    expect(await one.registry.knows(two.id)).toBe(true);
  });

  test('whatever stands in Redis as a node’s report breaks nothing', async () => {
    const { one, two, redis, keyPrefix } = await startPair();
    const key = `${keyPrefix}:{nodes}`;
    const ids = fc.oneof(fc.string(), fc.constant('0'.repeat(12)));
    await fc.assert(
      fc.asyncProperty(
        ids,
        fc.oneof(fc.string(), fc.json()),
        fc.oneof(fc.string(), fc.json()),
        async (id, report, rooms) => {
          await redis.multi().zadd(key, 9e15, id).hset(`${key}:reports`, id, report).exec();
          await redis.hset(`${key}:rooms`, two.id, rooms);
          await one.registry.beat();
          const status = await one.overview.status();
          expect(status.nodes.map((node) => node.id).sort()).toEqual([one.id, two.id].sort());
          for (const [, size] of Object.entries(status.rooms)) expect(size).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 20 },
    );
    expect(one.counters.get('node_reports_refused')).toBeGreaterThan(0);
  });

  test('what nodes have is added up: the largest rooms, at most 1000', async () => {
    const { one, two } = await startPair();
    one.rooms = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`r${String(n)}`, 2]));
    two.rooms = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`r${String(n + 999)}`, 1]));
    await two.registry.beat();
    await one.registry.beat();
    const status = await one.overview.status();
    expect(status.sessions).toEqual({ websocket: 2, sse: 4 });
    expect(Object.keys(status.rooms)).toHaveLength(1000);
    expect([status.rooms['r999'], status.rooms['r0'], status.rooms['r1500']]).toEqual([3, 2, undefined]);
    expect(status.nodes).toMatchObject([
      { id: one.id, thisNode: true, ageMs: 0 },
      { id: two.id, thisNode: false },
    ]);
  });
});
