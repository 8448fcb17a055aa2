import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BoundedQueue } from '../../../../src/core/log/bounded-queue.js';

type Step =
  | { readonly do: 'push'; readonly size: number; readonly times: number }
  | { readonly do: 'shift'; readonly times: number }
  | { readonly do: 'clear' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      size: fc.nat(40),
      times: fc.integer({ min: 1, max: 400 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('shift' as const), times: fc.integer({ min: 1, max: 700 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);

interface Item {
  readonly value: number;
  readonly size: number;
}

/** What the queue promises, as plainly as it can be said. */
class PlainQueue {
  items: Item[] = [];
  readonly dropped: number[] = [];

  constructor(
    readonly maxItems: number,
    readonly maxBytes: number,
  ) {}

  get bytes(): number {
    return this.items.reduce((sum, { size }) => sum + size, 0);
  }

  push(item: Item): void {
    this.items.push(item);
    while (this.items.length > this.maxItems || (this.bytes > this.maxBytes && this.items.length > 1)) {
      this.dropped.push((this.items.shift() as Item).value);
    }
  }
}

describe('BoundedQueue', () => {
  test('does what a plain array with bounds does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 40_000 }),
        fc.array(step, { maxLength: 25 }),
        (maxItems, maxBytes, steps) => {
          const queue = new BoundedQueue<number>(maxItems, maxBytes);
          const plain = new PlainQueue(maxItems, maxBytes);
          const dropped: number[] = [];
          let values = 0;
          for (const one of steps) {
            if (one.do === 'clear') {
              queue.clear();
              plain.items = [];
            } else {
              for (let time = 0; time < one.times; time += 1) {
                if (one.do === 'shift') {
                  expect(queue.shift()).toBe(plain.items.shift()?.value);
                } else {
                  values += 1;
                  queue.push(values, one.size, (item) => dropped.push(item));
                  plain.push({ value: values, size: one.size });
                }
              }
            }
            const held = plain.items.map(({ value }) => value);
            const middle = held[held.length >> 1] ?? 0;
            expect([queue.length, queue.bytes]).toEqual([held.length, plain.bytes]);
            expect(queue.slice(0, Infinity)).toEqual(held);
            expect(queue.slice(-5, 3)).toEqual(held.slice(0, 3));
            expect([-1, 0, held.length - 1, held.length].map((index) => queue.at(index))).toEqual(
              [-1, 0, held.length - 1, held.length].map((index) => (index < 0 ? undefined : held[index])),
            );
            expect(queue.firstIndexWhere((value) => value >= middle)).toBe(
              held.findIndex((value) => value >= middle) < 0
                ? held.length
                : held.findIndex((value) => value >= middle),
            );
            expect(queue.firstIndexWhere(() => false)).toBe(held.length);
          }
          expect(dropped).toEqual(plain.dropped);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('gives out what it is to remove, and keeps the rest as it was', () => {
    const queue = new BoundedQueue<number>(100, 100);
    for (let size = 1; size <= 10; size += 1) queue.push(size, size, () => undefined);
    queue.shift();
    expect(queue.remove((item) => item % 2 === 1)).toEqual([3, 5, 7, 9]);
    expect([queue.slice(0, 10), queue.bytes, queue.bytesBetween(1, 3)]).toEqual([[2, 4, 6, 8, 10], 30, 10]);
    queue.push(1, 1, () => undefined);
    expect([queue.shift(), queue.length, queue.bytes]).toEqual([2, 5, 29]);
  });

  test('an item bigger than the bound in bytes is kept, alone', () => {
    const queue = new BoundedQueue<string>(10, 100);
    const dropped: string[] = [];
    queue.push('small', 10, (item) => dropped.push(item));
    queue.push('big', 1000, (item) => dropped.push(item));
    expect([queue.slice(0, 10), queue.bytes, dropped]).toEqual([['big'], 1000, ['small']]);
    queue.push('next', 1, (item) => dropped.push(item));
    expect([queue.slice(0, 10), queue.bytes, dropped]).toEqual([['next'], 1, ['small', 'big']]);
  });
});
