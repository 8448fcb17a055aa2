import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../../src/client/backoff.js';

describe('Backoff', () => {
  it('doubles its windows up to the widest, with full jitter', () => {
    const widest = new Backoff(() => 0.999_999);
    expect(Array.from({ length: 7 }, () => Math.round(widest.next()))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ]);
    const least = new Backoff(() => 0);
    expect([least.next(), least.next()]).toEqual([0, 0]);
  });

  it('begins anew once an attempt has succeeded, within the bounds it was told', () => {
    const backoff = new Backoff(() => 0.5);
    backoff.setBounds(100, 300);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([50, 100, 150]);
    backoff.reset();
    expect(backoff.next()).toBe(50);
  });

  it('stays at the widest however long it lasts', () => {
    const backoff = new Backoff(() => 1);
    for (let n = 0; n < 5000; n += 1) backoff.next();
    expect(backoff.next()).toBe(30_000);
  });

  it('allows three attempts in a row without a wait', () => {
    const backoff = new Backoff(() => 0.5);
    const hurry = (): boolean[] => Array.from({ length: 4 }, () => backoff.mayHurry());
    expect(hurry()).toEqual([true, true, true, false]);
    backoff.next();
    expect(hurry()).toEqual([true, true, true, false]);
    backoff.reset();
    expect(backoff.mayHurry()).toBe(true);
  });
});
