import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { CommandNode } from '../support/command-node.js';
import { RedisRateLimit } from '../../src/core/control/redis/redis-rate-limit.js';
import { startRedisServer } from '../support/redis-server.js';
import { askedFor, ended } from '../contract/command-store.js';
import { waitUntil } from '../support/wait-until.js';

/** Two masters, each with half of the slots. */
async function startCluster(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const args = ['--cluster-enabled', 'yes'];
  const servers = await Promise.all([startRedisServer({ args }), startRedisServer({ args })]);
  const masters = servers.map(({ url }) => new Redis(url));
  const [first, second] = masters as [Redis, Redis];
  await first.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
  await second.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
  await first.call('CLUSTER', 'MEET', '127.0.0.1', String(servers[1].port));
  for (const master of masters) {
    const isWhole = async (): Promise<boolean> =>
      String(await master.call('CLUSTER', 'INFO')).includes('cluster_state:ok');
    await waitUntil(isWhole, 'the cluster to be whole', 30_000);
    master.disconnect();
  }
  return {
    url: `redis+cluster://127.0.0.1:${String(servers[0].port)}`,
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

test('commands, their keys, outcomes and limits work on a Redis Cluster', async () => {
  const cluster = await startCluster();
  // Prefixes whose queue and whose log are at different masters, and at the same one.
  for (const keyPrefix of ['a', 'b', 'c', 'd']) {
    const node = new CommandNode({ url: cluster.url, keyPrefix, queues: ['commands', 'governor'] });
    const worker = node.work();
    await waitUntil(() => node.redis.status === 'ready', 'the connection', 30_000);
    await node.follower.begun;
    const states = await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        ended(await node.store.take(askedFor('test.echo', index, `k${String(index)}`))),
      ),
    );
    expect(states.map((state) => state.status === 'succeeded' && state.result)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(await ended(await node.store.recall(askedFor('test.echo', 3, 'k3')))).toEqual(states[3]);
    await waitUntil(async () => (await node.published()).length >= 10, 'the outcomes');
    const limit = new RedisRateLimit(node.redis, node.keyPrefix, 1);
    const uses = await Promise.all([1, 2].map(() => limit.take('x')));
    expect(uses).toEqual([true, expect.objectContaining({ code: 'rate_limited' })]);
    await worker.close();
    await node.close();
  }
  await cluster.stop();
}, 60_000);
