import { afterEach, expect, test } from '@jest/globals';
import { untilSessions } from '../support/gateway-status.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { RawClient, TRANSPORTS } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';
import { waitUntil } from '../support/wait-until.js';

/** Fewer over websockets, which take the test longer to open. */
const CLIENTS = { SSE: 5000, 'Socket.IO': 2000 } as const;
const DRAIN_MS = 2500;
const BUCKET_MS = 100;

const has = (client: RawClient | undefined, data: string): boolean =>
  client?.events.some((event) => event.data === data) === true;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

test.each(TRANSPORTS)(
  'a node that stops sends thousands of clients over $wire to the other one little by little, and nobody misses anything',
  async ({ wire, wires: [kind = 'sse'] }) => {
    const count = wire === 'SSE' ? CLIENTS.SSE : CLIENTS['Socket.IO'];
    const shared = {
      REDIS_URL: process.env['TEST_REDIS_URL'],
      REDIS_KEY_PREFIX: `drain-${String(process.pid)}-${String(Date.now())}`,
      APP_PROFILE: 'HYBRID',
      DEFAULT_ROOMS: 'crowd',
      DRAIN_MS: String(DRAIN_MS),
      PING_INTERVAL: '300',
    };
    const [stopping, other] = await Promise.all([launchGateway(shared), launchGateway(shared)]);
    const crowd = await RawCrowd.open(stopping.port, [kind], count, () => ({ rooms: ['crowd'] }));
    await publish(other.url, { type: 'fact_added', room: 'crowd', data: 'before' });
    await crowd.until((client) => has(client, 'before'), 'to get the first event');

    const startedAt = Date.now();
    const stopped = stopping.stop();
    const arrivals: number[] = [];
    const returned = new Map<RawClient, RawClient>();
    const comeBack = (): void => {
      for (const client of crowd.clients) {
        if (returned.has(client) || client.notices.length === 0) continue;
        client.leave();
        arrivals.push(Date.now() - startedAt);
        returned.set(client, new RawClient(other.port, kind, { rooms: ['crowd'], cursor: client.cursor }));
      }
    };
    await publish(other.url, { type: 'fact_added', room: 'crowd', data: 'meanwhile' });
    await waitUntil(
      () => {
        comeBack();
        return returned.size === count;
      },
      'all clients to be told',
      25_000,
    );
    expect(await stopped).toBe(0);
    await untilSessions(other.url, count, 25_000);
    await publish(other.url, { type: 'fact_added', room: 'crowd', data: 'after' });
    await waitUntil(() => [...returned.values()].every((client) => has(client, 'after')), 'the last event');
    for (const [before, after] of returned) {
      expect([...before.gaps, ...after.gaps]).toEqual([]);
      expect(has(before, 'meanwhile') !== has(after, 'meanwhile')).toBe(true);
    }

    const buckets = Array.from(
      { length: Math.ceil((DRAIN_MS + 1000) / BUCKET_MS) },
      (_, bucket) => arrivals.filter((at) => Math.floor(at / BUCKET_MS) === bucket).length,
    );
    process.stdout.write(`arrivals per ${String(BUCKET_MS)} ms over ${wire}: ${buckets.join(' ')}\n`);
    // Evenly they would be a fifth in half a second; a busy machine may hold some up, but not send all at once.
    for (let from = 0; from < (arrivals.at(-1) ?? 0); from += 100) {
      const within = arrivals.filter((at) => at >= from && at < from + 500).length;
      expect(within).toBeLessThan(count * 0.7);
    }
  },
  60_000,
);
