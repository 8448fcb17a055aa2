import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { bundleWire } from '../support/bundle-wire.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { isReady } from '../support/outage-rig.js';
import { publish } from '../support/publish.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';
import type { Wire, WireClient } from '../support/wire-client.js';

const WIRES: readonly Wire[] = [eventSourceWire, bundleWire('websocket'), bundleWire('polling')];

/** Two healthy nodes, and a log that is trimmed or replaced behind their backs: what clients lack, they are told of. */
describe('a log that is trimmed or replaced', () => {
  let server: RedisServer | undefined;
  let redis: Redis | undefined;
  let clients: WireClient[] = [];

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
    await killLaunched();
    redis?.disconnect();
    await server?.stop();
  });

  async function start(
    ...variables: readonly Record<string, string>[]
  ): Promise<{ readonly nodes: readonly LaunchedGateway[]; readonly key: string; readonly redis: Redis }> {
    server = await startRedisServer();
    const { url } = server;
    redis = new Redis(url);
    const prefix = `test-${randomUUID()}`;
    const common = { APP_PROFILE: 'HYBRID', REDIS_URL: url, REDIS_KEY_PREFIX: prefix };
    const nodes = await Promise.all(variables.map((own) => launchGateway({ ...common, ...own })));
    for (const node of nodes) await waitUntil(() => isReady(node), 'the node to be ready');
    return { nodes, key: `${prefix}:{log}`, redis };
  }

  async function connect(nodes: readonly LaunchedGateway[], rooms: readonly string[]): Promise<void> {
    clients = await Promise.all(
      nodes.flatMap(({ url }) => WIRES.map((wire) => wire.connect(url, { rooms }))),
    );
  }

  /** Waits until all clients have an event; those that miss any of these numbers before must have been told of a gap. */
  async function expectNoSilentLoss(last: string | undefined, numbers: readonly number[]): Promise<void> {
    for (const { got } of clients) {
      await waitUntil(() => got.ids.includes(String(last)), 'the last event');
      const has = new Set(got.events.map(({ data }) => data));
      const isMissing = numbers.some((number) => !has.has(number));
      expect([isMissing, got.gaps.length > 0]).toEqual([isMissing, isMissing]);
    }
  }

  test('an HTTP batch of 900 while LOG_MAX_EVENTS differs between the nodes: all of it, or a gap', async () => {
    const { nodes } = await start({ LOG_MAX_EVENTS: '100' }, { LOG_MAX_EVENTS: '100000' });
    await connect(nodes, ['r']);
    const numbers = Array.from({ length: 900 }, (_, data) => data);
    await publish(
      nodes[0]?.url ?? '',
      numbers.map((data) => ({ type: 'fact_added', room: 'r', data })),
    );
    // Trimmed past a reader, the rest of the batch is lost to it: the next event shows that it goes on.
    await waitUntil(() => clients.every(({ got }) => got.gaps.length > 0 || got.events.length >= 900));
    const [last] = await publish(nodes[1]?.url ?? '', { type: 'fact_added', room: 'r', data: 'last' });
    await expectNoSilentLoss(last, numbers);
  });

  test('FLUSHALL again and again with publishers under way: all of it, or a gap; acknowledged events come', async () => {
    const { nodes, redis: admin } = await start({}, {});
    await connect(nodes, ['r']);
    const numbers: number[] = [];
    const publishSome = async (): Promise<void> => {
      for (let count = 0; count < 50; count += 1) {
        const { url } = nodes[count % 2] as LaunchedGateway;
        await publish(url, { type: 'fact_added', room: 'r', data: numbers.length });
        numbers.push(numbers.length);
      }
    };
    for (let time = 0; time < 4; time += 1) {
      await publishSome();
      const epochs = clients.map(({ got }) => got.gaps.length);
      await admin.flushall();
      await publishSome();
      await waitUntil(
        () => clients.every(({ got }, nth) => got.gaps.length > (epochs[nth] ?? 0)),
        'the gaps',
      );
    }
    const [last] = await publish(nodes[0]?.url ?? '', { type: 'fact_added', room: 'r', data: 'last' });
    await expectNoSilentLoss(last, numbers);
    for (const { got } of clients)
      expect(new Set(got.gaps.map(({ reason }) => reason))).toEqual(new Set(['unknown_cursor']));
    const [newest] = clients.map(({ got }) => got.gaps.at(-1)?.epoch);
    for (const { url } of nodes) {
      const { json } = await requestJson('GET', `${url}/api/rooms/r/state`);
      expect(json).toMatchObject({ epoch: newest });
    }
  }, 60_000);

  test('who connected to an empty log, and was away while it was lost, is told so on return', async () => {
    const { nodes, redis: admin } = await start({});
    const [{ url } = { url: '' }] = nodes;
    await connect(nodes, ['quiet']);
    await waitUntil(() => clients.every(({ got }) => got.cursor !== null), 'the cursors');
    const cursors = clients.map(({ got }) => String(got.cursor));
    await Promise.all(clients.map((client) => client.close()));
    await publish(
      url,
      [1, 2, 3].map((data) => ({ type: 'fact_added', room: 'quiet', data })),
    );
    await admin.flushall();
    await publish(url, { type: 'fact_added', room: 'quiet', data: 4 });
    clients = await Promise.all(
      WIRES.map((wire, nth) => wire.connect(url, { rooms: ['quiet'], cursor: String(cursors[nth]) })),
    );
    for (const { got } of clients) {
      await waitUntil(() => got.gaps.length > 0, 'the gap');
      expect([got.welcomes[0]?.resumed, got.gaps[0]?.reason]).toEqual([false, 'unknown_cursor']);
    }
  });
});
