import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventRate } from '../../../src/console/event-rate.js';

describe('EventRate', () => {
  let now: number;
  let rate: EventRate;

  beforeEach(() => {
    now = 5400;
    rate = new EventRate(() => now);
  });

  it('is 0 until a second is full', () => {
    rate.add(7);
    expect(rate.perSecond).toBe(0);
    expect(rate.history).toEqual([]);
  });

  it('is the mean of the last three full seconds', () => {
    for (const count of [100, 3, 6, 9]) {
      rate.add(count);
      now += 1000;
    }
    rate.add(1000);
    expect(rate.history).toEqual([100, 3, 6, 9]);
    expect(rate.perSecond).toBe(6);
  });

  it('counts quiet seconds', () => {
    rate.add(6);
    now += 2500;
    expect(rate.history).toEqual([6, 0]);
    expect(rate.perSecond).toBe(3);
  });

  it('keeps a minute, however long the page slept', () => {
    rate.add(6);
    now += 90 * 86_400_000;
    expect(rate.history).toEqual(Array.from({ length: 60 }, (_, index) => (index === 0 ? 6 : 0)));
    for (let second = 0; second < 100; second += 1) {
      rate.add(second);
      now += 1000;
    }
    expect(rate.history).toHaveLength(60);
    expect(rate.history.at(-1)).toBe(99);
  });
});
