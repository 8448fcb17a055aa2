import { afterEach, describe, expect, test } from '@jest/globals';
import type { Command, Outcome } from '../../src/core/command.js';
import {
  type CommandQueue,
  type CommandSpec,
  DEFAULT_QUEUEING,
} from '../../src/core/control/command-queue.js';
import { Refusal } from '../../src/core/errors.js';

/** What the suite may ask a queue to be. */
export interface QueueShape {
  /** Commands executed at once. */
  readonly workers: number;
  /** Commands that may wait. */
  readonly maxQueue: number;
  /** ms that `close` waits for what runs. */
  readonly closeMs: number;
}

/** Opens a queue whose workers have `test/support/commands.mjs`. The suite closes it. */
export type OpenQueue = (shape: Partial<QueueShape>) => Promise<CommandQueue>;

let ids = 0;

/** A command for `test/support/commands.mjs`. */
export function commandOf(action: string, data: unknown = null): Command {
  return { id: `command-${String(++ids)}`, action, data, principal: { id: 'address:127.0.0.1' } };
}

/** A spec as the registry would have it. */
export function specOf(action: string, timeoutMs = 10_000): CommandSpec {
  return {
    action,
    timeoutMs,
    role: undefined,
    publishes: { type: 'command_outcome', room: undefined },
    where: 'worker',
    ...DEFAULT_QUEUEING,
  };
}

/** Offers a command and waits for its outcome. */
export async function run(
  queue: CommandQueue,
  action: string,
  data: unknown = null,
  timeoutMs?: number,
): Promise<Outcome> {
  const receipt = await queue.offer(commandOf(action, data), specOf(action, timeoutMs));
  if (receipt instanceof Refusal) throw new Error(`refused: ${receipt.code}`);
  return receipt.outcome;
}

const failed = (code: string, message: RegExp): object => ({
  status: 'failed',
  error: expect.objectContaining({ code, message: expect.stringMatching(message) }),
});

/** Opens queues for one suite and closes them after each test. */
function openedQueues(open: OpenQueue): OpenQueue {
  const opened: CommandQueue[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
  });
  return async (shape) => {
    const queue = await open({ workers: 2, maxQueue: 1000, closeMs: 5000, ...shape });
    opened.push(queue);
    return queue;
  };
}

/** What every command queue does, whoever executes. */
export function commandQueueContract(name: string, open: OpenQueue): void {
  describe(`command queue contract: ${name}`, () => {
    const queueOf = openedQueues(open);

    test('a command is executed and its result comes back', async () => {
      const queue = await queueOf({});
      const data = { text: 'a\r\n\u2028\u0000\ud800', list: [1, null, { deep: true }] };
      expect(await run(queue, 'test.echo', data)).toEqual({ status: 'succeeded', result: data });
      expect(await run(queue, 'governor.start')).toEqual({
        status: 'succeeded',
        result: { running: true, since: expect.any(Number) },
      });
    });

    test('a handler learns the id, the action and the principal', async () => {
      const queue = await queueOf({});
      const command = commandOf('test.context');
      const receipt = await queue.offer(command, specOf('test.context'));
      if (receipt instanceof Refusal) throw new Error(receipt.code);
      const { id, action, principal } = command;
      expect(await receipt.outcome).toEqual({
        status: 'succeeded',
        result: { id, action, principal, aborted: false },
      });
    });

    test('a handler that throws is a failure with its message and no stack', async () => {
      const outcome = await run(await queueOf({}), 'test.fail');
      expect(outcome).toEqual({
        status: 'failed',
        error: { code: 'command_failed', message: 'it failed as it should', retryable: false },
      });
    });

    test.each([
      ['test.bigint', /"count" is a bigint/],
      ['test.function', /"run" is a function/],
      ['test.cycle', /refers to itself/],
    ])('%s, a result that JSON cannot carry, is a failure that says why', async (action, message) => {
      expect(await run(await queueOf({}), action)).toEqual(failed('command_failed', message));
    });

    test('an action that the workers do not have is a failure', async () => {
      expect(await run(await queueOf({}), 'test.missing')).toEqual(failed('unknown_action', /test\.missing/));
    });

    test('a handler that does not end is stopped, deaf or spinning; the worker is there again', async () => {
      const queue = await queueOf({ workers: 1 });
      const outcomes = await Promise.all([
        run(queue, 'test.sleep', { ms: 60_000 }, 100),
        run(queue, 'test.sleep', { ms: 60_000, deaf: 1 }, 100),
        run(queue, 'test.spin', { ms: 60_000 }, 100),
        run(queue, 'test.echo', 'after'),
      ]);
      const late = failed('command_timeout', /not done within 100 ms/);
      expect(outcomes).toEqual([late, late, late, { status: 'succeeded', result: 'after' }]);
    });

    test('the time in the queue is not part of the timeout', async () => {
      const queue = await queueOf({ workers: 1 });
      const outcomes = await Promise.all([
        run(queue, 'test.sleep', { ms: 1500 }),
        run(queue, 'test.sleep', { ms: 1 }, 1000),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    });

    test('a worker that dies in the middle is a failure, and others take over what waits', async () => {
      const queue = await queueOf({ workers: 1 });
      const outcomes = await Promise.all([
        run(queue, 'test.exit', { code: 3 }),
        run(queue, 'test.exit'),
        run(queue, 'test.echo', 1),
      ]);
      const lost = failed('command_failed', /lost/);
      expect(outcomes).toEqual([lost, lost, { status: 'succeeded', result: 1 }]);
    });

    test('commands start in the order in which they were offered', async () => {
      const queue = await queueOf({ workers: 1 });
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await run(queue, 'test.echo', index);
          order.push(index);
        }),
      );
      expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
    });
  });
}

/** What a queue does that is this process's own: it ends with it, and fails what it cannot have executed. */
export function ownQueueContract(name: string, open: OpenQueue): void {
  describe(`contract of a process's own command queue: ${name}`, () => {
    const queueOf = openedQueues(open);

    test('a full queue refuses, with the time after which to try again, and loses nothing it took', async () => {
      const queue = await queueOf({ workers: 1, maxQueue: 5 });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          queue.offer(commandOf('test.sleep', { ms: 50 }), specOf('test.sleep')),
        ),
      );
      const refusals = answers.filter((answer) => answer instanceof Refusal);
      expect(refusals.map(({ code }) => code)).toEqual(Array(4).fill('queue_full'));
      for (const { retryAfterMs } of refusals) expect(retryAfterMs).toBeGreaterThan(0);
      const taken = answers.flatMap((answer) => (answer instanceof Refusal ? [] : [answer.outcome]));
      expect((await Promise.all(taken)).map(({ status }) => status)).toEqual(Array(6).fill('succeeded'));
      expect(await run(queue, 'test.echo', 1)).toEqual({ status: 'succeeded', result: 1 });
    });

    test('closing lets what runs end, fails what waits, and refuses what comes', async () => {
      const queue = await queueOf({ workers: 1 });
      // The first is running for certain once the second command, behind it, could have been taken.
      expect(await run(queue, 'test.echo', 'warm')).toEqual({ status: 'succeeded', result: 'warm' });
      const running = run(queue, 'test.sleep', { ms: 300 });
      const waiting = run(queue, 'test.echo');
      const closing = queue.close();
      expect(await queue.offer(commandOf('test.echo'), specOf('test.echo'))).toMatchObject({
        code: 'shutting_down',
      });
      await closing;
      expect(await running).toEqual({ status: 'succeeded', result: { sleptMs: 300 } });
      expect(await waiting).toEqual(failed('shutting_down', /before the command started/));
    });

    test('closing kills what does not end, visibly', async () => {
      const queue = await queueOf({ workers: 1, closeMs: 100 });
      await run(queue, 'test.echo');
      const running = run(queue, 'test.spin', { ms: 60_000 }, 50_000);
      await queue.close();
      expect(await running).toEqual(failed('shutting_down', /before the command was done/));
      await queue.close();
    });
  });
}
