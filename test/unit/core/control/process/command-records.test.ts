import { expect, test } from '@jest/globals';
import { CommandRecords } from '../../../../../src/core/control/process/command-records.js';
import { TurnedClock } from '../../../../support/turned-clock.js';

test('commands that were not taken push none of the others out of the list', () => {
  const records = new CommandRecords(new TurnedClock());
  const add = (id: string): void => {
    records.add({
      id,
      action: 'a.b',
      principal: 'key:a',
      accepted: new Promise(() => undefined),
      ended: new Promise(() => undefined),
      claim: undefined,
      traceparent: undefined,
      at: 0,
      takenAt: 0,
      endedAt: undefined,
      outcome: undefined,
    });
  };
  for (let n = 0; n < 60; n += 1) add(`open-${String(n)}`);
  for (let n = 0; n < 1000; n += 1) {
    add(`refused-${String(n)}`);
    records.forget(`refused-${String(n)}`);
  }
  const newest = records.newest(50).map(({ id }) => id);
  expect(newest).toEqual(Array.from({ length: 50 }, (_, n) => `open-${String(59 - n)}`));
});
