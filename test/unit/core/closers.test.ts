import { describe, expect, test } from '@jest/globals';
import { Closers } from '../../../src/core/closers.js';
import { TurnedClock } from '../../support/turned-clock.js';

function setUp() {
  const clock = new TurnedClock();
  const logged: unknown[] = [];
  const note = (message: string, fields?: object) => logged.push([message, fields]);
  const closers = new Closers(clock, { error: note, warn: note, info: note, debug: note }, 1000);
  return { clock, logged, closers };
}

describe('Closers', () => {
  test('closes in reverse order, one at a time', async () => {
    const { clock, logged, closers } = setUp();
    const done: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      closers.add(name, async () => {
        done.push(`${name} begins`);
        await Promise.resolve();
        done.push(`${name} ends`);
      });
    }
    await closers.closeAll();
    await clock.turn(0);
    expect(done).toEqual(['third', 'second', 'first'].flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect([logged, clock.timers]).toEqual([[], 0]);
  });

  test('what throws, rejects or hangs keeps nothing else from closing, and is logged', async () => {
    const { clock, logged, closers } = setUp();
    const done: string[] = [];
    closers.add('last', () => done.push('last'));
    closers.add('hangs', () => new Promise(() => undefined));
    closers.add('rejects', () => Promise.reject(new Error('a')));
    closers.add('throws', () => {
      throw new Error('b');
    });
    let closed = false;
    const close = async (): Promise<void> => {
      await closers.closeAll();
      closed = true;
    };
    const closing = close();
    await clock.turn(999);
    expect([closed, done]).toEqual([false, []]);
    await clock.turn(1);
    await closing;
    expect(done).toEqual(['last']);
    expect(logged).toEqual([
      ['closing failed', { name: 'throws', error: new Error('b') }],
      ['closing failed', { name: 'rejects', error: new Error('a') }],
      ['closing took too long', { name: 'hangs' }],
    ]);
    await clock.turn(0);
    expect(clock.timers).toBe(0);
  });

  test('closes each once, however often it is told', async () => {
    const { closers } = setUp();
    let count = 0;
    closers.add('one', () => {
      count += 1;
    });
    await Promise.all([closers.closeAll(), closers.closeAll()]);
    await closers.closeAll();
    expect(count).toBe(1);
  });
});
