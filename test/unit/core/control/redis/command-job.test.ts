import { describe, expect, test } from '@jest/globals';
import {
  failedFor,
  failureMessage,
  publishesOf,
  readJob,
  succeededWith,
  toJob,
} from '../../../../../src/core/control/redis/command-job.js';
import { type CommandSpec, DEFAULT_QUEUEING } from '../../../../../src/core/control/command-queue.js';

const command = { id: 'c', action: 'a.b', data: { x: 1 }, principal: { id: 'p' } };
const specOf = (publishes: CommandSpec['publishes']): CommandSpec => ({
  ...DEFAULT_QUEUEING,
  action: 'a.b',
  timeoutMs: 5,
  role: 'r',
  publishes,
  where: 'worker',
});

describe('a job', () => {
  test.each([[null], [{ type: 't', room: undefined }], [{ type: 't', room: 'r' }]])(
    'says which event tells its outcome: %p',
    (publishes) => {
      expect(publishesOf(JSON.stringify(toJob(command, specOf(publishes))))).toEqual(publishes);
    },
  );

  test.each([['7'], ['null'], ['{}'], ['{"publishes":7}'], ['{"publishes":{"type":"no type"}}'], ['{']])(
    '%s came from nobody who says so',
    (json) => {
      expect(publishesOf(json)).toBeUndefined();
    },
  );

  test('is read by workers, whoever wrote it', () => {
    expect(readJob(toJob(command, specOf(null)))).toEqual({
      data: { x: 1 },
      principal: { id: 'p' },
      timeoutMs: 5,
    });
    const nothing = { data: null, principal: { id: 'unknown' }, timeoutMs: undefined };
    for (const job of [undefined, null, 7, 'x', [], { principal: 1, timeoutMs: 0 }, { timeoutMs: 1e9 }]) {
      expect(readJob(job)).toEqual(nothing);
    }
  });
});

describe('an outcome', () => {
  test.each(['command_failed', 'command_timeout', 'unknown_action'])(
    'of code %s comes through, whatever its message',
    (code) => {
      for (const message of ['', 'no', '[command_timeout] no', '[command_failed] no', 'a\nb', '[x] y']) {
        expect(failedFor(failureMessage(code, message))).toMatchObject({ error: { code, message } });
      }
    },
  );

  test('has no other code, and no endless message', () => {
    expect(failedFor('[internal] no')).toMatchObject({
      error: { code: 'command_failed', message: '[internal] no' },
    });
    const outcome = failedFor('x'.repeat(5000));
    expect(outcome.status === 'failed' && outcome.error.message.length).toBe(1000);
  });

  test('of lost workers says so', () => {
    expect(failedFor('job stalled more than allowable limit')).toMatchObject({
      error: { code: 'worker_lost', retryable: false },
    });
  });

  test('that is no JSON is a failure', () => {
    expect(succeededWith('null')).toEqual({ status: 'succeeded', result: null });
    for (const text of ['', 'NaN', '{']) {
      expect(succeededWith(text)).toMatchObject({ status: 'failed', error: { code: 'command_failed' } });
    }
  });
});
