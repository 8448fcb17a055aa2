import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { MemoryRateLimit } from '../../../../../src/core/control/process/memory-rate-limit.js';
import { Refusal } from '../../../../../src/core/errors.js';

describe('MemoryRateLimit', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('allows the rate per key, then refuses with the time to wait, then allows again', async () => {
    const limit = new MemoryRateLimit(5);
    for (let use = 0; use < 5; use += 1) expect(await limit.take('a')).toBe(true);
    jest.advanceTimersByTime(400);
    expect(await limit.take('a')).toMatchObject({ code: 'rate_limited', retryAfterMs: 600 });
    expect(await limit.take('b')).toBe(true);
    jest.advanceTimersByTime(600);
    expect(await limit.take('a')).toBe(true);
  });

  test('0 is no limit', async () => {
    const limit = new MemoryRateLimit(0);
    for (let use = 0; use < 1000; use += 1) expect(await limit.take('a')).toBe(true);
  });

  test('half a use a second is one every two seconds', async () => {
    const limit = new MemoryRateLimit(0.5);
    expect(await limit.take('a')).toBe(true);
    expect(await limit.take('a')).toMatchObject({ retryAfterMs: 2000 });
    jest.advanceTimersByTime(2000);
    expect(await limit.take('a')).toBe(true);
  });

  test('whoever waits as told is allowed; never more than twice the rate within a second', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.nat(700), { minLength: 1, maxLength: 60 }),
        async (rate, pauses) => {
          const limit = new MemoryRateLimit(rate);
          const allowedAt: number[] = [];
          for (const pauseMs of pauses) {
            jest.advanceTimersByTime(pauseMs);
            const answer = await limit.take('a');
            if (answer instanceof Refusal) {
              jest.advanceTimersByTime(answer.retryAfterMs ?? Number.NaN);
              expect(await limit.take('a')).toBe(true);
            }
            allowedAt.push(Date.now());
          }
          for (const at of allowedAt) {
            const within = allowedAt.filter((other) => other >= at && other < at + 1000);
            expect(within.length).toBeLessThanOrEqual(2 * rate);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
