import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { bundleWire } from '../support/bundle-wire.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { isReady, OutageRig } from '../support/outage-rig.js';
import { publish } from '../support/publish.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';
import { Wanderer } from '../support/wanderer.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const ROOMS = ['a', 'b', 'c', 'd', 'e'];

/** Clients in several rooms, which stay, go from node to node and from wire to wire, and change their rooms. */
describe('clients of several nodes', () => {
  let rig: OutageRig | undefined;
  let server: RedisServer | undefined;
  let wanderers: readonly Wanderer[] = [];

  afterEach(async () => {
    await Promise.all(wanderers.map((one) => one.stop()));
    wanderers = [];
    await killLaunched();
    await rig?.close();
    await server?.stop();
    rig = undefined;
    server = undefined;
  });

  /** Two nodes with clients in all rooms, and clients that go from one to the other. */
  async function start(url: string, variables: Record<string, string> = {}): Promise<OutageRig> {
    const started = await OutageRig.start({ REDIS_URL: url, ...variables }, ROOMS);
    const urls = started.nodes.map((node) => node.url);
    wanderers = [['a', 'b', 'd', 'e'], ['c'], ROOMS].map((rooms) => new Wanderer(urls, rooms));
    return started;
  }

  /** Everything that is wrong at the end. */
  async function finish(ended: OutageRig, url: string): Promise<string[]> {
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

  test('every event that is published after the ack of a join arrives, at whichever node', async () => {
    server = await startRedisServer();
    const variables = { APP_PROFILE: 'HYBRID', REDIS_URL: server.url, REDIS_KEY_PREFIX: 'joined' };
    const nodes = [await launchGateway(variables), await launchGateway(variables)];
    for (const node of nodes) await waitUntil(() => isReady(node), 'the node to be ready');
    const clients = await Promise.all(
      nodes.flatMap(({ url }) => [
        eventSourceWire.connect(url, { rooms: ['first'] }),
        bundleWire('websocket').connect(url, { rooms: ['first'] }),
      ]),
    );
    for (let time = 0; time < 40; time += 1) {
      const room = `joined-${String(time)}`;
      await Promise.all(
        clients.map(async (client, nth) => {
          expect(await client.join([`${room}-${String(nth)}`])).toMatchObject({ rooms: expect.anything() });
          const { url } = nodes[(nth + time) % nodes.length] as LaunchedGateway;
          await publish(url, { type: 'fact_added', room: `${room}-${String(nth)}`, data: time });
        }),
      );
    }
    for (const [nth, { got }] of clients.entries()) {
      await waitUntil(() => got.events.length >= 40, 'all that was published');
      const rooms = Array.from({ length: 40 }, (_, time) => `joined-${String(time)}-${String(nth)}`);
      expect([got.events.map((event) => event.room), got.gaps]).toEqual([rooms, []]);
    }
    await Promise.all(clients.map((client) => client.close()));
  }, 60_000);
});
