import { describe, expect, it } from '@jest/globals';
import { HISTORY_SECONDS, SampleHistory } from '../../../src/console/sample-history.js';

describe('SampleHistory', () => {
  it('keeps samples in order, one list for each series, and null for what is not known', () => {
    const history = new SampleHistory(2);
    history.add(100, [1, undefined]);
    history.add(101, [2, 20]);
    expect(history.data).toEqual([
      [100, 101],
      [1, 2],
      [null, 20],
    ]);
  });

  it('breaks its lines where nothing was asked for a while', () => {
    const history = new SampleHistory(1);
    history.add(100, [1]);
    history.add(130, [2]);
    expect(history.data).toEqual([
      [100, 115, 130],
      [1, null, 2],
    ]);
  });

  it('forgets what is older than five minutes, and a sample of the past', () => {
    const history = new SampleHistory(1);
    for (let second = 0; second <= 1000; second += 1) history.add(second, [second]);
    history.add(500, [-1]);
    const [times, values] = history.data;
    expect(times[0]).toBe(1000 - HISTORY_SECONDS);
    expect(times).toHaveLength(HISTORY_SECONDS + 1);
    expect(values).toEqual(times);
  });
});
