import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { OutcomeLedger } from '../../src/core/control/redis/outcome-ledger.js';
import { newEvent } from '../support/new-event.js';
import { OpenedLogs } from '../support/opened-logs.js';

const opened = new OpenedLogs();
afterEach(() => opened.closeAll());

test('each outcome is reported once, and the stream it begins has an epoch', async () => {
  const redis = opened.connect();
  const keyPrefix = `test-${randomUUID()}`;
  const key = `${keyPrefix}:{log}`;
  const ledger = new OutcomeLedger(redis, { keyPrefix, maxEvents: 1000 });
  expect(await ledger.progress('q')).toBeUndefined();
  expect(await ledger.begin('q', '5-0')).toBe('5-0');
  const outcomes = [
    { at: '4-0', event: newEvent({ dataJson: '4' }) },
    { at: '6-0', event: newEvent({ dataJson: '6' }) },
    { at: '7-0', event: undefined },
    { at: '8-0', event: newEvent({ dataJson: '8' }) },
  ];
  expect(await ledger.report('q', outcomes.slice(0, 2))).toBe(1);
  expect(await ledger.report('q', outcomes)).toBe(2);
  expect(await ledger.report('q', outcomes)).toBe(0);
  expect(await ledger.progress('q')).toBe('8-0');
  const entries = await redis.xrange(key, '-', '+');
  expect(entries.map(([, fields]) => fields[fields.indexOf('data') + 1])).toEqual(['6', '8']);
  const groups = (await redis.call('XINFO', 'GROUPS', key)) as string[][];
  expect(groups.map(([, name]) => name)).toEqual([expect.stringMatching(/^epoch:[\w-]{8}$/)]);
});
