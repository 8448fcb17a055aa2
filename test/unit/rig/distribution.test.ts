import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { distributionOf } from '../../../src/rig/distribution.js';

describe('a distribution', () => {
  test('of nothing has no figures', () => {
    expect(distributionOf([])).toEqual({ count: 0, p50: null, p95: null, max: null });
  });

  test('has percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(distributionOf(values)).toEqual({ count: 100, p50: 50, p95: 95, max: 100 });
    expect(distributionOf([7])).toEqual({ count: 1, p50: 7, p95: 7, max: 7 });
    expect(distributionOf([9, 1])).toEqual({ count: 2, p50: 1, p95: 9, max: 9 });
  });

  test('has at least 95 of 100 values at or below its p95', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const { p95, max } = distributionOf(values);
        const covered = values.filter((value) => value <= Number(p95)).length;
        expect(covered).toBeGreaterThanOrEqual(0.95 * values.length);
        expect(values).toContain(p95);
        expect(max).toBe(Math.max(...values));
      }),
    );
  });
});
