import { beforeEach, describe, expect, test } from '@jest/globals';
import { FlushWindow } from '../../../../src/core/delivery/window.js';
import { TurnedClock } from '../../../support/turned-clock.js';

describe('FlushWindow', () => {
  let clock: TurnedClock;
  let flushes: number[];
  let costMs: number;
  let window: FlushWindow;

  beforeEach(() => {
    clock = new TurnedClock();
    const start = clock.elapsed();
    flushes = [];
    costMs = 0;
    window = new FlushWindow(clock, { minMs: 50, maxMs: 200, maxWaitMs: 250 }, () => {
      flushes.push(clock.elapsed() - start);
      return Promise.resolve(costMs);
    });
  });

  test('nothing requested, nothing flushed', async () => {
    await clock.turn(10_000);
    expect([flushes, clock.timers]).toEqual([[], 0]);
  });

  test('the first request after quiet is served at once, when the turn of the loop ends', async () => {
    window.request();
    expect(flushes).toEqual([]);
    await clock.turn(0);
    expect(flushes).toEqual([0]);
    await clock.turn(10_000);
    window.request();
    await clock.turn(0);
    expect(flushes).toEqual([0, 10_000]);
  });

  test('what is requested together is flushed together', async () => {
    for (let count = 0; count < 10; count += 1) window.request();
    await clock.turn(1000);
    expect(flushes).toEqual([0]);
  });

  test('under flow, one flush a window, and the last request is always served', async () => {
    for (let ms = 0; ms < 230; ms += 10) {
      window.request();
      await clock.turn(10);
    }
    await clock.turn(1000);
    expect(flushes).toEqual([0, 50, 100, 150, 200, 250]);
    expect(clock.timers).toBe(0);
  });

  test('a request right after a flush waits for the window to end', async () => {
    window.request();
    await clock.turn(1);
    window.request();
    await clock.turn(48);
    expect(flushes).toEqual([0]);
    await clock.turn(1);
    expect(flushes).toEqual([0, 50]);
  });

  test('the width follows the cost, within its bounds', async () => {
    expect(window.widthMs).toBe(50);
    const widthAt = async (cost: number): Promise<number> => {
      costMs = cost;
      for (let count = 0; count < 30; count += 1) {
        window.request();
        await clock.turn(1000);
        expect(window.widthMs).toBeGreaterThanOrEqual(50);
        expect(window.widthMs).toBeLessThanOrEqual(200);
      }
      return Math.round(window.widthMs);
    };
    expect(await widthAt(5)).toBe(50);
    // 2.5 times the cost: fan-out may use two fifths of the loop.
    expect(await widthAt(24)).toBe(60);
    expect(await widthAt(60)).toBe(150);
    // With the flush itself, no event may wait longer than 250 ms.
    expect(await widthAt(100)).toBe(150);
    // … unless the narrowest window does not allow it.
    expect(await widthAt(1000)).toBe(50);
    expect(await widthAt(0)).toBe(50);
  });

  test('a wide window spaces flushes by its width', async () => {
    costMs = 200;
    window.request();
    await clock.turn(0);
    expect(Math.round(window.widthMs)).toBe(150);
    window.request();
    await clock.turn(149);
    expect(flushes).toEqual([0]);
    await clock.turn(1);
    expect(flushes).toEqual([0, 150]);
  });

  test('a request during a flush is not lost, and flushes never overlap', async () => {
    const ends: ((costMs: number) => void)[] = [];
    let running = 0;
    const slow = new FlushWindow(clock, { minMs: 50, maxMs: 200, maxWaitMs: 250 }, () => {
      expect((running += 1)).toBe(1);
      flushes.push(running);
      return new Promise((resolve) => {
        ends.push((cost) => {
          running -= 1;
          resolve(cost);
        });
      });
    });
    slow.request();
    await clock.turn(0);
    slow.request();
    slow.request();
    await clock.turn(500);
    expect(flushes).toEqual([1]);
    ends.shift()?.(1);
    await clock.turn(0);
    expect(flushes).toEqual([1, 1]);
    ends.shift()?.(1);
    await clock.turn(1000);
    expect(flushes).toEqual([1, 1]);
  });

  test('without a least width every request is a flush of its own', async () => {
    const eager = new FlushWindow(clock, { minMs: 0, maxMs: 200, maxWaitMs: 250 }, () => {
      flushes.push(0);
      return Promise.resolve(0);
    });
    for (let count = 0; count < 3; count += 1) {
      eager.request();
      await clock.turn(0);
    }
    expect(flushes).toHaveLength(3);
  });
});
