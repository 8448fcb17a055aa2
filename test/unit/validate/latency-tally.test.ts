import { describe, expect, test } from '@jest/globals';
import { LatencyTally } from '../../../src/validate/load/latency-tally.js';

describe('a tally of latencies', () => {
  test('has quantiles by nearest rank, whatever the order', () => {
    const tally = new LatencyTally();
    for (let ms = 100; ms >= 1; ms -= 1) tally.add(ms);
    expect([0.5, 0.95, 0.99, 1].map((share) => tally.quantile(share))).toEqual([50, 95, 99, 100]);
    expect(new LatencyTally().quantile(0.5)).toBeNull();
  });

  test('rounds up, and takes nothing for less than 0', () => {
    const tally = new LatencyTally();
    tally.add(3.2);
    tally.add(-5);
    expect(tally.entries()).toEqual([
      [0, 1],
      [4, 1],
    ]);
  });

  test('adds up what several processes counted', () => {
    const tally = new LatencyTally();
    tally.addAll([
      [10, 3],
      [20, 1],
    ]);
    tally.addAll([[10, 5]]);
    expect([tally.count, tally.quantile(0.8), tally.quantile(0.9)]).toEqual([9, 10, 20]);
  });
});
