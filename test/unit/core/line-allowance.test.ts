import { beforeEach, expect, test } from '@jest/globals';
import { LineAllowance } from '../../../src/core/line-allowance.js';
import { TurnedClock } from '../../support/turned-clock.js';

let clock: TurnedClock;
let told: number[];
let allowance: LineAllowance;

beforeEach(() => {
  clock = new TurnedClock();
  told = [];
  allowance = new LineAllowance(clock, 3, (count) => told.push(count));
});

const take = (count: number): number =>
  Array.from({ length: count }, () => allowance.take()).filter(Boolean).length;

test('lets so many lines a second through, and tells of the others when it is over', () => {
  expect(take(10)).toBe(3);
  expect(told).toEqual([]);
  clock.advance(999);
  expect(take(1)).toBe(0);
  clock.advance(1);
  expect(told).toEqual([8]);
  expect(take(2)).toBe(2);
  clock.advance(5000);
  expect(told).toEqual([8]);
  expect(take(4)).toBe(3);
});

test('sets no timer where nothing is left out', () => {
  expect(take(3)).toBe(3);
  expect(clock.timers).toBe(0);
  clock.advance(1000);
  expect(take(3)).toBe(3);
  expect([clock.timers, told]).toEqual([0, []]);
});

test('however long it goes on, it is never more', () => {
  let through = 0;
  for (let step = 0; step < 100; step += 1) {
    through += take(50);
    clock.advance(100);
  }
  clock.advance(1000);
  expect(through).toBe(30);
  expect(through + told.reduce((sum, count) => sum + count, 0)).toBe(5000);
});
