import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { WriteAllowance } from '../../../../src/core/delivery/write-allowance.js';

describe('WriteAllowance', () => {
  test('starts full, is empty when spent, and refills steadily up to a second’s worth', () => {
    const allowance = new WriteAllowance(20, 1000);
    expect(allowance.available(1000)).toBe(20);
    allowance.spend(20);
    expect([allowance.available(1000), allowance.available(1049), allowance.available(1050)]).toEqual([
      0, 0, 1,
    ]);
    expect(allowance.available(99_000)).toBe(20);
  });

  test('refills all clients at the same instants, whenever each of them came', () => {
    const early = new WriteAllowance(20, 1003);
    const late = new WriteAllowance(20, 1041);
    for (const one of [early, late]) one.spend(20);
    expect([early.available(1049), late.available(1049)]).toEqual([0, 0]);
    expect([early.available(1050), late.available(1050)]).toEqual([1, 1]);
  });

  test('property: never more than the rate allows, over any stretch of time', () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(300), wanted: fc.nat(30) }), { maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), steps, (perSecond, sequence) => {
        const allowance = new WriteAllowance(perSecond, 0);
        const writes: { at: number; count: number }[] = [];
        let now = 0;
        for (const { afterMs, wanted } of sequence) {
          now += afterMs;
          const count = Math.min(wanted, allowance.available(now));
          allowance.spend(count);
          writes.push({ at: now, count });
        }
        for (const [index, first] of writes.entries()) {
          let sum = 0;
          for (const { at, count } of writes.slice(index)) {
            sum += count;
            // One more than the rate says: a refill may fall on either end of the stretch.
            expect(sum).toBeLessThanOrEqual(perSecond + ((at - first.at) * perSecond) / 1000 + 1);
          }
        }
      }),
    );
  });
});
