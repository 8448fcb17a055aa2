import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { OutcomeLedger } from '../../src/core/control/redis/outcome-ledger.js';
import { Shards } from '../../src/core/log/shards.js';
import { newEvent } from '../support/new-event.js';
import { OpenedLogs } from '../support/opened-logs.js';

const opened = new OpenedLogs();
afterEach(() => opened.closeAll());

const roomsOf = ({ room }: { room: string | undefined }) => (room === undefined ? ['a', 'b', 'c'] : [room]);

test('over several shards each outcome is reported once in each that has a room of its event', async () => {
  const redis = opened.connect();
  const keyPrefix = `test-${randomUUID()}`;
  const shards = new Shards(4);
  const ledger = new OutcomeLedger(redis, { keyPrefix, shards, maxEvents: 1000, roomsOf });
  expect(await ledger.begin('q', '5-0')).toBe('5-0');
  const outcomes = [
    { at: '4-0', event: newEvent({ room: 'a', dataJson: '4' }) },
    { at: '6-0', event: newEvent({ room: 'a', dataJson: '6' }) },
    { at: '7-0', event: newEvent({ room: undefined, dataJson: '7' }) },
    { at: '8-0', event: undefined },
    { at: '9-0', event: newEvent({ room: 'd', dataJson: '9' }) },
  ];
  expect(await ledger.report('q', outcomes.slice(0, 3))).toBe(2);
  // One shard's report never came to be, as when the node that made it was killed.
  await redis.set(`${keyPrefix}:{log:1}:outcomes:q`, '6-0');
  await redis.del(`${keyPrefix}:{log:1}`);
  expect(await ledger.progress('q')).toBe('6-0');
  expect(await ledger.report('q', outcomes)).toBe(3);
  expect(await ledger.report('q', outcomes)).toBe(0);
  expect(await ledger.progress('q')).toBe('9-0');
  const dataIn = async (shard: number): Promise<(string | undefined)[]> => {
    const entries = await redis.xrange(`${keyPrefix}:{log:${String(shard)}}`, '-', '+');
    return entries.map(([, fields]) => fields[fields.indexOf('data') + 1]);
  };
  // Rooms a and c lie in 3, b in 1, d in 0.
  expect(await Promise.all([0, 1, 2, 3].map(dataIn))).toEqual([['9'], ['7'], [], ['6', '7']]);
});
