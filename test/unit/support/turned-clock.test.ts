import { describe, expect, test } from '@jest/globals';
import { TurnedClock } from '../../support/turned-clock.js';

describe('TurnedClock', () => {
  test('runs timers in order of due time, ties in order of setting, each at its own time', () => {
    const clock = new TurnedClock(0);
    const log: string[] = [];
    const note = (name: string) => () => log.push(`${name}@${String(clock.now())}`);
    clock.after(20, note('b'));
    clock.after(10, note('a'));
    clock.after(20, note('c'));
    const end = clock.every(15, note('e'));
    clock.after(31, note('never'))();
    clock.advance(31);
    end();
    clock.advance(100);
    expect(log).toEqual(['a@10', 'e@15', 'b@20', 'c@20', 'e@30']);
    expect([clock.now(), clock.timers]).toEqual([131, 0]);
  });

  test('a timer set by a timer runs in the same turn when it falls due', () => {
    const clock = new TurnedClock(0);
    const log: number[] = [];
    clock.after(10, () => clock.after(5, () => log.push(clock.now())));
    clock.advance(14);
    expect(log).toEqual([]);
    expect(clock.nextInMs).toBe(1);
    clock.advance(1);
    expect(log).toEqual([15]);
  });

  test('flushSoon runs one round; advance runs them all', () => {
    const clock = new TurnedClock();
    const log: string[] = [];
    clock.soon(() => {
      log.push('first');
      clock.soon(() => log.push('second'));
    });
    expect(clock.flushSoon()).toBe(1);
    expect(log).toEqual(['first']);
    clock.advance(0);
    expect(log).toEqual(['first', 'second']);
    expect(clock.soons).toBe(0);
  });

  test('turn lets promises go on between timers', async () => {
    const clock = new TurnedClock(0);
    const times: number[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
    const walk = async (): Promise<void> => {
      for (let step = 0; step < 3; step += 1) {
        await sleep(10);
        times.push(clock.now());
      }
    };
    void walk();
    await clock.turn(100);
    expect(times).toEqual([10, 20, 30]);
  });

  test('jumpWall moves the wall clock alone', () => {
    const clock = new TurnedClock(1000);
    const before = clock.elapsed();
    let ran = false;
    clock.after(10, () => (ran = true));
    clock.jumpWall(-500);
    expect([clock.now(), clock.elapsed(), ran]).toEqual([500, before, false]);
  });
});
