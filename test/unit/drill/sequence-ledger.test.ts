import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { SequenceLedger } from '../../../src/drill/ledger/sequence-ledger.js';

/** What a ledger should say, from the whole sequence at once. */
function truth(
  published: number,
  arrivals: readonly number[],
  from: number,
  to: number,
  unknown: Set<number>,
) {
  const within = (number: number): boolean => from <= number && number < to;
  const firsts = arrivals.filter((number, index) => arrivals.indexOf(number) === index);
  const all = Array.from({ length: published }, (_, number) => number);
  return {
    lost: all.filter((number) => within(number) && !arrivals.includes(number) && !unknown.has(number)),
    doubled: arrivals.filter((number, index) => within(number) && arrivals.indexOf(number) !== index),
    outOfOrder: firsts.filter(
      (number, index) =>
        within(number) && !unknown.has(number) && firsts.slice(0, index).some((earlier) => earlier > number),
    ),
  };
}

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describe('a ledger of one publisher at one client', () => {
  test('says what is lost, doubled and out of order, whatever comes', () => {
    const scenario = fc.integer({ min: 1, max: 30 }).chain((published) =>
      fc.record({
        published: fc.constant(published),
        arrivals: fc.array(fc.integer({ min: 0, max: published - 1 }), { maxLength: 50 }),
        unknown: fc.uniqueArray(fc.integer({ min: 0, max: published - 1 })),
        cut: fc.integer({ min: 0, max: published }),
      }),
    );
    fc.assert(
      fc.property(scenario, ({ published, arrivals, unknown, cut }) => {
        const ledger = new SequenceLedger();
        for (const number of arrivals) ledger.note(number);
        const isUnknown = new Set(unknown);
        for (const [from, to] of [
          [0, cut],
          [cut, published],
        ] as const) {
          const said = ledger.faults({ from, to, unknown: isUnknown });
          const is = truth(published, arrivals, from, to, isUnknown);
          expect(sorted(said.lost)).toEqual(is.lost);
          expect(sorted(said.doubled)).toEqual(sorted(is.doubled));
          expect(sorted(said.outOfOrder)).toEqual(sorted(is.outOfOrder));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('has nothing to say of a sequence that came whole', () => {
    const ledger = new SequenceLedger();
    for (let number = 0; number < 1000; number += 1) ledger.note(number);
    expect(ledger.faults({ from: 0, to: 1000, unknown: new Set() })).toEqual({
      lost: [],
      doubled: [],
      outOfOrder: [],
    });
    expect(ledger.next).toBe(1000);
  });

  test('does not ask for numbers of which nobody knows whether they were stored, but for none of them twice', () => {
    const ledger = new SequenceLedger();
    for (const number of [0, 1, 4, 3, 3]) ledger.note(number);
    const unknown = new Set([2, 3, 5]);
    expect(ledger.faults({ from: 0, to: 6, unknown })).toEqual({ lost: [], doubled: [3], outOfOrder: [] });
  });

  test('counts the end of a stretch as lost where it did not come', () => {
    const ledger = new SequenceLedger();
    ledger.note(0);
    expect(ledger.faults({ from: 0, to: 4, unknown: new Set([2]) }).lost).toEqual([1, 3]);
    expect(ledger.faultsSoFar({ from: 0, to: 4, unknown: new Set() }).lost).toEqual([]);
  });
});
