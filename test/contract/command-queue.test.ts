import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/core/clock.js';
import { ThreadQueue, type ThreadQueueOptions } from '../../src/core/control/process/thread-queue.js';
import type { Logger } from '../../src/core/logger.js';
import { CommandNode } from '../support/command-node.js';
import {
  commandOf,
  commandQueueContract,
  type OpenQueue,
  ownQueueContract,
  run,
  specOf,
} from './command-queue.js';

const commandsModule = path.resolve(__dirname, '../support/commands.mjs');
// Threads run what ships; another build than dist/ can be named for a run of these tests alone.
const dist = path.resolve(process.env['FLIPGATE_DIST'] ?? path.resolve(__dirname, '../../dist'));
const workerFile = path.join(dist, 'core/control/process/thread-worker.js');
if (!existsSync(workerFile)) throw new Error(`${workerFile} is not there: run npm run build first`);

const silent: Logger = { error() {}, warn() {}, info() {}, debug() {} };

function threadQueue(options: Partial<ThreadQueueOptions> = {}): ThreadQueue {
  return new ThreadQueue({ commandsModule, workerFile, clock: systemClock, logger: silent, ...options });
}

const openThreads: OpenQueue = ({ workers = 2, maxQueue = 1000, closeMs = 5000 }) =>
  Promise.resolve(threadQueue({ threads: workers, maxQueue, closeMs }));

commandQueueContract('threads', openThreads);
ownQueueContract('threads', openThreads);

commandQueueContract('BullMQ', async ({ workers = 2, maxQueue = 1000 }) => {
  const node = new CommandNode({ maxWaiting: maxQueue });
  const worker = node.work({ threads: workers });
  await node.follower.begun;
  return {
    offer: (command, spec) => node.queue.offer(command, spec),
    close: async () => {
      await worker.close();
      await node.close();
    },
  };
});

describe('ThreadQueue', () => {
  test('handlers that spin on every thread leave the event loop alone', async () => {
    const queue = threadQueue({ threads: 4 });
    try {
      await Promise.all([1, 2, 3, 4].map(() => run(queue, 'test.echo')));
      let turns = 0;
      const turning = setInterval(() => {
        turns += 1;
      }, 10);
      const spins = await Promise.all([1, 2, 3, 4].map(() => run(queue, 'test.spin', { ms: 1500 })));
      clearInterval(turning);
      for (const outcome of spins) expect(outcome).toMatchObject({ status: 'succeeded' });
      // A loop that was blocked would have turned once or twice in these 1.5 s.
      expect(turns).toBeGreaterThan(20);
    } finally {
      await queue.close();
    }
  });

  test('a module that cannot be imported in the thread fails the command and names the module', async () => {
    const queue = threadQueue({ commandsModule: path.resolve('/nowhere/commands.mjs') });
    try {
      expect(await run(queue, 'test.echo')).toMatchObject({
        status: 'failed',
        error: {
          code: 'command_failed',
          message: expect.stringContaining('commands.mjs cannot be imported'),
        },
      });
    } finally {
      await queue.close();
    }
  });

  test('a thread that cannot boot fails the command', async () => {
    const queue = threadQueue({ workerFile: path.resolve('/nowhere/thread-worker.js'), bootMs: 500 });
    try {
      const outcomes = await Promise.all([run(queue, 'test.echo'), run(queue, 'test.echo')]);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'failed' });
    } finally {
      await queue.close();
    }
  });

  test('a result over the limit is a failure', async () => {
    const queue = threadQueue({ maxResultBytes: 1000 });
    try {
      expect(await run(queue, 'test.big', { bytes: 998 })).toMatchObject({ status: 'succeeded' });
      expect(await run(queue, 'test.big', { bytes: 999 })).toMatchObject({
        error: { code: 'command_failed', message: 'the result has 1001 bytes, more than 1000' },
      });
    } finally {
      await queue.close();
    }
  });

  test('data nested too deep for a thread is a failure of that command alone', async () => {
    const queue = threadQueue();
    try {
      let data: unknown = 1;
      for (let depth = 0; depth < 200_000; depth += 1) data = [data];
      expect(await run(queue, 'test.echo', data)).toMatchObject({
        status: 'failed',
        error: { code: 'invalid_data' },
      });
      expect(await run(queue, 'test.echo', 1)).toMatchObject({ status: 'succeeded' });
    } finally {
      await queue.close();
    }
  });

  test('tells how many wait and run, and ends with none', async () => {
    const queue = threadQueue({ threads: 1 });
    const offers = [1, 2, 3].map(() =>
      queue.offer(commandOf('test.sleep', { ms: 20 }), specOf('test.sleep')),
    );
    expect([queue.running, queue.waiting]).toEqual([1, 2]);
    await Promise.all(offers);
    await queue.close();
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });
});

/** What a process does that is built and started like the gateway; prints what came of it as JSON. */
const PROGRAM = `
  const [dist, file] = process.argv.slice(1);
  const { pathToFileURL } = await import('node:url');
  const load = (name) => import(pathToFileURL(dist + '/core/' + name + '.js').href);
  const { loadCommands } = await load('control/command-registry');
  const { ThreadQueue } = await load('control/process/thread-queue');
  const { MemoryRateLimit } = await load('control/process/memory-rate-limit');
  const { CommandGate } = await load('control/gate');
  const { MemoryCommandStore } = await load('control/process/memory-command-store');
  const { Rights } = await load('auth/rights');
  const { CommandJournal } = await load('control/command-journal');
  const { Counters } = await load('metrics/counters');
  const { systemClock: clock } = await load('clock');
  const logger = { error() {}, warn() {}, info() {}, debug() {} };
  const registry = await loadCommands(file, []);
  const queue = new ThreadQueue({ commandsModule: file, clock, logger });
  const events = [];
  const counters = new Counters();
  const publish = async (event) => { events.push(event); };
  const journal = new CommandJournal({ clock, logger, counters, actions: registry.actions });
  const store = new MemoryCommandStore({ queue, publish, clock, logger, counters, journal });
  const gate = new CommandGate({
    registry, store, clock, journal, rateLimit: new MemoryRateLimit(1), controlWaitMs: 10_000,
  });
  const principal = { id: 'address:127.0.0.1', rights: Rights.ALL, expiresAt: null, isKnown: false };
  const first = await gate.submit({ action: 'governor.start', principal, idempotencyKey: 'k' });
  const replay = await gate.submit({ action: 'governor.start', principal, idempotencyKey: 'k' });
  const second = await gate.submit({ action: 'governor.start', principal });
  await gate.close();
  process.stdout.write(JSON.stringify({ actions: registry.actions, first, replay, second, events }));
`;

test('the built gateway imports a commands module, runs it in its own threads, and ends by itself', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM, dist, commandsModule],
    { timeout: 20_000 },
  );
  const { actions, first, replay, second, events } = JSON.parse(stdout);
  expect(actions).toContain('governor.start');
  expect(first).toMatchObject({ status: 'succeeded', result: { running: true } });
  expect(replay).toEqual(first);
  expect(second.code).toBe('rate_limited');
  expect(events).toMatchObject([{ type: 'governor_update', dataJson: JSON.stringify(first.result) }]);
});
