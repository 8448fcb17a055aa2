import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { PublishedNumbers } from '../support/published-numbers.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

/** What a node's bridge does. */
const roleOf = async (node: LaunchedGateway): Promise<string> => {
  const { json } = await requestJson('GET', `${node.url}/api/admin/status`);
  return (json as { log: { bridge: string } }).log.bridge;
};

/** How often a node has lost its subscription. */
const lost = async (node: LaunchedGateway): Promise<number> => {
  const { json } = await requestJson('GET', `${node.url}/api/admin/status`);
  const { counters } = json as { counters: { bridge_subscriptions_lost?: { all?: number } } };
  return counters.bridge_subscriptions_lost?.all ?? 0;
};

/** Several nodes, one of which copies published messages into the log: whatever befalls it, each is there once. */
describe('the PUBLISH bridge of several nodes', () => {
  let server: RedisServer;
  let redis: Redis;
  let variables: Record<string, string>;
  let nodes: LaunchedGateway[];
  let publisher: PublishedNumbers;

  beforeAll(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
  });

  afterAll(async () => {
    await redis.quit();
    await server.stop();
  });

  beforeEach(() => {
    const name = `test-${randomUUID()}`;
    variables = { APP_PROFILE: 'SSE', REDIS_URL: server.url, REDIS_KEY_PREFIX: name, REDIS_CHANNELS: name };
    nodes = [];
  });

  afterEach(async () => {
    await publisher.stop();
    await killLaunched();
  });

  /** The node that copies, once there is exactly one, among those given. */
  const copying = async (among = nodes): Promise<LaunchedGateway> => {
    let found: LaunchedGateway[] = [];
    await waitUntil(
      async () => {
        const roles = await Promise.all(among.map(roleOf));
        found = among.filter((_, index) => roles[index] === 'copying');
        return found.length === 1 && roles.every((role) => role === 'copying' || role === 'standing by');
      },
      'one node to copy',
      20_000,
    );
    return found[0] as LaunchedGateway;
  };

  const start = async (count: number): Promise<void> => {
    for (let node = 0; node < count; node += 1) nodes.push(await launchGateway(variables));
    await copying();
    publisher = new PublishedNumbers(server.url, String(variables.REDIS_CHANNELS));
    await published(500);
  };

  const published = async (more: number): Promise<void> => {
    const until = publisher.count + more;
    await waitUntil(() => publisher.count >= until, 'more to be published', 20_000);
  };

  const inLog = async (): Promise<number[]> => {
    const entries = await redis.xrange(`${String(variables.REDIS_KEY_PREFIX)}:{log}`, '-', '+');
    return entries.map(([, fields]) => Number(fields[fields.indexOf('data') + 1]));
  };

  /** Stops publishing, and checks that the log has every message as often as it was published, in order. */
  const expectAllOnce = async (): Promise<void> => {
    await publisher.stop();
    const { expected } = publisher;
    await waitUntil(async () => (await inLog()).length >= expected.length, 'the log to have it all', 20_000);
    expect(await inLog()).toEqual(expected);
  };

  const others = (than: LaunchedGateway): LaunchedGateway[] => nodes.filter((node) => node !== than);

  test('whoever copies is killed: another goes on where it stopped', async () => {
    await start(2);
    const holder = await copying();
    await holder.kill();
    await published(200);
    await copying(others(holder));
    await published(200);
    await expectAllOnce();
  });

  test('whoever copies sleeps, and wakes when another has taken over: it writes nothing more', async () => {
    await start(3);
    const holder = await copying();
    holder.process.kill('SIGSTOP');
    const next = await copying(others(holder));
    await published(200);
    holder.process.kill('SIGCONT');
    expect(await copying()).toBe(next);
    await published(200);
    await expectAllOnce();
  });

  test('whoever copies is stopped: another goes on at once', async () => {
    await start(2);
    const holder = await copying();
    expect(await holder.stop()).toBe(0);
    await copying(others(holder));
    await published(200);
    await expectAllOnce();
  });

  test('subscriptions break, one after the other: nothing is missed', async () => {
    await start(2);
    const list = String(await redis.client('LIST'));
    // Those of the bridge, which listen to two channels each.
    const ids = [...list.matchAll(/^id=(\d+) .*name=flipgate-wait .* sub=2 /gm)].map(([, id]) => String(id));
    expect(ids.length).toBeGreaterThanOrEqual(2);
    for (const id of ids) {
      const before = new Map<LaunchedGateway, number>();
      for (const node of nodes) before.set(node, await lost(node));
      await redis.client('KILL', 'ID', id);
      let victim: LaunchedGateway | undefined;
      await waitUntil(async () => {
        const counts = await Promise.all(nodes.map(lost));
        victim = nodes.find((node, index) => counts[index] !== before.get(node));
        return victim !== undefined;
      }, 'a node to notice');
      // It missed something, so it leaves copying to the other, whether it copied before or not.
      await waitUntil(
        async () => (await roleOf(victim as LaunchedGateway)) === 'standing by',
        'it to stand by',
      );
      await copying();
      await published(100);
    }
    await expectAllOnce();
  });

  test('subscriptions break, each as soon as the other is back: nothing is missed', async () => {
    await start(2);
    for (let turn = 0; turn < 6; turn += 1) {
      const list = String(await redis.client('LIST'));
      const waiting = [...list.matchAll(/^id=(\d+) .*name=flipgate-wait .* sub=2 /gm)];
      const [, id] = waiting[0] ?? [];
      const before = await Promise.all(nodes.map(lost));
      await redis.client('KILL', 'ID', String(id));
      await waitUntil(
        async () => (await Promise.all(nodes.map(lost))).join() !== before.join(),
        'a node to notice',
      );
      await waitUntil(
        async () => !(await Promise.all(nodes.map(roleOf))).includes('not listening'),
        'it to listen again',
      );
    }
    await copying();
    await published(100);
    await expectAllOnce();
  });

  test('the connection on which it is copied breaks again and again: nothing is doubled', async () => {
    await start(2);
    for (let turn = 0; turn < 20; turn += 1) {
      const list = String(await redis.client('LIST'));
      for (const [, id] of list.matchAll(/^id=(\d+) .*name=flipgate-write /gm)) {
        await redis.client('KILL', 'ID', String(id)).catch(() => undefined);
      }
      await published(20);
    }
    await copying();
    await expectAllOnce();
  });
});
