import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../../src/console/backoff.js';

/** The widest waits of eight attempts in a row. */
function widest(backoff: Backoff): number[] {
  return Array.from({ length: 8 }, () => Math.round(backoff.next()));
}

describe('Backoff', () => {
  it('doubles its window from 1 s to 30 s', () => {
    expect(widest(new Backoff(() => 1))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('takes any part of the window', () => {
    const draws = [0, 0.25, 0.5];
    const backoff = new Backoff(() => draws.shift() ?? 0);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([0, 500, 2000]);
  });

  it('starts anew after a success', () => {
    const backoff = new Backoff(() => 1);
    widest(backoff);
    backoff.reset();
    expect(backoff.next()).toBe(1000);
  });

  it('keeps to the bounds it is given, and makes sense of senseless ones', () => {
    const backoff = new Backoff(() => 1);
    backoff.setBounds(200, 500);
    expect(widest(backoff).slice(0, 4)).toEqual([200, 400, 500, 500]);
    backoff.setBounds(-5, -7);
    backoff.reset();
    expect(widest(backoff).slice(0, 3)).toEqual([1, 1, 1]);
  });

  it('stays finite however often it is asked', () => {
    const backoff = new Backoff(() => 1);
    for (let attempt = 0; attempt < 2000; attempt += 1) expect(backoff.next()).toBeLessThanOrEqual(30_000);
  });
});
