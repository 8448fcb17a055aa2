import { expect, test } from '@jest/globals';
import { SequenceLedger } from '../../../src/drill/ledger/sequence-ledger.js';
import { sumOf, tallyOf } from '../../../src/drill/load/fault-tally.js';

function clientWith(numbers: readonly number[]) {
  const ledger = new SequenceLedger();
  for (const number of numbers) ledger.note(number);
  return {
    faults: (_: string, stretch: Parameters<SequenceLedger['faults']>[0]) => ({
      ...ledger.faults(stretch),
      missed: [],
    }),
  };
}

test('faults are added up over clients and processes, with some examples', () => {
  const clients = [clientWith([0, 1, 2, 3]), clientWith([0, 2, 1, 3]), clientWith([0, 3, 3])];
  const stretches = { http: { from: 0, to: 5, unknown: [4] } };
  const one = tallyOf(clients, 10, stretches);
  expect(one).toEqual({
    lost: 2,
    doubled: 1,
    outOfOrder: 1,
    missed: 0,
    clients: 2,
    examples: ['client 11, http: out of order 1', 'client 12, http: lost 1, 2', 'client 12, http: doubled 3'],
  });
  const both = sumOf([one, one]);
  expect(both).toMatchObject({ lost: 4, doubled: 2, outOfOrder: 2, clients: 4 });
  expect(both.examples).toHaveLength(5);
});

test('a publisher of which a client heard nothing at all is lost as a whole', () => {
  const stretches = { http: { from: 0, to: 20, unknown: [] } };
  expect(tallyOf([clientWith([])], 0, stretches)).toMatchObject({
    lost: 20,
    examples: ['client 0, http: lost 0, 1, 2, 3, 4, 5, 6, 7, …'],
  });
});
