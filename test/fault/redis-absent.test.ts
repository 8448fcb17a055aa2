import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { bundleWire } from '../support/bundle-wire.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { isReady } from '../support/outage-rig.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { publish } from '../support/publish.js';
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

/** Memory that a gateway may hold beyond what it had, for all that waits for Redis, bytes. */
const MAX_GROWTH = 150 * 1024 * 1024;

describe('a gateway whose Redis is not there', () => {
  let server: RedisServer | undefined;

  afterEach(async () => {
    await killLaunched();
    await server?.stop();
    server = undefined;
  });

  test('starts, says what is wrong, is not ready, and is once Redis comes', async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${String(port)}`;
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', REDIS_URL: url });
    await waitUntil(
      () => gateway.output().includes('redis is unreachable, trying again'),
      'a line about Redis',
    );
    const readiness = await requestJson('GET', `${gateway.url}/readyz`);
    expect(readiness).toMatchObject({ status: 503, json: { ready: false, log: 'starting' } });
    expect(await requestJson('GET', `${gateway.url}/healthz`)).toMatchObject({ status: 200 });
    const refused = await requestJson('POST', `${gateway.url}/api/events`, { type: 'x' });
    expect(refused).toMatchObject({
      status: 503,
      json: { error: { code: 'log_unavailable', retryable: true } },
    });
    expect(refused.text).toContain('nothing was stored');
    // A client that is there already is welcomed when Redis comes.
    const client = eventSourceWire.connect(gateway.url, {});
    server = await startRedisServer({ port });
    await waitUntil(() => isReady(gateway), 'the gateway to be ready');
    const { got, close } = await client;
    const [id] = await publish(gateway.url, { type: 'x', data: 1 });
    await waitUntil(() => got.ids.includes(String(id)), 'the event');
    await close();
  });

  test('a Redis that kept nothing: nobody is told that all is whole', async () => {
    server = await startRedisServer();
    const prefix = `test-${randomUUID()}`;
    const variables = { APP_PROFILE: 'HYBRID', REDIS_URL: server.url, REDIS_KEY_PREFIX: prefix };
    const gateway = await launchGateway(variables);
    const other = await launchGateway(variables);
    const clients = [
      await eventSourceWire.connect(gateway.url, {}),
      await bundleWire('websocket').connect(gateway.url, {}),
    ];
    const away = await eventSourceWire.connect(gateway.url, {});
    const [before] = await publish(gateway.url, { type: 'x', data: 'before' });
    for (const { got } of [...clients, away]) {
      await waitUntil(() => got.ids.includes(String(before)), 'the event before');
    }
    await away.close();
    // Its memory is lost, and somebody appends before any gateway has come back.
    await server.kill();
    await other.kill();
    await waitUntil(async () => !(await isReady(gateway)), 'the gateway to notice');
    gateway.process.kill('SIGSTOP');
    server = await startRedisServer({ port: server.port });
    const redis = new Redis(server.url);
    const first = await redis.xadd(`${prefix}:{log}`, '*', 'type', 'x', 'data', '"first"');
    await redis.quit();
    gateway.process.kill('SIGCONT');
    for (const { got } of clients) {
      await waitUntil(() => got.ids.includes(String(first)) || got.gaps.length > 0, 'the client to be told');
      expect(got.gaps).toHaveLength(1);
    }
    // Nor who comes back to a gateway that never knew the log of before.
    const fresh = await launchGateway(variables);
    await waitUntil(() => isReady(fresh), 'the other gateway to be ready');
    const back = await eventSourceWire.connect(fresh.url, { cursor: String(before) });
    await waitUntil(() => back.got.gaps.length > 0, 'the gap');
    await Promise.all([...clients, back].map((client) => client.close()));
  });

  test('what waits for a frozen Redis is bounded: publishers are refused, and the memory stays', async () => {
    server = await startRedisServer();
    const gateway = await launchProbedGateway({ APP_PROFILE: 'SSE', REDIS_URL: server.url });
    await waitUntil(() => isReady(gateway), 'the gateway to be ready');
    const before = await gateway.heldBytes();
    server.process.kill('SIGSTOP');
    const event = { type: 'x', data: 'x'.repeat(1024 * 1024) };
    let refused = 0;
    // 400 MB in all, of which 64 may wait.
    const answers = Array.from({ length: 400 }, async () => {
      const { status } = await requestJson('POST', `${gateway.url}/api/events`, event);
      if (status === 503) refused += 1;
      return status;
    });
    await waitUntil(() => refused >= 330, 'what can not wait to be refused');
    expect((await gateway.heldBytes()) - before).toBeLessThan(MAX_GROWTH);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([503]));
    server.process.kill('SIGCONT');
    await waitUntil(() => isReady(gateway), 'the gateway to be ready again');
    await publish(gateway.url, { type: 'x' });
  }, 60_000);
});
