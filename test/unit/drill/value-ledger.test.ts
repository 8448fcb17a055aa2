import { expect, test } from '@jest/globals';
import { ValueLedger } from '../../../src/drill/ledger/value-ledger.js';

const older = (ledger: ValueLedger): readonly number[] =>
  ledger.faults('values', { from: 0, to: 100, unknown: new Set([50]) }).outOfOrder;

test('a ledger of values knows which keys are behind, and when an older value took the place of a newer', () => {
  const ledger = new ValueLedger('values');
  ledger.note('a', 3);
  ledger.note('b', 4);
  expect(ledger.behind({ a: 3, b: 5, c: 0 })).toEqual(['b', 'c']);
  ledger.note('b', 7);
  ledger.note('c', 8);
  expect([ledger.behind({ a: 3, b: 5, c: 0 }), older(ledger)]).toEqual([[], []]);
  ledger.note('b', 4);
  expect([ledger.behind({ b: 7 }), older(ledger)]).toEqual([['b'], [4]]);
  ledger.begin();
  ledger.note('b', 2);
  expect([ledger.behind({ a: 3, b: 2 }), older(ledger)]).toEqual([['a'], [4]]);
  expect(ledger.faults('values', { from: 0, to: 4, unknown: new Set() }).outOfOrder).toEqual([]);
  expect(ledger.faults('others', { from: 0, to: 100, unknown: new Set() }).outOfOrder).toEqual([]);
});
