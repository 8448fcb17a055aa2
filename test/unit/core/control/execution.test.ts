import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { execute, messageOf } from '../../../../src/core/control/execution.js';
import { resultToJson, UnsendableResult } from '../../../../src/core/control/result-json.js';

const input = {
  id: 'id-1',
  action: 'test.x',
  data: { a: 1 },
  principal: { id: 'p' },
  timeoutMs: 10_000,
  maxResultBytes: 1000,
};

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

describe('execute', () => {
  test('gives the handler its data and context, and returns the result as JSON', async () => {
    const seen: unknown[] = [];
    const execution = await execute((data, { signal, ...ctx }) => {
      seen.push(data, ctx, signal.aborted);
      return Promise.resolve({ ok: 1 });
    }, input);
    expect(execution).toEqual({ ok: true, resultJson: '{"ok":1}' });
    expect(seen).toEqual([{ a: 1 }, { id: 'id-1', action: 'test.x', principal: { id: 'p' } }, false]);
  });

  test('no result is null', async () => {
    expect(await execute(() => undefined, input)).toEqual({ ok: true, resultJson: 'null' });
  });

  test.each([
    [new Error('boom'), 'boom'],
    [new TypeError(''), 'TypeError'],
    ['a string', 'a string'],
    [undefined, 'the handler threw something that is no Error'],
    [{ toString: 1 }, 'the handler threw something that is no Error'],
    [new Error('x'.repeat(5000)), 'x'.repeat(1000)],
  ])('%p, thrown or rejected with, is its message', async (thrown, message) => {
    const failure = { ok: false, code: 'command_failed', message };
    const rejecting = (): Promise<never> => Promise.reject(thrown);
    expect(await execute(rejecting, input)).toEqual(failure);
    const throwing = (): never => {
      throw thrown as Error;
    };
    expect(await execute(throwing, input)).toEqual(failure);
    expect(messageOf(thrown)).toBe(message);
  });

  test('aborts the signal when the time is up; what the handler then does is a timeout', async () => {
    const late = { ok: false, code: 'command_timeout', message: 'test.x was not done within 20 ms' };
    const returning = await execute((_, { signal }) => untilAborted(signal), { ...input, timeoutMs: 20 });
    expect(returning).toEqual(late);
    const throwing = await execute(
      async (_, { signal }) => {
        await untilAborted(signal);
        throw signal.reason;
      },
      { ...input, timeoutMs: 20 },
    );
    expect(throwing).toEqual(late);
  });

  test('a handler that kept the loop busy past its time is late as well', async () => {
    const execution = await execute(
      () => {
        const end = performance.now() + 30;
        while (performance.now() < end);
      },
      { ...input, timeoutMs: 5 },
    );
    expect(execution).toMatchObject({ ok: false, code: 'command_timeout' });
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let depth = 0; depth < levels; depth += 1) value = [value];
  return value;
}

describe('resultToJson', () => {
  test('whatever JSON can say arrives as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(resultToJson(value, 1e9))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;

  test.each([
    ['a function', () => 1, 'the result is a function, which JSON cannot carry'],
    ['a nested function', { a: [{ go() {} }] }, 'the result\'s "go" is a function, which JSON cannot carry'],
    ['a symbol', { s: Symbol('s') }, 'the result\'s "s" is a symbol, which JSON cannot carry'],
    ['a BigInt', 1n, 'the result is a bigint, which JSON cannot carry'],
    ['a cycle', cycle, 'the result refers to itself, which JSON cannot carry'],
    ['too much depth', nested(100_000), 'the result is nested deeper than 99 levels'],
    ['depth that no event carries', nested(100), 'the result is nested deeper than 99 levels'],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('not now');
        },
      },
      'the result cannot be written as JSON: not now',
    ],
    ['too many bytes', 'é'.repeat(100), 'the result has 202 bytes, more than 201'],
  ])('%s is refused with a reason', (_, value, message) => {
    expect(() => resultToJson(value, 201)).toThrow(new UnsendableResult(message));
  });

  test('exactly the limit passes', () => {
    expect(resultToJson('é'.repeat(50), 102)).toHaveLength(52);
    expect(resultToJson(nested(99), 1000)).toHaveLength(199);
  });
});
