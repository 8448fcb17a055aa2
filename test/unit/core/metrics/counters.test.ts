import { describe, expect, test } from '@jest/globals';
import { Counters } from '../../../../src/core/metrics/counters.js';

describe('Counters', () => {
  test('counts by name and reason', () => {
    const counters = new Counters();
    counters.add('drops', 'full');
    counters.add('drops', 'full', 4);
    counters.add('drops', 'late');
    counters.add('starts');
    expect(counters.get('drops', 'full')).toBe(5);
    expect(counters.get('drops')).toBe(6);
    expect(counters.get('starts')).toBe(1);
    expect(counters.toJSON()).toEqual({ drops: { full: 5, late: 1 }, starts: { all: 1 } });
  });

  test('what never happened is 0', () => {
    const counters = new Counters();
    expect([counters.get('never'), counters.get('never', 'why'), counters.toJSON()]).toEqual([0, 0, {}]);
    counters.add('drops', 'full');
    expect(counters.get('drops', 'why')).toBe(0);
  });
});
