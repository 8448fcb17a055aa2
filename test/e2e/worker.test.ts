import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Worker } from 'bullmq';
import { connectRedis } from '../../src/core/redis/redis-connection.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { launchWorker } from '../support/launched-worker.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { runProgram } from '../support/run-program.js';
import { silentLogger } from '../support/silent-logger.js';
import { waitUntil } from '../support/wait-until.js';

const ELSEWHERE = 'test/support/elsewhere-commands.mjs';
const HANDLERLESS = 'test/support/handlerless-commands.mjs';

afterEach(killLaunched);

describe('flipgate worker', () => {
  test.each([
    [
      'without anything',
      {},
      [/^REDIS_URL="".*: a worker needs the Redis/, /^COMMANDS_MODULE="".*: a worker needs/],
    ],
    ['without Redis', { COMMANDS_MODULE: ELSEWHERE }, [/^REDIS_URL=""/]],
    ['without a module', { REDIS_URL: 'redis://127.0.0.1:1' }, [/^COMMANDS_MODULE=""/]],
    [
      'without a handler',
      { REDIS_URL: 'redis://127.0.0.1:1', COMMANDS_MODULE: HANDLERLESS },
      [/^COMMANDS_MODULE=.*none of its commands has a handler/],
    ],
    [
      'with a module that is none',
      { REDIS_URL: 'redis://127.0.0.1:1', COMMANDS_MODULE: 'package.json' },
      [/^COMMANDS_MODULE=.*cannot be imported/],
    ],
    ['with a bad configuration', { PORT: 'x' }, [/^PORT="x"/]],
  ])('%s refuses to start', async (_how, variables: Record<string, string>, faults) => {
    const { code, stdout, stderr } = await runProgram('dist/cli.js', ['worker'], variables);
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr.trimEnd().split('\n')).toEqual(faults.map((fault) => expect.stringMatching(fault)));
  });

  test('waits for a Redis that is not there yet, and ends without it', async () => {
    const worker = await launchWorker({ REDIS_URL: 'redis://127.0.0.1:1' });
    await waitUntil(() => worker.output().includes('redis is unreachable'), 'it to say so');
    const stoppedAt = performance.now();
    expect(await worker.stop()).toBe(0);
    // What a command that runs may take to end is twenty seconds.
    expect(performance.now() - stoppedAt).toBeLessThan(15_000);
  });
});

describe('commands that workers of another kind execute', () => {
  test('a gateway without Redis refuses them, by name', async () => {
    const { code, stderr } = await runProgram('dist/launcher.js', [], { COMMANDS_MODULE: ELSEWHERE });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^COMMANDS_MODULE=.*"governor\.start" has no handler.*REDIS_URL/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('wait in a queue of their own, and flipgate’s workers leave them alone', async () => {
    const prefix = `test-${randomUUID()}`;
    const variables = {
      REDIS_URL: testRedisUrl(),
      REDIS_KEY_PREFIX: prefix,
      COMMANDS_MODULE: ELSEWHERE,
      CONTROL_WAIT_MS: '0',
    };
    const node = await launchGateway({ APP_PROFILE: 'SSE', ...variables });
    const worker = await launchWorker(variables);
    const ask = (action: string): Promise<ReturnType<typeof JSON.parse>> =>
      requestJson('POST', `${node.url}/api/control`, { action, data: { speed: 1 } });
    const stateOf = async (id: string): Promise<ReturnType<typeof JSON.parse>> =>
      (await requestJson('GET', `${node.url}/api/control/${id}`)).json;
    const theirs = await ask('governor.start');
    const ours = await ask('test.echo');
    await waitUntil(async () => (await stateOf(ours.json.id)).status === 'succeeded', 'ours to be executed');
    expect(await stateOf(theirs.json.id)).toMatchObject({ status: 'queued' });
    const connection = connectRedis(testRedisUrl(), 'work', silentLogger);
    const other = new Worker('governor', ({ name, data }) => Promise.resolve({ name, data }), {
      connection,
      prefix: `{${prefix}}`,
    });
    try {
      await waitUntil(async () => (await stateOf(theirs.json.id)).status === 'succeeded', 'theirs too');
      expect(await stateOf(theirs.json.id)).toMatchObject({
        result: {
          name: 'governor.start',
          data: {
            action: 'governor.start',
            data: { speed: 1 },
            timeoutMs: 5000,
            publishes: { type: 'governor_update', room: 'a' },
          },
        },
      });
      await waitUntil(async () => {
        const { json } = await requestJson('GET', `${node.url}/api/rooms/a/events`);
        return json.events.length === 1 && json.events[0].type === 'governor_update';
      }, 'its event');
      expect(worker.told(theirs.json.id)).toEqual([]);
    } finally {
      await other.close();
      connection.disconnect();
    }
  });
});
