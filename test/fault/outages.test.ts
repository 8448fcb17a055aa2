import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type CutProxy, openCutProxy } from '../support/cut-proxy.js';
import { OutageRig } from '../support/outage-rig.js';
import { killLaunched } from '../support/launched-gateway.js';
import { type SentinelRedis, startSentinelRedis } from '../support/sentinel-redis.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

/** With `everysec` Redis holds writes back for up to two seconds where the disk is slow, and what is killed loses them. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** Whatever befalls Redis: clients stay, publishers are told, and what was acknowledged is delivered once, in order. */
describe('an outage of Redis', () => {
  let rig: OutageRig | undefined;
  let server: RedisServer | undefined;
  let sentinel: SentinelRedis | undefined;
  let proxy: CutProxy | undefined;

  afterEach(async () => {
    await killLaunched();
    await rig?.close();
    proxy?.close();
    await server?.stop();
    await sentinel?.stop();
    rig = undefined;
    server = undefined;
    sentinel = undefined;
    proxy = undefined;
  });

  test('killed and started again with its append-only file', async () => {
    server = await startRedisServer({ args: DURABLE });
    rig = await OutageRig.start({ REDIS_URL: server.url });
    for (let time = 0; time < 2; time += 1) {
      await server.kill();
      await rig.untilReady(false);
      await rig.untilRefused();
      server = await startRedisServer({ port: server.port, folder: server.folder, args: DURABLE });
      await rig.untilReady(true);
      await rig.goesOn();
    }
    expect(await rig.finish(server.url)).toEqual([]);
  }, 60_000);

  test('frozen for ten seconds', async () => {
    server = await startRedisServer();
    rig = await OutageRig.start({ REDIS_URL: server.url });
    const frozenAt = Date.now();
    server.process.kill('SIGSTOP');
    await rig.untilReady(false);
    // What was on its way when it froze waits for its answer; what comes then is refused.
    await rig.untilRefused();
    await waitUntil(() => Date.now() - frozenAt > 10_000, 'ten seconds to pass');
    server.process.kill('SIGCONT');
    await rig.untilReady(true);
    await rig.goesOn();
    expect(await rig.finish(server.url)).toEqual([]);
  }, 60_000);

  test.each(['read', 'write', 'wait'])(
    'connections for %s cut again and again',
    async (use) => {
      server = await startRedisServer();
      rig = await OutageRig.start({ REDIS_URL: server.url });
      const redis = new Redis(server.url);
      for (let time = 0; time < 5; time += 1) {
        for (const line of String(await redis.client('LIST')).split('\n')) {
          const [, id] = new RegExp(`^id=(\\d+) .*name=flipgate-${use} `).exec(line) ?? [];
          if (id !== undefined) await redis.client('KILL', 'ID', id);
        }
        await rig.goesOn();
      }
      await redis.quit();
      await rig.untilReady(true);
      expect(await rig.finish(server.url)).toEqual([]);
    },
    60_000,
  );

  test('all connections lost without a word, while new ones can be made', async () => {
    server = await startRedisServer();
    proxy = await openCutProxy(server.port);
    rig = await OutageRig.start({ REDIS_URL: `redis://127.0.0.1:${String(proxy.port)}` });
    const redis = new Redis(server.url);
    const old = new Set(idsIn(String(await redis.client('LIST'))));
    proxy.freeze();
    await rig.untilReady(false);
    await rig.untilReady(true);
    await rig.goesOn();
    // Subscriptions, too, which nobody asks for an answer; what is idle finds out when it is used.
    await waitUntil(
      async () => {
        const now = idsIn(String(await redis.client('LIST')));
        return now.filter((id) => !old.has(id)).length >= old.size;
      },
      'them to be made anew',
      30_000,
    );
    await redis.quit();
    expect(await rig.finish(server.url)).toEqual([]);
  }, 90_000);

  test('its master killed, and a replica made master by Sentinel', async () => {
    sentinel = await startSentinelRedis();
    rig = await OutageRig.start({ REDIS_URL: sentinel.url, REDIS_MIN_REPLICAS: '1' });
    await sentinel.failOver();
    await rig.untilReady(true);
    await rig.goesOn();
    expect(await rig.finish(await sentinel.masterUrl())).toEqual([]);
  }, 90_000);
});

/** The ids of the connections for reading and for subscriptions in a `CLIENT LIST`. */
function idsIn(list: string): string[] {
  return [...list.matchAll(/^id=(\d+) .*name=flipgate-(?:wait|read) /gm)].map(([, id]) => String(id));
}
