import { afterEach, expect, test } from '@jest/globals';
import { compareLogIds } from '../../src/core/log/log-id.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { numbers } from '../support/numbered-load.js';
import { publish } from '../support/publish.js';
import { RAW_WIRES, RawClient, type RawEvent } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const POSTS = 50;
const EVENTS_EACH = 1000;
/** In each publication so many of the events are values of keys. */
const KEYS = 10;
/** The longest that an answer may take meanwhile, ms: a deployment's health check must not give up. */
const PATIENCE_MS = 5000;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

function publication(post: number): object[] {
  return numbers(0, EVENTS_EACH).map((index) =>
    index < KEYS
      ? { type: 'kb_update', room: 'burst', key: `key-${String(index)}`, data: { key: index, post } }
      : { type: 'fact_added', room: 'burst', data: post * EVENTS_EACH + index },
  );
}

/** Asks for what must stay quick until told to stop; resolves with what was answered and how long the longest took. */
async function keepAsking(
  url: string,
  isOver: () => boolean,
): Promise<{ statuses: number[]; maxMs: number }> {
  const statuses: number[] = [];
  let maxMs = 0;
  while (!isOver()) {
    for (const ask of [
      () => requestJson('GET', `${url}/healthz`),
      () =>
        requestJson('POST', `${url}/api/control`, { action: 'host-monitor.interval', data: { ms: 60_000 } }),
    ]) {
      const askedAt = performance.now();
      statuses.push((await ask()).status);
      maxMs = Math.max(maxMs, performance.now() - askedAt);
    }
  }
  return { statuses, maxMs };
}

test('50,000 events published at once reach every reader, once and in order, while others are answered', async () => {
  const { url, port } = await launchGateway({
    APP_PROFILE: 'HYBRID',
    DEFAULT_ROOMS: 'burst',
    CONTROL_RATE_PER_SECOND: '10000',
  });
  const clients = await Promise.all(
    [...RAW_WIRES, ...RAW_WIRES].map((wire) => RawClient.open(port, wire, { rooms: ['burst'] })),
  );
  let over = false;
  const asking = keepAsking(url, () => over);
  const answers = await Promise.all(numbers(0, POSTS).map((post) => publish(url, publication(post))));
  const bundled = clients.filter(({ wire }) => wire !== 'legacy');
  const last = answers.flat().sort(compareLogIds).at(-1);
  await waitUntil(
    () => bundled.every(({ events }) => events.findLast(isAppended)?.id === last),
    'the last event',
    25_000,
  );
  const values = (
    (await requestJson('GET', `${url}/api/rooms/burst/state`)).json as { events: { data: unknown }[] }
  ).events.map(({ data }) => JSON.stringify(data));
  const legacy = clients.filter(({ wire }) => wire === 'legacy');
  await waitUntil(
    () => legacy.every(({ events }) => values.every((value) => newestValues(events).has(value))),
    'the legacy clients to have the final values',
  );
  over = true;
  const { statuses, maxMs } = await asking;

  expect(values).toHaveLength(KEYS);
  const appended = answers.flatMap((ids) => ids.slice(KEYS)).sort(compareLogIds);
  for (const { wire, events, gaps } of bundled) {
    const got = events.filter(isAppended).map(({ id }) => String(id));
    expect([wire, gaps, got.length]).toEqual([wire, [], POSTS * (EVENTS_EACH - KEYS)]);
    // Compared as text, since a difference of two long lists takes minutes to draw.
    expect(got.join(' ') === appended.join(' ')).toBe(true);
    expect(newestValues(events)).toEqual(new Set(values));
  }
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(statuses.length).toBeGreaterThan(2);
  expect(maxMs).toBeLessThan(PATIENCE_MS);
});

/** One of the numbered events; the outcomes of commands come between them. */
function isAppended({ type }: RawEvent): boolean {
  return type === 'fact_added';
}

/** The last value of each key, as JSON text. */
function newestValues(events: readonly RawEvent[]): Set<string> {
  const values = events.filter(({ type }) => type === 'kb_update').map(({ data }) => data as { key: number });
  return new Set(new Map(values.map((value) => [value.key, JSON.stringify(value)])).values());
}
