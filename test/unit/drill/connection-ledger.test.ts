import { describe, expect, test } from '@jest/globals';
import { ConnectionLedger } from '../../../src/drill/ledger/connection-ledger.js';

const ALL = { from: 0, to: 100, unknown: new Set<number>() };

function ledgerOf(...connections: (readonly number[])[]): ConnectionLedger {
  const ledger = new ConnectionLedger();
  for (const numbers of connections) {
    for (const number of numbers) ledger.note(number);
    ledger.broke();
  }
  return ledger;
}

describe('a ledger of a client without a cursor', () => {
  test('takes what passed between two connections for missed, not for lost', () => {
    const faults = ledgerOf([0, 1, 2], [6, 7]).faults(ALL);
    expect(faults).toEqual({ lost: [], doubled: [], outOfOrder: [], missed: [3, 4, 5] });
  });

  test('takes a hole within a connection for lost', () => {
    expect(ledgerOf([0, 1, 4], [9, 11]).faults(ALL)).toMatchObject({
      lost: [2, 3, 10],
      missed: [5, 6, 7, 8],
    });
  });

  test('sees doubles and disorder within a connection', () => {
    expect(ledgerOf([5, 6, 6], [7, 9, 8]).faults(ALL)).toMatchObject({
      doubled: [6],
      outOfOrder: [8],
      lost: [],
    });
  });

  test('begins anew with each connection: another node may be a moment behind', () => {
    expect(ledgerOf([0, 1, 2], [1, 2, 3]).faults(ALL)).toEqual({
      lost: [],
      doubled: [],
      outOfOrder: [],
      missed: [],
    });
  });

  test('speaks of the stretch it is asked for, and of what its publisher knows', () => {
    const ledger = ledgerOf([0, 2], [6, 8]);
    expect(ledger.faults({ from: 0, to: 5, unknown: new Set([4]) })).toMatchObject({
      lost: [1],
      missed: [3],
    });
    expect(ledger.faults({ from: 5, to: 9, unknown: new Set([7]) })).toMatchObject({ lost: [], missed: [5] });
    expect(ledger.next).toBe(9);
  });
});
