import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Job, Queue, Worker } from 'bullmq';
import { RedisRateLimit } from '../../src/core/control/redis/redis-rate-limit.js';
import { connectRedis } from '../../src/core/redis/redis-connection.js';
import { askedFor, ended, taken } from '../contract/command-store.js';
import { CommandNode, type CommandNodeSettings } from '../support/command-node.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { startRedisServer } from '../support/redis-server.js';
import { silentLogger } from '../support/silent-logger.js';
import { waitUntil } from '../support/wait-until.js';

const closers: (() => unknown)[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-commands-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
});

async function nodeOf(settings: CommandNodeSettings = {}): Promise<CommandNode> {
  const node = new CommandNode(settings);
  closers.push(() => node.close());
  if (settings.follows !== false) await node.follower.begun;
  await waitUntil(() => node.redis.status === 'ready', 'the connection');
  return node;
}

/** A worker of the node's commands, closed after the test. */
function work(node: CommandNode): void {
  const worker = node.work();
  closers.push(() => worker.close());
}

/** A worker such as others write them, with BullMQ alone. */
function foreignWorker(node: CommandNode, execute: ConstructorParameters<typeof Worker>[1]): void {
  const connection = connectRedis(testRedisUrl(), 'work', silentLogger);
  const worker = new Worker('commands', execute, { connection, prefix: `{${node.keyPrefix}}` });
  worker.on('error', () => undefined);
  closers.push(async () => {
    await worker.close();
    connection.disconnect();
  });
}

const dataOf = ({ data }: Job): unknown => (data as { data: unknown }).data;

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

describe('the queue of commands in Redis', () => {
  test('holds what workers in any language are promised', async () => {
    const node = await nodeOf();
    const asked = askedFor('governor.start', { speed: 1 });
    taken(await node.store.take(asked));
    const queue = new Queue('commands', { connection: node.redis, prefix: `{${node.keyPrefix}}` });
    closers.push(() => queue.close());
    const job = await queue.getJob(asked.command.id);
    expect([job?.name, job?.data]).toEqual([
      'governor.start',
      {
        action: 'governor.start',
        data: { speed: 1 },
        principal: { id: 'address:10.0.0.1' },
        timeoutMs: 10_000,
        publishes: { type: 'command_outcome' },
      },
    ]);
    expect(job?.opts).toMatchObject({
      attempts: 1,
      backoff: { type: 'exponential', delay: 1000 },
      removeOnComplete: { age: 3600, count: 10_000 },
      removeOnFail: { age: 3600, count: 10_000 },
    });
  });

  test('takes as many as may wait, in order or at once, and says when to try again', async () => {
    const node = await nodeOf({ maxWaiting: 5 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => node.store.take(askedFor('test.echo'))),
    );
    const refusals = answers.filter((answer) => 'code' in answer);
    expect(refusals).toHaveLength(3);
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'queue_full', retryAfterMs: 1000 });
    // What was refused may be asked for again, with its key, and is executed once.
    const asked = askedFor('test.echo', 1, 'k');
    expect(await node.store.take(asked)).toMatchObject({ code: 'queue_full' });
    work(node);
    await waitUntil(() => node.heard.size === 5, 'those that were taken to be executed');
    const again = taken(await node.store.recall(askedFor('test.echo', 1, 'k')));
    expect(await ended(again)).toMatchObject({ id: asked.command.id, status: 'succeeded', result: 1 });
    await waitUntil(async () => (await node.published()).length === 6, 'all outcomes');
  });

  test('data nested too deep is refused', async () => {
    const node = await nodeOf();
    let data: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) data = [data];
    const asked = askedFor('test.echo');
    expect(await node.store.take({ ...asked, command: { ...asked.command, data } })).toMatchObject({
      code: 'invalid_data',
    });
  });

  test('a node that has just started takes commands: it waits until it is connected', async () => {
    const node = new CommandNode();
    closers.push(() => node.close());
    expect(node.redis.status).not.toBe('ready');
    const asked = askedFor('test.echo', 1, 'k');
    expect(await node.store.recall(asked)).toBeUndefined();
    expect(taken(await node.store.take(asked)).state()).toMatchObject({ status: 'queued' });
  });

  test('while Redis is away it refuses at once, and takes again when it is back', async () => {
    const server = await startRedisServer();
    const node = await nodeOf({ url: server.url });
    taken(await node.store.take(askedFor('test.echo')));
    await server.kill();
    await waitUntil(() => node.redis.status !== 'ready', 'the connection to break');
    const away = { code: 'queue_unavailable', retryAfterMs: 1000 };
    expect(await node.store.take(askedFor('test.echo'))).toMatchObject(away);
    expect(await node.store.recall(askedFor('test.echo', 1, 'k'))).toMatchObject(away);
    expect(await node.store.take(askedFor('test.echo', 1, 'k'))).toMatchObject(away);
    expect(await node.store.find(randomUUID())).toMatchObject(away);
    const next = await startRedisServer({ port: server.port, folder: server.folder });
    // Last, since whatever closes before it may want to say so.
    closers.unshift(() => next.stop());
    await waitUntil(
      async () => !('code' in (await node.store.take(askedFor('test.echo')))),
      'it to take again',
    );
  });
});

describe('workers of other kinds', () => {
  test.each([
    ['it went wrong', 'command_failed', 'it went wrong'],
    ['[command_timeout] it took too long', 'command_timeout', 'it took too long'],
    ['[command_failed] [command_timeout] no', 'command_failed', '[command_timeout] no'],
    ['[queue_full] is no worker’s code', 'command_failed', '[queue_full] is no worker’s code'],
  ])('fail with "%s"', async (thrown, code, message) => {
    const node = await nodeOf();
    foreignWorker(node, () => Promise.reject(new Error(thrown)));
    expect(await ended(await node.store.take(askedFor('test.echo')))).toMatchObject({
      error: { code, message },
    });
  });

  test('return what they want', async () => {
    const node = await nodeOf();
    foreignWorker(node, (job) => Promise.resolve(dataOf(job) === null ? undefined : job.data));
    expect(await ended(await node.store.take(askedFor('test.echo')))).toMatchObject({ result: null });
    expect(await ended(await node.store.take(askedFor('test.echo', 7)))).toMatchObject({
      result: { data: 7 },
    });
  });

  test('try again as often as the module says; only the end is an outcome', async () => {
    const node = await nodeOf();
    let begun = 0;
    foreignWorker(node, () => {
      begun += 1;
      return begun < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(begun);
    });
    const asked = askedFor('test.echo', 1, 'k');
    const spec = { ...asked.spec, attempts: 3, backoffMs: 20 };
    expect(await ended(await node.store.take({ ...asked, spec }))).toMatchObject({ result: 3 });
    expect(await node.store.find(asked.command.id)).toMatchObject({
      state: { status: 'succeeded', result: 3 },
    });
    await waitUntil(async () => (await node.published()).length > 0, 'the outcome');
    expect(await node.published()).toHaveLength(1);
  });

  test('what somebody else put into the queue is executed, and nobody is told', async () => {
    const node = await nodeOf();
    work(node);
    const queue = new Queue('commands', { connection: node.redis, prefix: `{${node.keyPrefix}}` });
    closers.push(() => queue.close());
    for (const data of [7, 'text', { data: 1, principal: 2, timeoutMs: 'x' }]) {
      await queue.add('test.echo', data, { jobId: randomUUID() });
    }
    await waitUntil(() => node.heard.size === 3, 'them to end');
    expect([...node.heard.values()].map((outcome) => outcome.status)).toEqual(Array(3).fill('succeeded'));
    const { id } = await ended(await node.store.take(askedFor('test.echo')));
    await waitUntil(async () => (await node.published()).length > 0, 'the outcome of ours');
    expect((await node.published()).map(({ data }) => data.id)).toEqual([id]);
  });
});

describe('idempotency keys in Redis', () => {
  test('of a gateway that died before it queued the command: another queues it, under the same id', async () => {
    const node = await nodeOf();
    const { claim, command } = askedFor('test.echo', 1, 'k');
    if (claim === undefined) throw new Error('no claim');
    expect(await node.keys.claim(claim, command.id)).toEqual({ id: command.id, taken: false });
    const other = await nodeOf({ keyPrefix: node.keyPrefix });
    work(other);
    const state = await ended(await other.store.recall(askedFor('test.echo', 1, 'k')));
    expect(state).toMatchObject({ id: command.id, status: 'succeeded', result: 1 });
    expect(await ended(await node.store.recall(askedFor('test.echo', 1, 'k')))).toEqual(state);
  });

  test('taken at several nodes at once: one command, executed once, told once', async () => {
    const node = await nodeOf();
    const nodes = [node, await nodeOf(node), await nodeOf(node)];
    const file = path.join(folder, randomUUID());
    const answers = await Promise.all(
      nodes.map(({ store }) => store.take(askedFor('test.record', { file }, 'k'))),
    );
    work(node);
    const states = await Promise.all(answers.map(ended));
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(1);
    expect(linesOf(file)).toHaveLength(1);
    await waitUntil(async () => (await node.published()).length > 0, 'the outcome');
    expect(await node.published()).toHaveLength(1);
  });

  test('of a command that was executed and forgotten never have it executed again', async () => {
    const node = await nodeOf();
    work(node);
    const { id } = await ended(await node.store.take(askedFor('test.echo', 1, 'k')));
    await waitUntil(async () => (await node.published()).length > 0, 'the outcome');
    await node.redis.del(`{${node.keyPrefix}}:commands:${id}`);
    expect(await node.store.recall(askedFor('test.echo', 1, 'k'))).toMatchObject({ code: 'unknown_command' });
  });

  test('are forgotten after a day', async () => {
    const node = await nodeOf();
    taken(await node.store.take(askedFor('test.echo', 1, 'k')));
    const keys = await node.redis.keys(`${node.keyPrefix}:idempotency:*`);
    expect(keys).toHaveLength(1);
    const ttl = await node.redis.pttl(String(keys[0]));
    expect(ttl).toBeGreaterThan(23 * 3_600_000);
    expect(ttl).toBeLessThanOrEqual(24 * 3_600_000);
  });
});

describe('outcomes', () => {
  test('are told once, however many follow, in the order in which commands ended', async () => {
    const node = await nodeOf();
    const nodes = [node, await nodeOf(node), await nodeOf(node)];
    work(node);
    const takes = Array.from({ length: 60 }, (_, index) =>
      (nodes[index % 3] as CommandNode).store.take(askedFor('test.echo', index)),
    );
    await Promise.all(takes.map(async (one) => ended(await one)));
    await waitUntil(async () => (await node.published()).length >= 60, 'all outcomes');
    await waitUntil(() => nodes.every(({ heard }) => heard.size === 60), 'all nodes to hear of all');
    const told = (await node.published()).map(({ data }) => String(data.id));
    expect(told).toEqual([...node.heard.keys()]);
    const counted = nodes.reduce((sum, { counters }) => sum + counters.get('commands', 'succeeded'), 0);
    expect(counted).toBe(60);
  });

  test('of what ended while nobody followed are told by whoever comes', async () => {
    const first = await nodeOf();
    await first.close();
    const idle = await nodeOf({ keyPrefix: first.keyPrefix, follows: false });
    // A gateway that has queued commands and died; its follower never was.
    const queue = new Queue('commands', { connection: idle.redis, prefix: `{${idle.keyPrefix}}` });
    closers.push(() => queue.close());
    const id = randomUUID();
    const data = { action: 'test.echo', data: 1, principal: { id: 'x' }, timeoutMs: 1000 };
    await queue.add('test.echo', { ...data, publishes: { type: 'echoed', room: 'a' } }, { jobId: id });
    await queue.add('test.fail', { ...data, publishes: { type: 'echoed' } }, { jobId: randomUUID() });
    await queue.add('test.echo', { ...data, publishes: null }, { jobId: randomUUID() });
    work(idle);
    await waitUntil(async () => (await queue.getJobCountByTypes('completed', 'failed')) === 3, 'them to end');
    expect(await idle.published()).toEqual([]);
    const next = await Promise.all([nodeOf(first), nodeOf(first)]);
    await waitUntil(() => next.some(({ heard }) => heard.size === 3), 'one to hear of them');
    await waitUntil(async () => (await idle.published()).length >= 2, 'the outcomes');
    const published = await idle.published();
    expect(published).toHaveLength(2);
    expect(published).toContainEqual({ type: 'echoed', data: 1 });
    const failure = expect.objectContaining({ action: 'test.fail', status: 'failed' });
    expect(published).toContainEqual({ type: 'command_outcome', data: failure });
  });

  test('of what ended before the first gateway ever are nobody’s', async () => {
    const idle = await nodeOf({ follows: false });
    work(idle);
    const queue = new Queue('commands', { connection: idle.redis, prefix: `{${idle.keyPrefix}}` });
    closers.push(() => queue.close());
    const publishes = { type: 'command_outcome' };
    await queue.add('test.echo', { data: 1, publishes }, { jobId: randomUUID() });
    await waitUntil(async () => (await queue.getCompletedCount()) === 1, 'it to end');
    const node = await nodeOf({ keyPrefix: idle.keyPrefix });
    const { id } = await ended(await node.store.take(askedFor('test.echo')));
    await waitUntil(async () => (await node.published()).length > 0, 'the outcome of ours');
    expect((await node.published()).map(({ data }) => data.id)).toEqual([id]);
  });

  test('that no event can carry are told without the result, or as failed, and hold nobody up', async () => {
    const node = await nodeOf();
    const end = async (returnvalue: string): Promise<string> => {
      const id = randomUUID();
      const data = JSON.stringify({ publishes: { type: 'echoed' } });
      await node.redis.hset(`{${node.keyPrefix}}:commands:${id}`, 'name', 'test.echo', 'data', data);
      const told = ['event', 'completed', 'jobId', id, 'returnvalue', returnvalue];
      await node.redis.xadd(`{${node.keyPrefix}}:commands:events`, '*', ...told);
      return id;
    };
    const deep = await end(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    const large = await end(JSON.stringify('x'.repeat(100_000)));
    await end('"small"');
    await waitUntil(async () => (await node.published()).length >= 3, 'all outcomes');
    const state = { action: 'test.echo', status: 'succeeded', result: null };
    const message = "the worker's result cannot be read: JSON may be nested at most 99 levels deep";
    const error = { code: 'command_failed', message, retryable: false };
    expect(await node.published()).toEqual([
      { type: 'command_outcome', data: { action: 'test.echo', status: 'failed', id: deep, error } },
      { type: 'command_outcome', data: { ...state, id: large, omitted: 'too large for an event' } },
      { type: 'echoed', data: 'small' },
    ]);
  });

  test('a late report of what was told changes nothing; a lost progress tells nothing again by itself', async () => {
    const node = await nodeOf({ follows: false });
    const event = { type: 'x', room: undefined, key: undefined, dataJson: '1', timestamp: 1 };
    expect(await node.ledger.begin('commands', '5-1')).toBe('5-1');
    expect(await node.ledger.begin('commands', '9-0')).toBe('5-1');
    expect(await node.ledger.report('commands', [{ at: '5-1', event }])).toBe(0);
    const three = [
      { at: '5-2', event },
      { at: '6-0', event: undefined },
      { at: '1700000000000-7', event },
    ];
    expect(await node.ledger.report('commands', three)).toBe(3);
    expect(await node.ledger.report('commands', three)).toBe(0);
    expect(await node.ledger.report('commands', [{ at: '1700000000000-6', event }])).toBe(0);
    expect(await node.ledger.progress('commands')).toBe('1700000000000-7');
    expect(await node.published()).toHaveLength(2);
  });

  test('a break is counted: nobody followed for so long that events are gone', async () => {
    const node = await nodeOf({ follows: false });
    await node.ledger.begin('commands', '5-1');
    await node.redis.xadd(`{${node.keyPrefix}}:commands:events`, '7-1', 'event', 'drained');
    node.follower.start();
    await node.follower.begun;
    expect(node.counters.get('outcome_breaks')).toBe(1);
  });
});

describe('the rate limit in Redis', () => {
  test('is one for all nodes, by principal', async () => {
    const connections = [1, 2].map(() => connectRedis(testRedisUrl(), 'write', silentLogger));
    for (const connection of connections) closers.push(() => connection.disconnect());
    const prefix = `test-${randomUUID()}`;
    const limits = connections.map((connection) => new RedisRateLimit(connection, prefix, 10));
    await waitUntil(() => connections.every(({ status }) => status === 'ready'), 'both to be connected');
    // A busy machine may take more than a second over one round: then two windows were used.
    await waitUntil(async () => {
      const key = randomUUID();
      const uses = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (limits[index % 2] as RedisRateLimit).take(key)),
      );
      const refused = uses.filter((use) => use !== true);
      for (const refusal of refused) {
        expect(refusal).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) });
      }
      return refused.length === 10;
    }, 'one limit for both');
    expect(await limits[0]?.take('somebody else')).toBe(true);
  });

  test('goes on in each node while Redis is away', async () => {
    const connection = connectRedis('redis://127.0.0.1:1', 'write', silentLogger);
    closers.push(() => connection.disconnect());
    const limit = new RedisRateLimit(connection, 'test', 2);
    const uses = await Promise.all([1, 2, 3].map(() => limit.take('k')));
    expect(uses.map((use) => use === true)).toEqual([true, true, false]);
  });
});
