import { beforeEach, describe, expect, test } from '@jest/globals';
import { SignatureBudget } from '../../../../src/core/auth/signature-budget.js';
import { TurnedClock } from '../../../support/turned-clock.js';

let clock: TurnedClock;
let budget: SignatureBudget;

beforeEach(() => {
  clock = new TurnedClock(0);
  budget = new SignatureBudget(clock);
});

/** Checks wrong tokens for so many seconds, as many as are let through; returns how many. */
function flood(addresses: readonly string[], seconds: number): number {
  let checked = 0;
  for (let ms = 0; ms < seconds * 1000; ms += 10) {
    for (const address of addresses) {
      for (let n = 0; n < 10 && budget.waitOf(address, 'new') === 0; n += 1) {
        budget.wrong(address, 'wrong');
        checked += 1;
      }
    }
    clock.advance(10);
  }
  return checked;
}

describe('the checks that wrong tokens take', () => {
  test('of one address are some hundred at once, then fifty a second', () => {
    expect(flood(['a'], 60)).toBeLessThanOrEqual(200 + 60 * 50);
    expect(budget.waitOf('b', 'new')).toBe(0);
  });

  test('of very many addresses are a thousand at once, then five hundred a second', () => {
    const addresses = Array.from({ length: 1000 }, (_, n) => `a${String(n)}`);
    const checked = flood(addresses, 10);
    expect(checked).toBeLessThanOrEqual(1000 + 10 * 500);
    expect(checked).toBeGreaterThan(4000);
  });

  test('do not keep out whose address has shown no wrong one', () => {
    for (let n = 0; n < 2000; n += 1) budget.wrong(`a${String(n)}`, 'wrong');
    expect(budget.waitOf('a1999', 'new')).toBeGreaterThan(0);
    expect(budget.waitOf('somebody else', 'new')).toBe(0);
  });

  test('does not keep out tokens that were good before, until they are wrong', () => {
    budget.good('good');
    flood(['a'], 1);
    for (let n = 0; n < 300; n += 1) budget.wrong('a', 'wrong');
    expect([budget.waitOf('a', 'good'), budget.waitOf('a', 'new') > 0]).toEqual([0, true]);
    budget.wrong('a', 'good');
    expect(budget.waitOf('a', 'good')).toBeGreaterThan(0);
  });

  test('that were under way are waited for, but not for long', () => {
    for (let n = 0; n < 20_000; n += 1) budget.wrong(`a${String(n)}`, 'wrong');
    expect(budget.waitOf('a19999', 'new')).toBeLessThanOrEqual(10_002);
    expect(budget.waitOf('a19999', 'new')).toBeGreaterThan(9000);
  });
});
