import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { AckedPublisher } from '../support/acked-publisher.js';
import { bundleWire } from '../support/bundle-wire.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import { cursorOf } from '../support/gateway-status.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { publish } from '../support/publish.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireClient } from '../support/wire-client.js';

const WIRES = [eventSourceWire, bundleWire('websocket'), bundleWire('polling')];

/** A node is gone, and its clients go on at another one. */
describe('clients of a node that is killed', () => {
  let publisher: AckedPublisher | undefined;
  let clients: WireClient[] = [];

  afterEach(async () => {
    await killLaunched();
    await publisher?.stop();
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
  });

  test('go on at another node at their last event: none lost, none doubled, none out of order', async () => {
    const [one, other, key] = await start();
    const before = await Promise.all(WIRES.map((wire) => wire.connect(one.url, {})));
    clients = before;
    publisher = new AckedPublisher([one.url, other.url]);
    const stored = publisher.numbers('stored');
    await waitUntil(() => stored.length >= 300, 'events to flow');
    await one.kill();
    await Promise.all(before.map((client) => client.close()));
    await waitUntil(() => stored.length >= 600, 'events to flow on');
    const after = await Promise.all(
      WIRES.map((wire, index) => wire.connect(other.url, { cursor: String(before[index]?.got.cursor) })),
    );
    clients = after;
    await waitUntil(() => stored.length >= 900, 'events to flow on');
    await publisher.stop();
    const redis = new Redis(testRedisUrl());
    const entries = await redis.xrange(key, '-', '+');
    await redis.quit();
    const logged = entries.map(([id]) => id);
    const numbers = entries.map(([, fields]) => Number(fields[fields.indexOf('data') + 1]));
    expect(publisher.faultsOf(numbers)).toEqual([]);
    for (const [index, { got }] of after.entries()) {
      await waitUntil(() => got.ids.at(-1) === logged.at(-1), 'the last event');
      expect(got.gaps).toEqual([]);
      expect(got.welcomes[0]?.resumed).toBe(true);
      // What a flush had carried in part comes again, and is left out by its id, as clients do.
      const all = [...new Set([...(before[index]?.got.ids ?? []), ...got.ids])];
      expect(all).toEqual(logged);
    }
  }, 60_000);

  test('are given the same at another node as at their own', async () => {
    const [one, other] = await start();
    const [first] = await publish(one.url, { type: 'x', data: 'first' });
    for (let index = 0; index < 50; index += 1) {
      const key = `k${String(index % 5)}`;
      await publish(index % 2 === 0 ? one.url : other.url, [
        { type: 'appended', data: index },
        { type: 'kept', key, data: index },
      ]);
    }
    const [last] = await publish(one.url, { type: 'x', data: 'last' });
    const cursor = await cursorOf(one.url, first);
    for (const wire of WIRES) {
      const both = await Promise.all([one, other].map(({ url }) => wire.connect(url, { cursor })));
      clients.push(...both);
      const [at, elsewhere] = await Promise.all(
        both.map(async ({ got }) => {
          await waitUntil(() => got.ids.includes(String(last)), 'the last event');
          const welcomes = got.welcomes.map((welcome) => ({ ...welcome, sessionId: '' }));
          const appended = got.events.filter(({ key }) => key === undefined);
          // How many values are superseded depends on where a flush happened to end.
          const values = new Map(got.events.map(({ key, data }) => [key, data]));
          return { welcomes, gaps: got.gaps, appended, values, cursor: got.cursor };
        }),
      );
      expect(elsewhere).toEqual(at);
    }
  }, 60_000);
});

/** Two nodes on one log, and the log's stream. */
async function start(): Promise<[LaunchedGateway, LaunchedGateway, string]> {
  const prefix = `test-${randomUUID()}`;
  const variables = {
    APP_PROFILE: 'HYBRID',
    REDIS_URL: testRedisUrl(),
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: prefix,
  };
  return [await launchGateway(variables), await launchGateway(variables), `${prefix}:{log}`];
}
