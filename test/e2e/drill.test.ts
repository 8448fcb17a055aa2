import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { alteringProxy } from '../support/altering-proxy.js';
import { DrillRun, removeDrills } from '../support/drill-run.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

/** How fast clients are on a machine that tests share is none of the tests' business. */
const LENIENT = '--max-interruption=30000';
/** As short as it can be, with nobody who waits long to come back. */
const BRIEF = [
  LENIENT,
  '--legacy=0',
  '--clients=6',
  '--rate=90',
  '--hold=0',
  '--drain-ms=100',
  '--processes=1',
];
const STEPS = [
  'baseline',
  'WEBSOCKET → HYBRID',
  'HYBRID → SSE',
  'SSE → WEBSOCKET',
  'rolling restart',
  'SIGKILL',
];
const PATIENCE_MS = 60_000;

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedisServer();
});

afterAll(async () => {
  removeDrills();
  await redis.stop();
});

describe('flipgate drill', () => {
  test.concurrent(
    'passes where all is as it should be, and shows it',
    async () => {
      const run = new DrillRun(
        LENIENT,
        '--quick',
        '--clients=16',
        '--legacy=6',
        '--hold=0.3',
        '--drain-ms=200',
      );
      expect([await run.exitCode(), run.stdout.split('\n').at(-2)]).toEqual([0, 'PASSED']);
      const { passed, failures, steps, targets } = run.result;
      expect([passed, failures]).toEqual([true, []]);
      expect(steps.map(({ name }) => name)).toEqual(STEPS);
      for (const { sdk, legacy, published } of steps) {
        expect(published).toBeGreaterThan(0);
        for (const { lost, doubled, outOfOrder, gaps, overdue } of [sdk, legacy]) {
          expect([lost, doubled, outOfOrder, gaps, overdue]).toEqual([0, 0, 0, 0, 0]);
        }
      }
      expect(targets.map((target) => target.passed)).toEqual(targets.map(() => true));
      // All clients of the SDK change hands at the flips between wires; a node's, when it is killed.
      const [, hybrid, sse, websocket, restart, kill] = steps.map(({ sdk }) => sdk.interruptions.count);
      expect(hybrid).toBe(0);
      for (const count of [sse, websocket, restart]) expect(count).toBeGreaterThanOrEqual(16);
      expect(kill).toBeGreaterThan(0);
      expect(steps[2]?.legacy.interruptions.count).toBe(6);
      expect(run.report).toContain('<svg class="plot timeline"');
      expect([run.processes, run.folders]).toEqual([[], []]);
    },
    PATIENCE_MS,
  );

  test.concurrent(
    'fails where one event of all is altered on its way into the log',
    async () => {
      // Its number becomes that of the next one: one is lost to every client, and one comes twice.
      const proxy = await alteringProxy(redis.port, /"by":"xadd","n":3[0-8]\}/, (found) =>
        found.replace(/\d\}$/, (digit) => `${String(Number.parseInt(digit, 10) + 1)}}`),
      );
      const url = `redis://127.0.0.1:${String(proxy.port)}`;
      const run = new DrillRun(...BRIEF, `--redis-url=${url}`, '--hold=1');
      expect(await run.exitCode()).toBe(1);
      const altered = Number(/\d+/.exec(proxy.found() ?? '')?.[0]);
      const { passed, failures, steps } = run.result;
      const sum = (what: 'lost' | 'doubled' | 'outOfOrder'): number =>
        steps.reduce((total, { sdk }) => total + sdk[what], 0);
      expect([passed, sum('lost'), sum('doubled'), sum('outOfOrder')]).toEqual([false, 6, 6, 0]);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatch(/^.+: 6 lost, 6 doubled at 6 SDK clients/);
      expect(failures[0]).toContain(
        `client 0, xadd: lost ${String(altered)}; client 0, xadd: doubled ${String(altered + 1)}`,
      );
      expect(run.stdout).toContain(`FAILED\n  ${String(failures[0])}`);
      proxy.close();
      const keys = new Redis(redis.url);
      expect(await keys.keys('*flipgate-drill-*')).toEqual([]);
      await keys.quit();
    },
    PATIENCE_MS,
  );

  test.concurrent(
    'leaves nothing behind after Ctrl-C',
    async () => {
      const run = new DrillRun(...BRIEF, '--hold=30');
      await waitUntil(() => run.stderr.includes('baseline'), 'the first step', PATIENCE_MS);
      expect(run.processes.length).toBeGreaterThanOrEqual(5);
      run.process.kill('SIGINT');
      expect(await run.exitCode()).toBe(130);
      expect([run.processes, run.folders]).toEqual([[], []]);
    },
    PATIENCE_MS,
  );

  test.concurrent(
    'leaves nothing behind where it is killed',
    async () => {
      const run = new DrillRun(...BRIEF, '--hold=30');
      await waitUntil(() => run.stderr.includes('baseline'), 'the first step', PATIENCE_MS);
      run.process.kill('SIGKILL');
      await run.exitCode();
      await waitUntil(() => run.processes.length + run.folders.length === 0, 'all to be gone', PATIENCE_MS);
    },
    PATIENCE_MS,
  );

  test.concurrent(
    'says what it can not begin with',
    async () => {
      const run = new DrillRun('--redis-server=no-such-redis');
      expect(await run.exitCode()).toBe(2);
      expect(run.stderr).toMatch(/no-such-redis did not start: .*ENOENT.*--redis-url/);
      expect([run.processes, run.folders]).toEqual([[], []]);
    },
    PATIENCE_MS,
  );
});
