import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type ClusterRedis, startClusterRedis } from '../support/cluster-redis.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { OutageRig } from '../support/outage-rig.js';
import { PublishedNumbers } from '../support/published-numbers.js';
import { waitUntil } from '../support/wait-until.js';

describe('gateways on a Redis Cluster of three masters', () => {
  let cluster: ClusterRedis;
  let rig: OutageRig | undefined;
  let publishers: readonly PublishedNumbers[] = [];

  beforeAll(async () => {
    cluster = await startClusterRedis();
  }, 60_000);

  afterEach(async () => {
    await Promise.all(publishers.map((publisher) => publisher.stop()));
    await killLaunched();
    await rig?.close();
  });

  afterAll(async () => {
    await cluster.stop();
  });

  test('what is published at any of its nodes is copied once, also when who copies is killed', async () => {
    const name = `test-${randomUUID()}`;
    const variables = {
      APP_PROFILE: 'SSE',
      REDIS_URL: cluster.url,
      REDIS_KEY_PREFIX: name,
      REDIS_CHANNELS: `${name}:*`,
    };
    const nodes = [await launchGateway(variables), await launchGateway(variables)];
    const roles = async (): Promise<string[]> => Promise.all(nodes.map(roleOf));
    await waitUntil(
      async () => (await roles()).toSorted().join() === 'copying,standing by',
      'one node to copy',
    );
    const rooms = ['a', 'b', 'c'];
    const masters = await cluster.masterUrls();
    publishers = rooms.map((room, index) => new PublishedNumbers(String(masters[index]), `${name}:${room}`));
    const published = async (more: number): Promise<void> => {
      const until = publishers.map(({ count }) => count + more);
      await waitUntil(
        () => publishers.every(({ count }, index) => count >= Number(until[index])),
        'more to be published',
      );
    };
    await published(200);
    const copying = (await roles()).indexOf('copying');
    await nodes[copying]?.kill();
    nodes.splice(copying, 1);
    await waitUntil(async () => (await roles()).join() === 'copying', 'the other to take over', 20_000);
    await published(200);
    await Promise.all(publishers.map((publisher) => publisher.stop()));
    const redis = new Redis(await cluster.masterOf(`${name}:{log}`));
    const copied = async (room: string): Promise<number[]> => {
      const entries = await redis.xrange(`${name}:{log}`, '-', '+');
      return entries.flatMap(([, fields]) =>
        valueOf(fields, 'room') === room ? [Number(valueOf(fields, 'data'))] : [],
      );
    };
    for (const [index, room] of rooms.entries()) {
      const { expected } = publishers[index] as PublishedNumbers;
      await waitUntil(async () => (await copied(room)).length >= expected.length, `all of room ${room}`);
      expect(await copied(room)).toEqual(expected);
    }
    await redis.quit();
  }, 60_000);

  test('nothing is lost when the master of the log is killed', async () => {
    rig = await OutageRig.start({ REDIS_URL: cluster.url, REDIS_MIN_REPLICAS: '1' });
    await cluster.failOver(rig.key);
    // The node that has taken over has no replica of its own, so that nothing can be promised until there is one again.
    await rig.untilUnknown();
    await rig.untilReady(false);
    for (const { url } of rig.nodes) {
      const { json } = await requestJson('GET', `${url}/readyz`);
      expect(json).toMatchObject({ reason: expect.stringContaining('REDIS_MIN_REPLICAS') });
    }
    await cluster.restore();
    await rig.untilReady(true);
    await rig.goesOn();
    expect(await rig.finish(await cluster.masterOf(rig.key))).toEqual([]);
  }, 90_000);
});

/** What a node's bridge does. */
async function roleOf({ url }: LaunchedGateway): Promise<string> {
  const { json } = await requestJson('GET', `${url}/api/admin/status`);
  return (json as { log: { bridge: string } }).log.bridge;
}

function valueOf(fields: readonly string[], name: string): string | undefined {
  return fields[fields.indexOf(name) + 1];
}
