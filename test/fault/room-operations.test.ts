import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { bundleWire } from '../support/bundle-wire.js';
import { countOf, statusOf } from '../support/gateway-status.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { publish } from '../support/publish.js';
import { RawClient } from '../support/raw-client.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireClient } from '../support/wire-client.js';

/** A client of either kind: what it got of a room's events, and of what backends emitted to it. */
interface Client {
  /** Data of the events of the type. */
  dataOf(type: string): readonly unknown[];
  close(): Promise<void>;
}

/** Backends that use Socket.IO's own means, the official emitter and the Redis adapter, against two nodes. */
describe('room operations of the whole cluster', () => {
  const prefix = `test-${randomUUID()}`;
  const key = `${prefix}:socket.io`;
  let nodes: LaunchedGateway[];
  let redis: Redis;
  let emitter: Emitter;
  let legacy: StockClient[];
  let bundles: WireClient[];
  let clients: Client[];

  beforeAll(async () => {
    redis = new Redis(testRedisUrl());
    emitter = new Emitter(redis, { key });
    const variables = {
      APP_PROFILE: 'WEBSOCKET',
      REDIS_URL: testRedisUrl(),
      REDIS_KEY_PREFIX: prefix,
      REDIS_CHANNELS: prefix,
      MAX_ROOMS_PER_SESSION: '5',
    };
    nodes = [await launchGateway(variables), await launchGateway(variables)];
  });

  afterAll(async () => {
    await redis.quit();
    await killLaunched();
  });

  afterEach(async () => {
    await Promise.all([...new Set<Client>([...clients, ...legacy])].map((client) => client.close()));
  });

  const first = (): LaunchedGateway => nodes[0] as LaunchedGateway;

  /** Clients of every kind, over both nodes. */
  const connect = async (): Promise<void> => {
    const [one, two] = nodes.map(({ url }) => url) as [string, string];
    legacy = [
      new StockClient(4, one, 'websocket'),
      new StockClient(2, one, 'polling'),
      new StockClient(3, two, 'upgrade'),
      new StockClient(4, two, 'polling'),
    ];
    bundles = [await bundleWire('websocket').connect(one, {}), await bundleWire('polling').connect(two, {})];
    clients = [
      ...legacy,
      ...bundles.map(({ got, close }) => ({
        dataOf: (type: string) => got.events.filter((event) => event.type === type).map(({ data }) => data),
        close,
      })),
    ];
    await waitUntil(() => legacy.every(({ events }) => events.length > 0), 'the clients to be greeted');
    for (const node of nodes) {
      await waitUntil(async () => (await statusOf(node.url)).rooms.default === 3, 'all to be there');
    }
  };

  const inRoom = (room: string, each: number): Promise<void> =>
    waitUntil(
      async () => {
        const sizes = await Promise.all(nodes.map(async ({ url }) => (await statusOf(url)).rooms[room] ?? 0));
        return sizes.every((size) => size === each);
      },
      `each node to have ${String(each)} in ${room}`,
    );

  /** Waits until all that was emitted, and published to `default`, has come. */
  const settle = async (): Promise<void> => {
    const data = randomUUID();
    emitter.emit('mark', data);
    await publish(first().url, { type: 'fact_added', room: 'default', data });
    await waitUntil(() => clients.every((client) => client.dataOf('fact_added').includes(data)), 'the mark');
    await waitUntil(() => legacy.every((client) => client.dataOf('mark').includes(data)), 'the emitted mark');
  };

  test('the official emitter has all clients join: snapshot and events come, once; and leave', async () => {
    await connect();
    await publish(first().url, { type: 'kb_update', room: 'x', key: 'k', data: 'snapshot' });
    emitter.in('default').socketsJoin('x');
    await inRoom('x', 3);
    emitter.in('default').socketsJoin('x');
    await publish(first().url, { type: 'hit', room: 'x', data: 'event' });
    await waitUntil(() => clients.every((client) => client.dataOf('hit').length > 0), 'the event');
    emitter.in('x').socketsLeave('x');
    await inRoom('x', 0);
    await publish(first().url, { type: 'hit', room: 'x', data: 'left' });
    await settle();
    for (const client of clients) {
      expect(client.dataOf('kb_update')).toEqual(['snapshot']);
      expect(client.dataOf('hit')).toEqual(['event']);
    }
  });

  test('what the emitter emits to a room reaches its sockets, of all nodes, once', async () => {
    await connect();
    const bundle = new StockClient(4, first().url, 'websocket', { auth: { bundle: true } });
    legacy.push(bundle);
    await waitUntil(() => bundle.events.length > 0, 'it to be welcomed');
    emitter.in('default').socketsJoin(['x', 'y']);
    await waitUntil(async () => (await statusOf(first().url)).rooms.y === 4, 'all to have joined');
    await waitUntil(async () => (await statusOf(nodes[1]?.url ?? '')).rooms.y === 3, 'all to have joined');
    emitter.to('x').emit('to one', { n: 1 });
    emitter.to('x').to('y').emit('to both', { n: 2 });
    emitter.to('nobody').emit('to nobody', 3);
    emitter.emit('to all', 4);
    emitter.except('x').emit('to others', 5);
    await settle();
    // The one that asked for bundles, too: what is emitted is no event of the log's.
    for (const client of legacy) {
      expect(client.dataOf('to one')).toEqual([{ n: 1 }]);
      expect(client.dataOf('to both')).toEqual([{ n: 2 }]);
      expect(client.dataOf('to all')).toEqual([4]);
      expect([...client.dataOf('to nobody'), ...client.dataOf('to others')]).toEqual([]);
    }
  });

  test('rooms joined by the client, or for it over HTTP, are rooms for the emitter too', async () => {
    await connect();
    const [one, two] = bundles as [WireClient, WireClient];
    await legacy[0]?.ask('join', 'mine');
    await one.join(['mine']);
    const session = String(two.got.welcomes[0]?.sessionId);
    const change = (body: object) =>
      requestJson('POST', `${first().url}/api/sessions/${session}/rooms`, body);
    // It is the other node's.
    expect((await change({ join: ['mine'], leave: ['default'] })).status).toBe(200);
    emitter.in('mine').socketsJoin('theirs');
    await waitUntil(
      async () => (await statusOf(first().url)).rooms.theirs === 2,
      'the first node’s two to have joined',
    );
    expect((await change({})).json.rooms.sort()).toEqual(['mine', 'theirs']);
    emitter.in('default').socketsJoin('not there');
    emitter.in('default').socketsLeave('theirs');
    await waitUntil(async () => (await statusOf(first().url)).rooms.theirs === undefined, 'them to leave');
    // It had left `default`, so that operation was not for it.
    expect((await change({})).json.rooms.sort()).toEqual(['mine', 'theirs']);
  });

  test('rooms that are none of flipgate’s stay Socket.IO’s own; more than a session may have are refused', async () => {
    await connect();
    const before = await countOf(first().url, 'room_changes_refused', 'invalid_room');
    emitter.in('default').socketsJoin('no room of ours');
    emitter.to('no room of ours').emit('own', 1);
    await settle();
    await legacy[0]?.ask('join', 'a');
    emitter.to('no room of ours').emit('own', 2);
    await settle();
    for (const client of legacy) expect(client.dataOf('own')).toEqual([1, 2]);
    expect(await countOf(first().url, 'room_changes_refused', 'invalid_room')).toBe(before);
    emitter.in('default').socketsJoin(['r1', 'r2', 'r3', 'r4']);
    emitter.in('default').socketsJoin('r5');
    emitter.to('r5').emit('refused', 1);
    emitter.to('r4').emit('taken', 1);
    await settle();
    // The first had one more already.
    expect(legacy[0]?.dataOf('taken')).toEqual([]);
    for (const client of legacy.slice(1)) expect(client.dataOf('taken')).toEqual([1]);
    for (const client of legacy) expect(client.dataOf('refused')).toEqual([]);
    expect((await statusOf(first().url)).rooms.r5).toBeUndefined();
    expect(await countOf(first().url, 'room_changes_refused', 'too_many_rooms')).toBeGreaterThan(0);
  });

  test('a stock server on the same channels finds, moves and disconnects clients of all nodes', async () => {
    await connect();
    const subscriber = redis.duplicate();
    const backend = new Server(createServer(), { adapter: createAdapter(redis, subscriber, { key }) });
    try {
      await waitUntil(async () => (await backend.of('/').adapter.serverCount()) === 3, 'it to be known');
      const found = await backend.in('default').fetchSockets();
      expect(found).toHaveLength(6);
      backend.in(found[0]?.id as string).socketsJoin('chosen');
      await waitUntil(async () => (await backend.in('chosen').fetchSockets()).length === 1, 'one to join');
      backend.in('default').except('chosen').socketsJoin('rest');
      await waitUntil(async () => (await backend.in('rest').fetchSockets()).length === 5, 'the rest to join');
      const rest = await Promise.all(nodes.map(async ({ url }) => (await statusOf(url)).rooms.rest ?? 0));
      expect(rest.reduce((sum, one) => sum + one, 0)).toBe(5);
      backend.in('chosen').disconnectSockets(true);
      await waitUntil(async () => (await backend.in('default').fetchSockets()).length === 5, 'it to be gone');
      expect((await statusOf(first().url)).rooms.chosen).toBeUndefined();
      const sessions = await Promise.all(nodes.map(async ({ url }) => (await statusOf(url)).sessions));
      expect(sessions.reduce((sum, { websocket }) => sum + websocket, 0)).toBe(5);
    } finally {
      await backend.close();
      subscriber.disconnect();
    }
  });

  test('who does not take what is emitted is let go before it costs memory; the others get it all', async () => {
    await connect();
    const stalled = await RawClient.open(first().port, 'legacy');
    stalled.stall();
    const padding = 'x'.repeat(65_536);
    const ended = (): Promise<number> => countOf(first().url, 'sessions_ended', 'slow_consumer');
    const before = await ended();
    let sent = 0;
    while ((await ended()) === before && sent < 1000) {
      // Less than may wait for one that polls.
      for (const until = sent + 8; sent < until; sent += 1) {
        emitter.to('default').emit('flood', { n: sent, padding });
      }
      await waitUntil(
        () => legacy.every((client) => client.dataOf('flood').length === sent),
        'the others to have it',
      );
    }
    expect((await ended()) - before).toBe(1);
    expect((await statusOf(first().url)).rooms.default).toBe(3);
    for (const client of legacy) {
      const numbers = client.dataOf('flood').map((data) => (data as { n: number }).n);
      expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n));
    }
    stalled.leave();
  });

  test('what comes on these channels and is no message of Socket.IO’s is ignored, and counted', async () => {
    await connect();
    const channels = [`${key}#/#`, `${key}#/#default#`, `${key}-request#/#`, `${key}-response#/#`];
    const texts = ['', 'garbage', '{', '5', 'null', '[]', '{"type":2,"opts":{"rooms":5},"rooms":["x"]}'];
    const types = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((type) =>
      JSON.stringify({ type, opts: { rooms: 7 } }),
    );
    for (const channel of channels) {
      for (const text of [...texts, ...types]) await redis.publish(channel, text);
      await redis.publish(channel, Buffer.from([0x93, 0xc0, 0xc0, 0xc0]));
    }
    await settle();
    expect(await countOf(first().url, 'node_messages_ignored', 'socket_io')).toBeGreaterThan(0);
    emitter.to('default').emit('after all', 1);
    await settle();
    for (const client of legacy) expect(client.dataOf('after all')).toEqual([1]);
  });
});
