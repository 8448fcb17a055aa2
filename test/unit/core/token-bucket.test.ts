import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { TokenBucket } from '../../../src/core/token-bucket.js';

describe('TokenBucket', () => {
  test('lets work begin while there is a token, and makes the next wait for what it took too much', () => {
    const bucket = new TokenBucket(10, 20);
    expect(bucket.waitMs(0)).toBe(0);
    bucket.take(50, 0);
    expect(bucket.waitMs(0)).toBe(3100);
    expect(bucket.waitMs(3099)).toBe(1);
    expect(bucket.waitMs(3100)).toBe(0);
  });

  test('holds no more than its capacity', () => {
    const bucket = new TokenBucket(10, 20);
    expect(bucket.waitMs(1_000_000)).toBe(0);
    bucket.take(20, 1_000_000);
    expect(bucket.waitMs(1_000_000)).toBe(100);
  });

  test('in any span, the work begun is within the rate, the capacity and the last piece', () => {
    const step = fc.record({ afterMs: fc.nat(500), tokens: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(
        fc.array(step),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(50),
        (steps, perSecond, capacity) => {
          const bucket = new TokenBucket(perSecond, capacity + 1);
          let [now, taken, last] = [0, 0, 0];
          for (const { afterMs, tokens } of steps) {
            now += afterMs;
            const waitMs = bucket.waitMs(now);
            if (waitMs === 0) {
              bucket.take(tokens, now);
              [taken, last] = [taken + tokens, tokens];
            }
            expect(taken - last).toBeLessThanOrEqual(capacity + 1 + (now * perSecond) / 1000 + 1e-6);
          }
        },
      ),
    );
  });
});
