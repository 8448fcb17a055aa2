import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../../src/core/clock.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { newDeliveryFigures } from '../../../../src/core/metrics/delivery-figures.js';
import { LoopLag } from '../../../../src/core/metrics/loop-lag.js';
import { RecentFigures } from '../../../../src/core/metrics/recent-figures.js';
import { TurnedClock } from '../../../support/turned-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

let clock: TurnedClock;
let counters: Counters;
let delivery: ReturnType<typeof newDeliveryFigures>;
let figures: RecentFigures;

beforeEach(() => {
  clock = new TurnedClock();
  counters = new Counters();
  delivery = newDeliveryFigures();
  figures = new RecentFigures({ clock, counters, delivery });
});

afterEach(() => {
  figures.close();
  expect(clock.timers).toBe(0);
});

/** Of ten events each was owed to two sessions, which got one write each. */
function deliverTen(latencyMs: number): void {
  counters.add('events_logged', 'all', 10);
  const { sse } = delivery.traffic;
  sse.owed += 20;
  sse.events += 4;
  sse.writes += 2;
  sse.bytes += 400;
  delivery.latencyMs.add(latencyMs, 10);
}

describe('RecentFigures', () => {
  test('say nothing of what never happened', () => {
    const { total, recent } = figures.report();
    expect(total).toMatchObject({ eventsIn: 0, latency: { count: 0, sumMs: 0 } });
    expect(recent).toMatchObject({ seconds: 0, eventsInPerSecond: 0, coalescing: null, latencyMs: null });
  });

  test('have all there was in total, and the last ten seconds as rates', () => {
    for (let second = 0; second < 30; second += 1) {
      deliverTen(second < 15 ? 900 : 20);
      clock.advance(1000);
    }
    const { total, recent, memory } = figures.report();
    expect(total).toMatchObject({
      eventsIn: 300,
      traffic: {
        sse: { owed: 600, events: 120, writes: 60, bytes: 12_000 },
        websocket: { owed: 0, events: 0, writes: 0, bytes: 0 },
      },
      latency: { count: 300, sumMs: 150 * 900 + 150 * 20 },
    });
    expect(recent.seconds).toBeLessThanOrEqual(11);
    expect(recent).toMatchObject({
      eventsInPerSecond: 10,
      traffic: {
        sse: { eventsPerSecond: 4, writesPerSecond: 2, bytesPerSecond: 400 },
        websocket: { eventsPerSecond: 0, writesPerSecond: 0, bytesPerSecond: 0 },
      },
      coalescing: 5,
      latencyMs: { p50: 20, p95: 20, p99: 20 },
    });
    expect(memory.rssBytes).toBeGreaterThan(memory.heapUsedBytes);
  });

  test('a slow second shows in the quantiles it reaches, until it is ten seconds old', () => {
    deliverTen(500);
    clock.advance(1000);
    for (let second = 0; second < 8; second += 1) {
      deliverTen(5);
      clock.advance(1000);
    }
    expect(figures.report().recent.latencyMs).toMatchObject({ p50: 5, p95: 503 });
    clock.advance(5000);
    expect(figures.report().recent.latencyMs).toMatchObject({ p50: 5, p95: 5, p99: 5 });
  });
});

test('the loop’s lag is what it was held for, and is forgotten', async () => {
  const turned = new TurnedClock();
  const lag = new LoopLag(turned);
  await waitUntil(() => lag.figures() !== null, 'a first look');
  const until = systemClock.elapsed() + 300;
  while (systemClock.elapsed() < until);
  await waitUntil(() => (lag.figures()?.max ?? 0) >= 200, 'the lag');
  expect(lag.figures()?.p50).toBeLessThan(200);
  turned.advance(10_000);
  await waitUntil(() => lag.figures() !== null, 'another look');
  expect(lag.figures()?.max).toBeLessThan(200);
  lag.close();
  expect(turned.timers).toBe(0);
});
