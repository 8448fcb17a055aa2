import { describe, expect, test } from '@jest/globals';
import type { Command, Outcome } from '../../../../../src/core/command.js';
import {
  type CommandQueue,
  type CommandSpec,
  DEFAULT_QUEUEING,
  type Receipt,
} from '../../../../../src/core/control/command-queue.js';
import { LocalQueue } from '../../../../../src/core/control/process/local-queue.js';
import { RoutedQueue } from '../../../../../src/core/control/routed-queue.js';
import { Refusal } from '../../../../../src/core/errors.js';

const logger = { error() {}, warn() {}, info() {}, debug() {} };
const specOf = (action: string, where: CommandSpec['where'] = 'local'): CommandSpec => ({
  action,
  timeoutMs: 1000,
  role: undefined,
  publishes: null,
  where,
  ...DEFAULT_QUEUEING,
});
const commandOf = (action: string, data: unknown = null): Command => ({
  id: '1',
  action,
  data,
  principal: { id: 'p' },
});

async function outcomeOf(receipt: Promise<Receipt | Refusal>): Promise<Outcome> {
  const taken = await receipt;
  if (taken instanceof Refusal) throw new Error(taken.code);
  return taken.outcome;
}

describe('LocalQueue', () => {
  const queue = new LocalQueue(
    [
      { spec: specOf('echo'), handler: (data) => data },
      { spec: specOf('refuse'), handler: () => new Refusal('bad_request', 'not like this') },
      {
        spec: specOf('throw'),
        handler: () => {
          throw new Error('a bug');
        },
      },
      { spec: specOf('bigint'), handler: () => 1n },
    ],
    logger,
  );

  test.each([
    ['echo', { status: 'succeeded', result: { a: 1 } }],
    [
      'refuse',
      { status: 'failed', error: { code: 'bad_request', message: 'not like this', retryable: false } },
    ],
    ['throw', { status: 'failed', error: { code: 'command_failed', message: 'a bug', retryable: false } }],
    ['bigint', { status: 'failed', error: expect.objectContaining({ code: 'command_failed' }) }],
    ['nobody', { status: 'failed', error: expect.objectContaining({ code: 'unknown_action' }) }],
  ])('%s', async (action, outcome) => {
    expect(await outcomeOf(queue.offer(commandOf(action, { a: 1 })))).toEqual(outcome);
  });

  test('refuses once it is closed', async () => {
    const closing = new LocalQueue([], logger);
    await closing.close();
    expect(await closing.offer(commandOf('echo'))).toMatchObject({ code: 'shutting_down' });
  });
});

describe('RoutedQueue', () => {
  test('offers to the queue that the spec names, and closes all', async () => {
    const calls: string[] = [];
    const queueOf = (name: string): CommandQueue => ({
      offer: (_command, spec) => {
        calls.push(`${name} ${spec.action}`);
        return Promise.resolve(new Refusal('queue_full', name));
      },
      close: () => {
        calls.push(`${name} closed`);
        return Promise.resolve();
      },
    });
    const routed = new RoutedQueue({ worker: queueOf('worker'), local: queueOf('local') });
    await routed.offer(commandOf('a'), specOf('a'));
    await routed.offer(commandOf('b'), specOf('b', 'worker'));
    await routed.close();
    expect(calls).toEqual(['local a', 'worker b', 'worker closed', 'local closed']);
  });

  test('a spec without a queue is a bug', async () => {
    await expect(new RoutedQueue({}).offer(commandOf('a'), specOf('a'))).rejects.toThrow(
      'needs a local queue',
    );
  });
});
