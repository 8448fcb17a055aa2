import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { type LaunchedWorker, launchWorker, QUICK_WORKER } from '../support/launched-worker.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

/** What a command's answer or event says. */
interface State {
  readonly id: string;
  readonly status: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string };
}

/** Redis keeps everything it has acknowledged. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** How long another worker may take to begin a command again, ms; 15 s are promised. */
const TAKE_OVER_MS = 25_000;

const stateOf = async (node: LaunchedGateway, id: string): Promise<State> =>
  (await requestJson('GET', `${node.url}/api/control/${id}`)).json;

const untilEnded = (node: LaunchedGateway, id: string, patienceMs?: number): Promise<void> =>
  waitUntil(async () => (await stateOf(node, id)).status !== 'queued', 'the command to end', patienceMs);

/** Commands of several gateways and workers on one Redis: whatever befalls any of them, each is told of once. */
describe('commands with Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let folder: string;
  let variables: Record<string, string>;
  let file: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-commands-'));
    server = await startRedisServer({ args: DURABLE });
    redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => undefined);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    const name = `test-${randomUUID()}`;
    file = path.join(folder, randomUUID());
    variables = {
      APP_PROFILE: 'SSE',
      REDIS_URL: server.url,
      REDIS_KEY_PREFIX: name,
      REDIS_CHANNELS: name,
      COMMANDS_MODULE: 'test/support/commands.mjs',
      CONTROL_RATE_PER_SECOND: '1000',
    };
  });

  afterEach(killLaunched);

  const gateway = (more: Record<string, string> = {}): Promise<LaunchedGateway> =>
    launchGateway({ ...variables, ...more });

  /** Asks for a command that writes down each execution; the answer, once there is one. */
  const record = (node: LaunchedGateway, data: object = {}, key?: string): Promise<JsonAnswer> =>
    requestJson(
      'POST',
      `${node.url}/api/control`,
      { action: 'test.record', data: { file, ...data } },
      key === undefined ? {} : { 'Idempotency-Key': key },
    );

  /** The executions that have begun: the command's id and the worker's process, each. */
  const executions = (): { readonly id: string; readonly pid: number }[] =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '))
      .map(([id, pid]) => ({ id: String(id), pid: Number(pid) }));

  /** What was told of commands, in the log's order. */
  const outcomes = async (): Promise<State[]> => {
    const entries = await redis.xrange(`${String(variables['REDIS_KEY_PREFIX'])}:{log}`, '-', '+');
    return entries.map(([, fields]) => JSON.parse(String(fields[fields.indexOf('data') + 1])) as State);
  };

  /** Waits for that many outcomes; when one more has followed them, none was told twice. */
  const toldOnce = async (node: LaunchedGateway, count: number): Promise<State[]> => {
    await waitUntil(async () => (await outcomes()).length >= count, 'the outcomes to be told');
    const { json } = await requestJson('POST', `${node.url}/api/control`, { action: 'test.echo' });
    await untilEnded(node, json.id);
    await waitUntil(async () => (await outcomes()).some(({ id }) => id === json.id), 'the last outcome');
    const told = await outcomes();
    expect(told.at(-1)?.id).toBe(json.id);
    expect(told).toHaveLength(count + 1);
    return told.slice(0, -1);
  };

  test('a worker is killed in the middle: another begins the command again, within 20 s', async () => {
    const node = await gateway({ CONTROL_WAIT_MS: '0' });
    const workers = await Promise.all([launchWorker(variables), launchWorker(variables)]);
    const { json } = await record(node, { ms: 1500 });
    await waitUntil(() => executions().length === 1, 'it to begin');
    const victim = workers.find((worker) => worker.process.pid === executions()[0]?.pid);
    await victim?.kill();
    await untilEnded(node, json.id, TAKE_OVER_MS);
    expect(await stateOf(node, json.id)).toMatchObject({ status: 'succeeded', result: { begun: 2 } });
    const [first, second] = executions();
    expect([first?.id, second?.id]).toEqual([json.id, json.id]);
    expect(second?.pid).not.toBe(first?.pid);
    expect(await toldOnce(node, 1)).toMatchObject([{ id: json.id, status: 'succeeded' }]);
  });

  test('every worker that begins a command dies: after two it fails, visibly, and no third is lost', async () => {
    const node = await gateway({ CONTROL_WAIT_MS: '0' });
    const { json } = await requestJson('POST', `${node.url}/api/control`, {
      action: 'test.record',
      data: { file, ms: 60_000 },
    });
    for (let begun = 1; begun <= 2; begun += 1) {
      const worker = await launchWorker(variables, QUICK_WORKER);
      await waitUntil(() => executions().length === begun, 'it to begin');
      await worker.kill();
    }
    await launchWorker(variables, QUICK_WORKER);
    await untilEnded(node, json.id);
    expect(await stateOf(node, json.id)).toMatchObject({ status: 'failed', error: { code: 'worker_lost' } });
    expect(executions()).toHaveLength(2);
    expect(await toldOnce(node, 1)).toMatchObject([{ id: json.id, error: { code: 'worker_lost' } }]);
  });

  test('a gateway is killed before it answers: the client asks another and gets the one outcome', async () => {
    const [first, second] = await Promise.all([gateway({ CONTROL_WAIT_MS: '60000' }), gateway()]);
    await launchWorker(variables);
    const unanswered = record(first, { ms: 500 }, 'k').then(
      () => 'answered',
      () => 'broken',
    );
    await waitUntil(() => executions().length === 1, 'it to begin');
    await first.kill();
    expect(await unanswered).toBe('broken');
    const { status, json } = await record(second, { ms: 500 }, 'k');
    expect([status, json]).toMatchObject([200, { status: 'succeeded', result: { begun: 1 } }]);
    expect(executions()).toMatchObject([{ id: json.id }]);
    expect(await toldOnce(second, 1)).toEqual([json]);
  });

  test('gateways are killed at any moment, their clients ask others: each command is executed and told once', async () => {
    await launchWorker(variables);
    const last = await gateway();
    const keys = Array.from({ length: 40 }, (_, index) => `k${String(index)}`);
    const victims = await Promise.all([1, 2].map(() => gateway()));
    const asked = victims.map((victim, at) =>
      Promise.all(
        keys
          .filter((_, index) => index % 2 === at)
          .map((key) => record(victim, { key }, key).catch(() => undefined)),
      ),
    );
    // Some commands have begun, some are on their way.
    await waitUntil(() => executions().length >= 5, 'commands to begin');
    await Promise.all(victims.map((victim) => victim.kill()));
    await Promise.all(asked);
    const answers = await Promise.all(keys.map((key) => record(last, { key }, key)));
    const ids = answers.map(({ json }) => String(json.id));
    await Promise.all(ids.map((id) => untilEnded(last, id)));
    expect(new Set(ids).size).toBe(keys.length);
    expect(
      executions()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...ids].sort());
    expect((await toldOnce(last, keys.length)).map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  test('no gateway lives when a command ends: whoever starts tells of it, once', async () => {
    const node = await gateway({ CONTROL_WAIT_MS: '0' });
    const worker = await launchWorker(variables);
    const { json } = await record(node, { ms: 500 });
    await waitUntil(() => executions().length === 1, 'it to begin');
    await node.kill();
    await waitUntil(() => worker.told(String(json.id)).includes('a command succeeded'), 'it to end');
    expect(await outcomes()).toEqual([]);
    const next = await Promise.all([gateway(), gateway()]);
    await waitUntil(async () => (await outcomes()).length > 0, 'the outcome to be told');
    await next[0]?.kill();
    const after = await gateway();
    expect(await toldOnce(after, 1)).toMatchObject([{ id: json.id, status: 'succeeded' }]);
    expect(await stateOf(after, json.id)).toMatchObject({ status: 'succeeded' });
  });

  test('Redis is killed and comes back, twice: what was queued is executed, and all processes go on', async () => {
    const nodes = await Promise.all([gateway({ CONTROL_WAIT_MS: '0' }), gateway({ CONTROL_WAIT_MS: '0' })]);
    const [node, other] = nodes;
    const waiting = await Promise.all(Array.from({ length: 10 }, () => record(node, { ms: 50 })));
    const restart = async (): Promise<void> => {
      await server.kill();
      await waitUntil(async () => (await record(node)).json.error?.code === 'queue_unavailable', 'a refusal');
      server = await startRedisServer({
        port: server.port,
        folder: server.folder,
        args: DURABLE,
      });
    };
    await restart();
    const workers = await Promise.all([launchWorker(variables), launchWorker(variables)]);
    await Promise.all(waiting.map(({ json }) => untilEnded(other, String(json.id))));
    await restart();
    let later: JsonAnswer | undefined;
    await waitUntil(async () => {
      later = await record(other);
      return later.status === 202;
    }, 'it to take commands again');
    const id = String(later?.json.id);
    await untilEnded(node, id);
    const ids = [...waiting.map(({ json }) => String(json.id)), id].sort();
    expect(
      executions()
        .map((one) => one.id)
        .sort(),
    ).toEqual(ids);
    expect((await toldOnce(node, ids.length)).map((one) => one.id).sort()).toEqual(ids);
    for (const one of [...nodes, ...workers]) expect(one.process.exitCode).toBeNull();
    for (const worker of workers) expect(await worker.stop()).toBe(0);
  });

  test('Redis is away for longer than a lock while a command runs: it may begin again, and is told of once', async () => {
    const node = await gateway({ CONTROL_WAIT_MS: '0' });
    const worker = await launchWorker(variables, QUICK_WORKER);
    const { json } = await record(node, { ms: 500 });
    await waitUntil(() => executions().length === 1, 'it to begin');
    await server.kill();
    // As long as the lock lasts, and some more.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    server = await startRedisServer({ port: server.port, folder: server.folder, args: DURABLE });
    await waitUntil(async () => (await stateOf(node, json.id)).status === 'succeeded', 'it to succeed');
    expect(await toldOnce(node, 1)).toMatchObject([{ id: json.id, status: 'succeeded' }]);
    expect([node.process.exitCode, worker.process.exitCode]).toEqual([null, null]);
  });

  test('any node tells the state of a command, and none of one that is nobody’s', async () => {
    const [node, other] = await Promise.all([gateway({ CONTROL_WAIT_MS: '0' }), gateway()]);
    const { status, headers, json } = await record(node);
    expect([status, json.status]).toEqual([202, 'queued']);
    const ask = (): Promise<JsonAnswer> => requestJson('GET', `${other.url}${String(headers['location'])}`);
    expect(await ask()).toMatchObject({ status: 200, json: { id: json.id, status: 'queued' } });
    await launchWorker(variables);
    await waitUntil(async () => (await ask()).json.status === 'succeeded', 'it to succeed');
    expect(await ask()).toMatchObject({ json: { action: 'test.record', result: { begun: 1 } } });
    const nobody = await requestJson('GET', `${other.url}/api/control/${randomUUID()}`);
    expect([nobody.status, nobody.json.error.code]).toEqual([404, 'unknown_command']);
  });

  test('a worker keeps the time, and tries again as often as the module says', async () => {
    const node = await gateway();
    const worker = await launchWorker(variables);
    const late = await requestJson('POST', `${node.url}/api/control`, {
      action: 'test.brief',
      data: { ms: 60_000 },
    });
    expect([late.status, late.json.error.code]).toEqual([504, 'command_timeout']);
    const flaky = await record(node, { failures: 2 });
    expect(flaky.json).toMatchObject({ status: 'succeeded', result: { begun: 3 } });
    expect(
      worker.told(String(flaky.json.id)).filter((message) => message === 'a command failed'),
    ).toHaveLength(2);
    file = `${file}-hopeless`;
    const hopeless = await record(node, { failures: 9 });
    expect([hopeless.status, hopeless.json.error]).toMatchObject([500, { message: 'failed at 3' }]);
    // test.brief publishes nothing.
    expect(await toldOnce(node, 2)).toEqual([flaky.json, hopeless.json]);
  });

  test('two nodes count one client together', async () => {
    const slow = { CONTROL_RATE_PER_SECOND: '40', CONTROL_WAIT_MS: '0' };
    const nodes = await Promise.all([gateway(slow), gateway(slow)]);
    await Promise.all(nodes.map((node) => waitUntil(async () => (await record(node)).status === 202)));
    // On a busy machine a round may fall into two windows of a second; counted apart, no round would come out like this.
    await waitUntil(async () => {
      const answers = await Promise.all(
        Array.from({ length: 80 }, (_, index) => record(nodes[index % 2] as LaunchedGateway)),
      );
      const refused = answers.filter(({ status }) => status === 429);
      for (const { json, headers } of refused) {
        expect(json.error).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) });
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
      if (refused.length === 40) return true;
      // Until both windows have ended, as the answers say: the next round is to begin one.
      const waits = refused.map(({ json }) => Number(json.error.retryAfterMs));
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, ...waits)));
      return false;
    }, 'one limit for both');
  });

  test('a replay does not count, at whichever node', async () => {
    const slow = { CONTROL_RATE_PER_SECOND: '1' };
    const nodes = await Promise.all([gateway(slow), gateway(slow)]);
    await launchWorker(variables);
    const { json } = await record(nodes[0], {}, 'k');
    for (let index = 0; index < 10; index += 1) {
      const again = await record(nodes[index % 2] as LaunchedGateway, {}, 'k');
      expect([again.status, again.json]).toEqual([200, json]);
    }
    expect(executions()).toHaveLength(1);
  });

  describe('a worker that is told to stop', () => {
    let node: LaunchedGateway;
    let worker: LaunchedWorker;
    let running: string;

    const start = async (ms: number, args?: readonly string[]): Promise<void> => {
      node = await gateway({ CONTROL_WAIT_MS: '0' });
      worker = await launchWorker(variables, args);
      running = String((await record(node, { ms })).json.id);
      await waitUntil(() => executions().length === 1, 'it to begin');
    };

    test('lets what runs end, begins nothing more, and ends with 0', async () => {
      await start(1000);
      const ending = worker.stop();
      await waitUntil(() => worker.output().includes('stopping'), 'it to stop');
      const { json } = await record(node);
      expect(await ending).toBe(0);
      expect(await stateOf(node, running)).toMatchObject({ status: 'succeeded', result: { begun: 1 } });
      expect(await stateOf(node, json.id)).toMatchObject({ status: 'queued' });
      await launchWorker(variables);
      await untilEnded(node, json.id);
      expect(await toldOnce(node, 2)).toMatchObject([{ id: running }, { id: json.id }]);
    });

    test('gives what takes too long to another, at once', async () => {
      await start(2000, QUICK_WORKER);
      const other = await launchWorker(variables);
      expect(await worker.stop()).toBe(0);
      expect(worker.told(running)).toContain('a command is given to another worker');
      await untilEnded(node, running);
      expect(executions().map(({ pid }) => pid)).toEqual([worker.process.pid, other.process.pid]);
      expect(await toldOnce(node, 1)).toMatchObject([{ id: running, status: 'succeeded' }]);
    });

    test('ends at once when it is told twice', async () => {
      await start(20_000);
      const ended = worker.stop();
      await waitUntil(() => worker.output().includes('stopping'), 'it to stop');
      worker.process.kill('SIGTERM');
      expect(await ended).toBe(1);
    });
  });
});
