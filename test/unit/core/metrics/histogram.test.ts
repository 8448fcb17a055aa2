import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Histogram, MAX_VALUE } from '../../../../src/core/metrics/histogram.js';

const values = fc.array(
  fc.oneof(fc.nat(100), fc.nat(5000), fc.nat(MAX_VALUE), fc.double({ min: 0, max: 3000, noNaN: true })),
  { minLength: 1, maxLength: 300 },
);

function filled(all: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of all) histogram.add(value);
  return histogram;
}

/** The same by sorting. */
function exact(all: readonly number[], q: number): number {
  const sorted = all.map(Math.floor).sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
}

describe('Histogram', () => {
  test('a quantile is that of the sorted values, rounded up by 1/32 at most', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
        const told = filled(all).quantile(q) ?? Number.NaN;
        const sorted = exact(all, q);
        expect(told).toBeGreaterThanOrEqual(sorted);
        expect(told).toBeLessThanOrEqual(sorted < 64 ? sorted : sorted * (1 + 1 / 32));
      }),
    );
  });

  test('what came since a copy is what was added since', () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const histogram = filled(before);
        const copy = histogram.copy();
        for (const value of after) histogram.add(value);
        const grown = histogram.since(copy);
        const alone = filled(after);
        expect([grown.count, grown.sum]).toEqual([alone.count, alone.sum]);
        for (const q of [0, 0.5, 0.95, 0.99, 1]) expect(grown.quantile(q)).toBe(alone.quantile(q));
        expect(copy.count).toBe(before.length);
      }),
    );
  });

  test('counts up to a bound, and all up to the greatest', () => {
    fc.assert(
      fc.property(values, fc.nat(63), (all, bound) => {
        const histogram = filled(all);
        expect(histogram.countUpTo(bound)).toBe(all.filter((value) => Math.floor(value) <= bound).length);
        expect(histogram.countUpTo(MAX_VALUE)).toBe(all.length);
      }),
    );
  });

  test('what is below 0 is 0, what is too great is the greatest, and nothing has no quantile', () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBeNull();
    histogram.add(-5);
    histogram.add(1e12, 3);
    expect([histogram.quantile(0.25), histogram.quantile(0.26)]).toEqual([0, MAX_VALUE]);
    expect([histogram.count, histogram.sum]).toEqual([4, 3 * MAX_VALUE]);
  });
});
