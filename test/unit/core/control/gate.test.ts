import { EventEmitter, once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Command, CommandState, Outcome } from '../../../../src/core/command.js';
import { CommandJournal } from '../../../../src/core/control/command-journal.js';
import {
  type CommandQueue,
  type CommandSpec,
  DEFAULT_QUEUEING,
  type Receipt,
} from '../../../../src/core/control/command-queue.js';
import { CommandRegistry } from '../../../../src/core/control/command-registry.js';
import {
  CommandGate,
  type CommandGateOptions,
  type CommandRequest,
} from '../../../../src/core/control/gate.js';
import {
  MemoryCommandStore,
  type MemoryCommandStoreOptions,
} from '../../../../src/core/control/process/memory-command-store.js';
import type { Caller } from '../../../../src/core/auth/caller.js';
import { Rights } from '../../../../src/core/auth/rights.js';
import { Refusal } from '../../../../src/core/errors.js';
import type { NewEvent } from '../../../../src/core/event.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { freeCaller, keyCaller } from '../../../support/caller.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const principal = freeCaller();
const HOUR_MS = 3_600_000;

function specOf(action: string, publishes: CommandSpec['publishes']): CommandSpec {
  return { ...DEFAULT_QUEUEING, action, timeoutMs: 1000, role: undefined, publishes, where: 'worker' };
}

const SPECS = [
  specOf('governor.start', { type: 'governor_update', room: 'governors' }),
  specOf('test.echo', { type: 'command_outcome', room: undefined }),
  specOf('test.quiet', null),
];

/** A queue whose commands end when the test says so. */
class HandQueue implements CommandQueue {
  readonly taken: { command: Command; end: (outcome: Outcome) => void }[] = [];
  refuse: Refusal | undefined;
  closes = 0;

  offer(command: Command): Promise<Receipt | Refusal> {
    if (this.refuse !== undefined) return Promise.resolve(this.refuse);
    const outcome = new Promise<Outcome>((end) => {
      this.taken.push({ command, end });
    });
    return Promise.resolve({ outcome });
  }

  close(): Promise<void> {
    this.closes += 1;
    for (const { end } of this.taken)
      end({ status: 'failed', error: new Refusal('shutting_down', '').toBody().error });
    return Promise.resolve();
  }

  get last(): { command: Command; end: (outcome: Outcome) => void } {
    const last = this.taken.at(-1);
    if (last === undefined) throw new Error('nothing was offered');
    return last;
  }
}

function setUp(overrides: Partial<CommandGateOptions & MemoryCommandStoreOptions> = {}) {
  const clock = new TurnedClock();
  const queue = new HandQueue();
  const counters = new Counters();
  const published: NewEvent[] = [];
  const logged: string[] = [];
  const log = (message: string): void => {
    logged.push(message);
  };
  let ids = 0;
  const limits: string[] = [];
  const parts = {
    queue,
    clock,
    counters,
    logger: { error: log, warn: log, info: log, debug: log },
    publish: (event: NewEvent) => {
      published.push(event);
      return Promise.resolve('1-0');
    },
    journal: new CommandJournal({ clock, counters, logger: silentLogger, actions: [] }),
    ...overrides,
  };
  const gate = new CommandGate({
    registry: new CommandRegistry(SPECS),
    store: new MemoryCommandStore(parts),
    rateLimit: {
      take: (key) => {
        limits.push(key);
        return Promise.resolve(true);
      },
    },
    controlWaitMs: 2000,
    newId: () => `id-${String(++ids)}`,
    ...parts,
  });
  const submit = (request: Partial<CommandRequest> = {}): Promise<CommandState | Refusal> =>
    gate.submit({ action: 'test.echo', principal, ...request });
  return { clock, queue, counters, published, logged, limits, gate, submit };
}

const succeeded = (result: unknown): Outcome => ({ status: 'succeeded', result });
const failed: Outcome = {
  status: 'failed',
  error: { code: 'command_failed', message: 'no', retryable: false },
};

describe('CommandGate: the way of a command', () => {
  test('a command that ends in time is answered with its outcome', async () => {
    const { clock, queue, submit, gate, counters } = setUp();
    const answer = submit({ data: { a: 1 } });
    await clock.turn(0);
    expect(queue.last.command).toEqual({
      id: 'id-1',
      action: 'test.echo',
      data: { a: 1 },
      principal: { id: principal.id },
    });
    expect(await gate.state('id-1', principal)).toEqual({
      id: 'id-1',
      action: 'test.echo',
      status: 'queued',
    });
    expect(gate.open).toBe(1);
    queue.last.end(succeeded({ a: 1 }));
    const state = { id: 'id-1', action: 'test.echo', status: 'succeeded', result: { a: 1 } };
    expect(await answer).toEqual(state);
    expect(await gate.state('id-1', principal)).toEqual(state);
    expect(gate.open).toBe(0);
    expect(counters.get('commands', 'succeeded')).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test('one that does not is answered queued after controlWaitMs, not before', async () => {
    const { clock, queue, submit, gate } = setUp();
    let answer: CommandState | Refusal | undefined;
    const waiting = submit().then((state) => (answer = state));
    await clock.turn(1999);
    expect(answer).toBeUndefined();
    await clock.turn(1);
    expect(await waiting).toEqual({ id: 'id-1', action: 'test.echo', status: 'queued' });
    queue.last.end(failed);
    await clock.turn(0);
    expect(await gate.state('id-1', principal)).toEqual({ id: 'id-1', action: 'test.echo', ...failed });
  });

  test('missing data is null', async () => {
    const { clock, queue, submit } = setUp();
    void submit();
    await clock.turn(0);
    expect(queue.last.command.data).toBeNull();
  });

  test('a state is told for an hour after the end, and as long as it runs', async () => {
    const { clock, queue, submit, gate } = setUp();
    void submit();
    await clock.turn(30 * HOUR_MS);
    expect(await gate.state('id-1', principal)).toMatchObject({ status: 'queued' });
    queue.last.end(succeeded(1));
    await clock.turn(HOUR_MS);
    expect(await gate.state('id-1', principal)).toMatchObject({ status: 'succeeded' });
    await clock.turn(1);
    expect(await gate.state('id-1', principal)).toMatchObject({ code: 'unknown_command' });
    expect(await gate.state('nobody', principal)).toMatchObject({ code: 'unknown_command' });
  });

  test('of more than 10,000 commands, those that run are all kept', async () => {
    const { clock, queue, submit, gate } = setUp({ controlWaitMs: 0 });
    void submit({ idempotencyKey: 'running' });
    await clock.turn(0);
    for (let index = 0; index < 10_001; index += 1) void submit({ idempotencyKey: `key ${String(index)}` });
    await clock.turn(0);
    for (const { end } of queue.taken.slice(1)) end(succeeded(1));
    await clock.turn(0);
    expect(gate.open).toBe(1);
    expect(await gate.state('id-1', principal)).toMatchObject({ status: 'queued' });
    expect(await gate.state('id-2', principal)).toMatchObject({ code: 'unknown_command' });
    expect(await gate.state('id-10002', principal)).toMatchObject({ status: 'succeeded' });
    const again = submit({ idempotencyKey: 'running' });
    await clock.turn(0);
    expect(await again).toMatchObject({ id: 'id-1' });
  });
});

describe('CommandGate: refusals', () => {
  test.each([
    [undefined, 'invalid_action'],
    [42, 'invalid_action'],
    ['governor start', 'invalid_action'],
    ['', 'invalid_action'],
    ['test.missing', 'unknown_action'],
    ['toString', 'unknown_action'],
  ])('%p is %s', async (action, code) => {
    const { submit, counters, queue } = setUp();
    expect(await submit({ action })).toMatchObject({ code });
    expect(counters.get('command_refusals', code)).toBe(1);
    expect(queue.taken).toEqual([]);
  });

  test('an action that is missing is told from one that is wrong', async () => {
    const { submit } = setUp();
    expect(await submit({ action: undefined })).toMatchObject({
      message: expect.stringMatching(/^action is missing/),
    });
    expect(await submit({ action: 'a b' })).toMatchObject({
      message: expect.stringMatching(/^action must be/),
    });
  });

  test('who has no right to it neither learns whether the action exists nor uses up the limit', async () => {
    const { submit, limits } = setUp();
    const limited = keyCaller('key:one', { command: ['other.*'] });
    expect(await submit({ principal: limited })).toMatchObject({ code: 'forbidden' });
    expect(await submit({ principal: limited, action: 'test.missing' })).toMatchObject({ code: 'forbidden' });
    expect(await submit({ principal: limited, action: 'other.missing' })).toMatchObject({
      code: 'unknown_action',
    });
    expect(limits).toEqual([]);
  });

  test('the rate limit is asked by principal, and what it refuses is not executed', async () => {
    const no = new Refusal('rate_limited', 'no', 300);
    const asked: string[] = [];
    const { submit, queue } = setUp({
      rateLimit: {
        take: (key) => {
          asked.push(key);
          return Promise.resolve(no);
        },
      },
    });
    expect(await submit({ idempotencyKey: 'k' })).toBe(no);
    expect(asked).toEqual([principal.id]);
    expect(queue.taken).toEqual([]);
  });

  test('the rate limit counts the addresses of one IPv6 network together', async () => {
    const asked: string[] = [];
    const take = (key: string): Promise<Refusal> => {
      asked.push(key);
      return Promise.resolve(new Refusal('rate_limited', 'no', 300));
    };
    const { submit } = setUp({ rateLimit: { take } });
    await submit({ principal: freeCaller('address:2001:db8::1') });
    await submit({ principal: keyCaller('key:address:2001:db8::1', { command: ['*'] }) });
    expect(asked).toEqual(['address:2001:db8:0:0::/64', 'key:address:2001:db8::1']);
  });

  test('a full queue refuses, publishes nothing, and the same key may be used again', async () => {
    const { submit, queue, gate, clock, published } = setUp();
    queue.refuse = new Refusal('queue_full', 'full', 1000);
    expect(await submit({ idempotencyKey: 'k' })).toMatchObject({ code: 'queue_full', retryAfterMs: 1000 });
    expect(await gate.state('id-1', principal)).toMatchObject({ code: 'unknown_command' });
    queue.refuse = undefined;
    const answer = submit({ idempotencyKey: 'k' });
    await clock.turn(0);
    queue.last.end(succeeded(1));
    expect(await answer).toMatchObject({ id: 'id-2', status: 'succeeded' });
    await clock.turn(0);
    expect(published).toHaveLength(1);
  });

  test('a queue that throws is the submitter’s error, and leaves nothing behind', async () => {
    const { gate, submit, clock } = setUp({
      queue: { offer: () => Promise.reject(new Error('a bug')), close: () => Promise.resolve() },
    });
    await expect(submit({ idempotencyKey: 'k' })).rejects.toThrow('a bug');
    expect(gate.open).toBe(0);
    await clock.turn(0);
    await gate.close();
  });
});

describe('CommandGate: idempotency', () => {
  test('the same key joins the command while it runs, and gets its outcome for 24 hours', async () => {
    const { clock, queue, submit, counters, limits } = setUp();
    const first = submit({ idempotencyKey: 'k', data: { a: 1, b: 2 } });
    await clock.turn(0);
    const second = submit({ idempotencyKey: 'k', data: { b: 2, a: 1 } });
    await clock.turn(0);
    expect(queue.taken).toHaveLength(1);
    queue.last.end(succeeded('done'));
    const state = { id: 'id-1', action: 'test.echo', status: 'succeeded', result: 'done' };
    expect([await first, await second]).toEqual([state, state]);
    await clock.turn(24 * HOUR_MS);
    expect(await submit({ idempotencyKey: 'k', data: { a: 1, b: 2 } })).toEqual(state);
    expect(limits).toHaveLength(1);
    expect(counters.get('command_replays')).toBe(2);
    await clock.turn(1);
    void submit({ idempotencyKey: 'k', data: { a: 1, b: 2 } });
    await clock.turn(0);
    expect(queue.taken).toHaveLength(2);
  });

  test('a failure is replayed too', async () => {
    const { clock, queue, submit } = setUp();
    const first = submit({ idempotencyKey: 'k' });
    await clock.turn(0);
    queue.last.end(failed);
    expect(await submit({ idempotencyKey: 'k' })).toEqual(await first);
  });

  test('a replay does not count against the rate', async () => {
    let uses = 0;
    const { clock, queue, submit } = setUp({
      rateLimit: { take: () => Promise.resolve(++uses > 1 ? new Refusal('rate_limited', '', 1) : true) },
    });
    const first = submit({ idempotencyKey: 'k' });
    await clock.turn(0);
    queue.last.end(succeeded(1));
    expect(await first).toMatchObject({ status: 'succeeded' });
    expect(await submit({ idempotencyKey: 'k' })).toMatchObject({ status: 'succeeded' });
    expect(await submit({ idempotencyKey: 'other' })).toMatchObject({ code: 'rate_limited' });
  });

  test('two requests with the same key at the very same time are one command', async () => {
    const { clock, queue, submit } = setUp();
    const answers = [submit({ idempotencyKey: 'k' }), submit({ idempotencyKey: 'k' })];
    await clock.turn(0);
    expect(queue.taken).toHaveLength(1);
    queue.last.end(succeeded(1));
    const [first, second] = await Promise.all(answers);
    expect(second).toEqual(first);
  });

  test.each([[{ action: 'test.quiet' }], [{ data: { a: 2 } }], [{ data: null }]])(
    'the same key for something else, %p, is a mismatch',
    async (other) => {
      const { clock, queue, submit } = setUp();
      void submit({ idempotencyKey: 'k', data: { a: 1 } });
      await clock.turn(0);
      expect(await submit({ idempotencyKey: 'k', data: { a: 1 }, ...other })).toMatchObject({
        code: 'idempotency_mismatch',
      });
      expect(queue.taken).toHaveLength(1);
    },
  );

  test('keys belong to their principal', async () => {
    const { clock, queue, submit } = setUp();
    void submit({ idempotencyKey: 'k' });
    void submit({ idempotencyKey: 'k', principal: freeCaller('address:10.0.0.2') });
    await clock.turn(0);
    expect(queue.taken).toHaveLength(2);
  });

  test.each([[''], ['x'.repeat(256)], ['ключ'], ['a\nb'], ['a\u007f']])(
    '%p is no key',
    async (idempotencyKey) => {
      expect(await setUp().submit({ idempotencyKey })).toMatchObject({ code: 'bad_request' });
    },
  );

  test('data too deep to compare is refused', async () => {
    let data: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) data = [data];
    expect(await setUp().submit({ idempotencyKey: 'k', data })).toMatchObject({ code: 'invalid_data' });
  });

  test('however requests, endings and refusals follow on each other, a key is one command and one outcome event', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('submit' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('end' as const), index: fc.nat(4) }),
      fc.record({ kind: fc.constant('full' as const), full: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, queue, submit, published, gate } = setUp();
        const answers = new Map<string, Promise<CommandState | Refusal>[]>();
        for (const each of steps) {
          if (each.kind === 'full') queue.refuse = each.full ? new Refusal('queue_full', '', 1) : undefined;
          else if (each.kind === 'end') queue.taken[each.index]?.end(succeeded(each.index));
          else {
            const data = { key: each.key };
            answers.set(each.key, [
              ...(answers.get(each.key) ?? []),
              submit({ idempotencyKey: each.key, data }),
            ]);
          }
          await clock.turn(0);
        }
        queue.taken.forEach(({ end }, index) => {
          end(succeeded(index));
        });
        await clock.turn(5000);
        for (const all of answers.values()) {
          const states = (await Promise.all(all)).filter((state) => !(state instanceof Refusal));
          expect(new Set(states.map(({ id }) => id)).size).toBeLessThanOrEqual(1);
        }
        const keys = queue.taken.map(({ command }) => (command.data as { key: string }).key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(published).toHaveLength(keys.length);
        expect(gate.open).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

async function outcomeOf(action: string, outcome: Outcome, publish?: MemoryCommandStoreOptions['publish']) {
  const all = setUp(publish === undefined ? {} : { publish });
  const answer = all.submit({ action });
  await all.clock.turn(0);
  all.queue.last.end(outcome);
  const state = await answer;
  await all.clock.turn(0);
  return { ...all, state };
}

describe('CommandGate: outcome events', () => {
  test('a success of a command with its own event is that event, with the result as data', async () => {
    const { published, clock } = await outcomeOf('governor.start', succeeded({ running: true }));
    expect(published).toEqual([
      {
        type: 'governor_update',
        room: 'governors',
        key: undefined,
        dataJson: '{"running":true}',
        timestamp: clock.now() / 1000,
      },
    ]);
  });

  test('a failure of one is a command_outcome in its room', async () => {
    const { published, state } = await outcomeOf('governor.start', failed);
    expect(published).toMatchObject([{ type: 'command_outcome', room: 'governors' }]);
    expect(JSON.parse(published[0]?.dataJson ?? '')).toEqual(state);
  });

  test('without one of its own, either is a command_outcome', async () => {
    for (const outcome of [succeeded([1]), failed]) {
      const { published, state } = await outcomeOf('test.echo', outcome);
      expect(published).toMatchObject([{ type: 'command_outcome', room: undefined }]);
      expect(JSON.parse(published[0]?.dataJson ?? '')).toEqual(state);
    }
  });

  test('publishes: false is no event', async () => {
    expect((await outcomeOf('test.quiet', succeeded(1))).published).toEqual([]);
    expect((await outcomeOf('test.quiet', failed)).published).toEqual([]);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('down')), 'internal'],
    ['refuses', () => Promise.resolve(new Refusal('log_unavailable', 'down')), 'log_unavailable'],
    [
      'throws',
      () => {
        throw new Error('down');
      },
      'internal',
    ],
  ])(
    'a publication that %s is logged and counted, and the command has its outcome',
    async (_, publish, code) => {
      const { state, counters, logged } = await outcomeOf('test.echo', succeeded(1), publish);
      expect(state).toMatchObject({ status: 'succeeded' });
      expect(counters.get('command_publish_failures', code)).toBe(1);
      expect(logged).toEqual(['the outcome of a command was not published']);
    },
  );

  test('a result that JSON cannot carry never breaks the gate', async () => {
    const { state, published } = await outcomeOf('governor.start', succeeded(1n));
    expect(state).toMatchObject({ status: 'failed', error: { code: 'command_failed' } });
    expect(published).toMatchObject([{ type: 'command_outcome' }]);
  });
});

describe('CommandGate: closing', () => {
  test('refuses, closes the queue, and waits until every outcome is published', async () => {
    const entered = new EventEmitter();
    const { gate, queue, clock, submit } = setUp({ publish: () => once(entered, 'log') });
    const running = submit();
    await clock.turn(0);
    let closed = false;
    const closing = gate.close().then(() => (closed = true));
    expect(await submit()).toMatchObject({ code: 'shutting_down' });
    expect(await running).toMatchObject({ status: 'failed', error: { code: 'shutting_down' } });
    await clock.turn(100);
    expect(closed).toBe(false);
    entered.emit('log');
    await closing;
    await gate.close();
    expect(queue.closes).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test('does not wait for ever for a publication that hangs', async () => {
    const { gate, clock, submit } = setUp({ publish: () => new Promise(() => {}) });
    void submit();
    await clock.turn(0);
    const closing = gate.close();
    await clock.turn(2000);
    await closing;
  });

  test('a request that was waiting for the limit meanwhile is refused', async () => {
    const limit = new EventEmitter();
    const { gate, clock, submit, queue } = setUp({
      rateLimit: { take: () => once(limit, 'allow').then(() => true) },
    });
    const answer = submit();
    await clock.turn(0);
    await gate.close();
    limit.emit('allow');
    expect(await answer).toMatchObject({ code: 'shutting_down' });
    expect(queue.taken).toEqual([]);
  });
});

describe('the state of a command', () => {
  test('is told to the principal whose it is and by the right status; to others there is none', async () => {
    const { clock, gate } = setUp();
    const owner = keyCaller('key:owner', { command: ['*'] });
    void gate.submit({ action: 'test.echo', principal: owner });
    await clock.turn(0);
    const code = async (by: Caller): Promise<string | undefined> => {
      const state = await gate.state('id-1', by);
      return state instanceof Refusal ? state.code : undefined;
    };
    expect(await code(owner)).toBeUndefined();
    expect(await code(keyCaller('key:operator', { admin: ['status'] }))).toBeUndefined();
    const others = [
      keyCaller('key:other', { subscribe: ['*'], command: ['*'] }),
      keyCaller('user:owner', {}),
    ];
    for (const other of others) expect(await code(other)).toBe('unknown_command');
    expect(await code({ ...freeCaller(), rights: Rights.NONE })).toBe('unknown_command');
  });

  test('of an anonymous client is told to any anonymous caller that knows its id', async () => {
    const { clock, gate } = setUp();
    void gate.submit({ action: 'test.echo', principal: freeCaller('address:10.0.0.1') });
    await clock.turn(0);
    const roaming = { ...freeCaller('address:10.0.0.2'), rights: Rights.NONE };
    expect(await gate.state('id-1', roaming)).toMatchObject({ id: 'id-1' });
    expect(await gate.state('id-1', keyCaller('key:x', {}))).toMatchObject({ code: 'unknown_command' });
  });
});
