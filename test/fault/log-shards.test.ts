import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Shards } from '../../src/core/log/shards.js';
import { type ClusterRedis, startClusterRedis } from '../support/cluster-redis.js';
import { bundleWire } from '../support/bundle-wire.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { isReady, OutageRig } from '../support/outage-rig.js';
import { publish } from '../support/publish.js';
import { PublishedNumbers } from '../support/published-numbers.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';
import { Wanderer } from '../support/wanderer.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** Rooms in all of four shards; a and c share one. */
const ROOMS = ['a', 'b', 'c', 'd', 'e'];

const value = (room: string, data: number) => ({ type: 'v', room, key: 'k', data });

/** With the log in four streams: clients in rooms of all of them, which stay, wander, and change their rooms. */
describe('a log of four shards', () => {
  let rig: OutageRig | undefined;
  let server: RedisServer | undefined;
  let cluster: ClusterRedis | undefined;
  let wanderers: readonly Wanderer[] = [];

  afterEach(async () => {
    await Promise.all(wanderers.map((one) => one.stop()));
    wanderers = [];
    await killLaunched();
    await rig?.close();
    await server?.stop();
    await cluster?.stop();
    rig = undefined;
    server = undefined;
    cluster = undefined;
  });

  /** Two nodes with clients in all rooms, and clients that go from one to the other. */
  async function start(url: string, variables: Record<string, string> = {}): Promise<OutageRig> {
    const started = await OutageRig.start({ REDIS_URL: url, LOG_SHARDS: '4', ...variables }, ROOMS);
    const urls = started.nodes.map((node) => node.url);
    wanderers = [['a', 'b', 'd', 'e'], ['c'], ROOMS].map((rooms) => new Wanderer(urls, rooms));
    return started;
  }

  /** Everything that is wrong at the end. */
  async function finish(
    ended: OutageRig,
    url: string | ((key: string) => Promise<string>),
  ): Promise<string[]> {
    const faults = await ended.finish(url);
    const logged = await ended.logged(url);
    for (const one of wanderers) {
      const idsOf = (room: string): string[] =>
        logged.filter((event) => event.room === room).map(({ id }) => id);
      await one.settle(one.rooms.map((room) => String(idsOf(room).at(-1))));
      faults.push(...one.faults);
      for (const room of one.rooms) {
        const got = one.events.filter((event) => event.room === room).map(({ id }) => id);
        const ids = idsOf(room);
        // What came before it was first welcomed is not for it.
        const due = ids.slice(ids.indexOf(got[0] as string));
        if (got.join() !== due.join()) {
          faults.push(`a wanderer got ${String(got.length)} of ${String(due.length)} of room ${room}`);
        }
      }
      if (one.resumed < 3) faults.push(`a wanderer came back ${String(one.resumed)} times`);
    }
    return faults;
  }

  test('nothing is lost, doubled or out of order while Redis is killed, and connections are cut', async () => {
    server = await startRedisServer({ args: DURABLE });
    rig = await start(server.url);
    const redis = new Redis(server.url);
    for (let time = 0; time < 4; time += 1) {
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await rig.goesOn();
    }
    redis.disconnect();
    await server.kill();
    await rig.untilReady(false);
    await rig.untilRefused();
    server = await startRedisServer({ port: server.port, folder: server.folder, args: DURABLE });
    await rig.untilReady(true);
    await rig.goesOn();
    expect(await finish(rig, server.url)).toEqual([]);
  }, 90_000);

  test('rooms are left and joined again under way', async () => {
    server = await startRedisServer();
    rig = await start(server.url);
    const [changer] = rig.clients;
    for (let time = 0; time < 5; time += 1) {
      const room = ROOMS[time] as string;
      await changer?.leave([room]);
      await rig.goesOn();
      await changer?.join([room]);
      await rig.goesOn();
    }
    const before = changer?.got.events.length ?? 0;
    await waitUntil(() => (changer?.got.events.length ?? 0) > before + 50);
    await rig.publisher.stop();
    const logged = await rig.logged(server.url);
    const got = changer?.got.events ?? [];
    for (const room of ROOMS) {
      const ids = logged.filter((one) => one.room === room).map(({ id }) => id);
      await waitUntil(() => got.length > 0 && changer?.got.ids.includes(String(ids.at(-1))) === true);
      const gotIds = (changer?.got.events ?? []).filter((one) => one.room === room).map(({ id }) => id);
      const places = gotIds.map((id) => ids.indexOf(id));
      expect(new Set(gotIds).size).toBe(gotIds.length);
      expect(places).toEqual([...places].sort((a, b) => a - b));
      // One stretch is missing: from where it left to where it joined again.
      expect(places.filter((place, nth) => nth > 0 && place !== (places[nth - 1] ?? 0) + 1)).toHaveLength(1);
    }
    expect(changer?.got.gaps).toEqual([]);
  }, 60_000);

  test('a node reads only the shards in which it has a room', async () => {
    server = await startRedisServer();
    const { url } = server;
    const variables = { APP_PROFILE: 'HYBRID', REDIS_URL: url, LOG_SHARDS: '4', REDIS_KEY_PREFIX: 'lazy' };
    const node = await launchGateway(variables);
    const followed = async (): Promise<number[]> => {
      const { json } = await requestJson('GET', `${node.url}/api/admin/status`);
      return (json as { log: { followed: number[] } }).log.followed.toSorted((a, b) => a - b);
    };
    await waitUntil(() => isReady(node), 'the node to be ready');
    // That of the default room, and no other.
    expect(await followed()).toEqual([3]);
    await publish(node.url, [value('a', 1), value('b', 2), value('d', 3), value('e', 4)]);
    expect(await followed()).toEqual([3]);
    const client = await bundleWire('websocket').connect(node.url, { rooms: ['a', 'b'] });
    await waitUntil(() => client.got.events.length >= 2);
    expect(await followed()).toEqual([1, 3]);
    // Joined live, a room of a shard that is not read yet is answered at once, and comes with its newest values.
    expect(await client.join(['d'])).toEqual({ rooms: ['a', 'b', 'd'] });
    await waitUntil(() => client.got.dataOf('d').length >= 1, 'the joined room');
    await publish(node.url, [value('d', 5)]);
    await waitUntil(() => client.got.dataOf('d').length >= 2, 'what comes in it');
    expect(client.got.dataOf('d')).toEqual([3, 5]);
    expect(await followed()).toEqual([0, 1, 3]);
    // So is one that is asked for.
    const { json } = await requestJson('GET', `${node.url}/api/rooms/e/state`);
    expect((json as { events: { data: number }[] }).events.map(({ data }) => data)).toEqual([4]);
    expect(await followed()).toEqual([0, 1, 2, 3]);
    const { cursor } = client.got;
    await client.close();
    // The cursor, which speaks of three shards, is one for another node.
    const other = await launchGateway(variables);
    await publish(node.url, [value('a', 6), value('b', 7), value('d', 8)]);
    const back = await bundleWire('websocket').connect(other.url, {
      rooms: ['a', 'b', 'd'],
      cursor: String(cursor),
    });
    await waitUntil(() => back.got.events.length >= 3);
    expect([back.got.welcomes[0]?.resumed, back.got.gaps]).toEqual([true, []]);
    expect(back.got.events.map(({ data }) => data)).toEqual(expect.arrayContaining([6, 7, 8]));
    await back.close();
  }, 60_000);

  test('what is published is copied once into its shard, also when who copies is killed', async () => {
    server = await startRedisServer();
    const { url } = server;
    const variables = {
      APP_PROFILE: 'SSE',
      REDIS_URL: url,
      LOG_SHARDS: '4',
      REDIS_KEY_PREFIX: 'copied',
      REDIS_CHANNELS: 'copied:*',
    };
    const nodes = [await launchGateway(variables), await launchGateway(variables)];
    const redis = new Redis(url);
    const holders = async (): Promise<number> => (await redis.keys('*:bridge:lease')).length;
    await waitUntil(async () => (await holders()) === 4, 'each shard to be copied');
    const rooms = ['a', 'b', 'd', 'e'];
    const publishers = rooms.map((room) => new PublishedNumbers(url, `copied:${room}`));
    const published = (more: number): Promise<void> => {
      const until = publishers.map(({ count }) => count + more);
      return waitUntil(() => publishers.every(({ count }, n) => count >= Number(until[n])), 'more');
    };
    await published(200);
    await nodes[0]?.kill();
    await published(400);
    await Promise.all(publishers.map((one) => one.stop()));
    for (const [index, room] of rooms.entries()) {
      const { expected } = publishers[index] as PublishedNumbers;
      const key = `copied:{log:${String(new Shards(4).ofRoom(room))}}`;
      const copied = async (): Promise<number[]> => {
        const entries = await redis.xrange(key, '-', '+');
        return entries.flatMap(([, fields]) => {
          const [of, number] = ['room', 'data'].map((name) => fields[fields.indexOf(name) + 1]);
          return of === room ? [Number(number)] : [];
        });
      };
      await waitUntil(async () => (await copied()).length >= expected.length, `room ${room}`, 20_000);
      expect(await copied()).toEqual(expected);
    }
    redis.disconnect();
  }, 60_000);

  test('on a Cluster, the master of one of the shards is killed', async () => {
    cluster = await startClusterRedis();
    const redis = cluster;
    rig = await start(redis.url, { REDIS_MIN_REPLICAS: '1' });
    const keys = [0, 1, 2, 3].map((shard) => rig?.key.replace('{log:0}', `{log:${String(shard)}}`) ?? '');
    const masters = await Promise.all(keys.map((key) => redis.masterOf(key)));
    expect(new Set(masters).size).toBeGreaterThan(1);
    await redis.failOver(rig.key);
    await redis.restore();
    await rig.untilReady(true);
    await rig.goesOn();
    expect(await finish(rig, (key) => redis.masterOf(key))).toEqual([]);
  }, 120_000);
});
