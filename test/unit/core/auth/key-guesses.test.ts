import { beforeEach, describe, expect, test } from '@jest/globals';
import { KeyGuesses } from '../../../../src/core/auth/key-guesses.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const HERE = '192.0.2.7';
const MINUTE = 60_000;

let clock: TurnedClock;
let guesses: KeyGuesses;
let made = 0;

beforeEach(() => {
  clock = new TurnedClock(0);
  guesses = new KeyGuesses(clock);
});

/** Makes wrong guesses, each a new one, whatever the waits. */
function guess(count: number, address = HERE): void {
  for (let n = 0; n < count; n += 1) {
    made += 1;
    guesses.wrong(address, `wrong-${String(made)}`);
  }
}

describe('guesses of keys', () => {
  test('twenty are free, then waits double up to a minute', () => {
    guess(19);
    expect(guesses.waitOf(HERE, 'new')).toBe(0);
    const waits: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      guess(1);
      waits.push(guesses.waitOf(HERE, 'new'));
      clock.advance(waits[n] ?? 0);
      expect(guesses.waitOf(HERE, 'new')).toBe(0);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  test('are forgiven after ten minutes without a new one', () => {
    guess(25);
    clock.advance(10 * MINUTE);
    guess(19);
    expect(guesses.waitOf(HERE, 'new')).toBe(0);
    guess(1);
    expect(guesses.waitOf(HERE, 'new')).toBe(1000);
  });

  test('a good key counts where it was good, for half a day after the last time', () => {
    guesses.good(HERE, 'good');
    guess(40);
    expect(guesses.waitOf(HERE, 'good')).toBe(0);
    expect(guesses.waitOf(HERE, 'other')).toBe(MINUTE);
    guess(40, '192.0.2.8');
    expect(guesses.waitOf('192.0.2.8', 'good')).toBe(MINUTE);
    clock.advance(11 * 60 * MINUTE);
    guesses.good(HERE, 'good');
    clock.advance(11 * 60 * MINUTE);
    guess(40);
    expect(guesses.waitOf(HERE, 'good')).toBe(0);
    clock.advance(12 * 60 * MINUTE + 1);
    guess(40);
    expect(guesses.waitOf(HERE, 'good')).toBe(MINUTE);
  });

  test('any number of addresses are forgotten at a bound, the oldest first', () => {
    guess(30);
    for (let n = 0; n < 5000; n += 1) guess(1, `10.0.${String(n >> 8)}.${String(n & 255)}`);
    expect(guesses.waitOf(HERE, 'new')).toBe(0);
  });
});
