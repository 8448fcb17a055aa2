import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../../src/core/errors.js';
import { BridgeQueue, type Published } from '../../../../src/core/log/bridge-queue.js';

const message = (dataJson = '1'): Published => ({
  event: { type: 'x', room: undefined, key: undefined, dataJson, timestamp: 1 },
});

/** The intervals as `mark: numbers of the messages that wait`. */
const shownOf = (queue: BridgeQueue): string[] =>
  queue.intervals.map(({ mark, messages }) => `${mark}: ${messages.map(({ count }) => count).join(' ')}`);

describe('BridgeQueue', () => {
  test('messages are counted from the mark before; those before the first have no place', () => {
    const queue = new BridgeQueue();
    expect(queue.add(message(), 0)).toBe('no place');
    queue.mark(10, 0);
    expect(queue.add(message(), 0)).toBe('added');
    queue.add({ refusal: new Refusal('invalid_json', 'no'), channel: 'c' }, 0);
    queue.mark(20, 0);
    queue.add(message(), 0);
    expect(shownOf(queue)).toEqual(['10: 1 2', '20: 1']);
    expect(queue.intervals.map(({ continues }) => continues)).toEqual([false, true]);
    expect(queue.length).toBe(3);
  });

  test('after a break the next interval does not continue the one before', () => {
    const queue = new BridgeQueue();
    queue.mark(10, 0);
    queue.add(message(), 0);
    queue.break();
    expect(queue.add(message(), 0)).toBe('no place');
    queue.mark(20, 0);
    expect(queue.intervals.map(({ continues }) => continues)).toEqual([false, false]);
  });

  test('what is copied is let go of, and an interval with it that has ended', () => {
    const queue = new BridgeQueue();
    queue.mark(10, 0);
    for (let n = 0; n < 3; n += 1) queue.add(message(), 0);
    queue.copied(10, 2);
    expect(shownOf(queue)).toEqual(['10: 3']);
    queue.copied(10, 1);
    expect(shownOf(queue)).toEqual(['10: 3']);
    queue.mark(20, 0);
    queue.copied(10, 3);
    expect(shownOf(queue)).toEqual(['20: ']);
    expect(queue.next?.mark).toBe(20);
    queue.copied(20, 0);
    expect(queue.next).toBeUndefined();
    expect(queue.length).toBe(0);
    queue.add(message(), 0);
    expect(queue.next?.messages).toHaveLength(1);
  });

  test('without room, it takes nothing up to the next mark: an interval has no holes', () => {
    const queue = new BridgeQueue();
    queue.mark(10, 0);
    const big = message('x'.repeat(30 * 1024 * 1024));
    expect(queue.add(big, 0)).toBe('added');
    expect(queue.add(big, 0)).toBe('added');
    expect(queue.add(big, 0)).toBe('dropped');
    expect(queue.add(message(), 0)).toBe('dropped');
    expect(shownOf(queue)).toEqual(['10: 1 2']);
    queue.mark(20, 0);
    expect(queue.add(message(), 0)).toBe('added');
    expect(queue.intervals.map(({ continues }) => continues)).toEqual([false, false]);
    queue.copied(10, 2);
    expect(queue.add(big, 0)).toBe('added');
    expect(shownOf(queue)).toEqual(['20: 1 2']);
  });

  test('what waits is bounded in number, marks included', () => {
    const queue = new BridgeQueue();
    queue.mark(1, 0);
    for (let n = 0; n < 100_000; n += 1) queue.add(message(), 0);
    expect(queue.length).toBe(100_000);
    expect(queue.add(message(), 0)).toBe('dropped');
    queue.mark(2, 0);
    expect(queue.add(message(), 0)).toBe('dropped');
    expect(queue.intervals).toHaveLength(1);
  });

  test('an abandoned interval says how many events it had', () => {
    const queue = new BridgeQueue();
    queue.mark(10, 0);
    queue.add(message(), 0);
    queue.add({ refusal: new Refusal('invalid_json', 'no'), channel: 'c' }, 0);
    expect(queue.abandon(10)).toBe(1);
    expect(queue.length).toBe(0);
    expect(queue.add(message(), 0)).toBe('no place');
    expect(queue.abandon(10)).toBe(0);
  });
});
