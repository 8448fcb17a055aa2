import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { ValidationResult } from '../../src/validate/validation-result.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { type ProgramRun, runProgram } from '../support/run-program.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-validated-'));
const PATIENCE_MS = 60_000;
const KEY = 'a-key-for-validate';
/** A small load; how fast a machine is that tests share is none of the tests' business. */
const BRIEF = [
  '--quick',
  ...'--clients=12 --rate=150 --seconds=0.6 --warm-up=0.2 --processes=1'.split(' '),
  ...'--loop-lag=60000 --taken=0 --cpu-saving=-10000'.split(' '),
];

function validate(...args: string[]): Promise<ProgramRun> {
  return runProgram('dist/cli.js', ['validate', ...args], { TMPDIR: folder }, PATIENCE_MS);
}

function read(file: string): string {
  return readFileSync(path.join(folder, file), 'utf8');
}

afterAll(async () => {
  await killLaunched();
  rmSync(folder, { recursive: true, force: true });
});

describe('flipgate validate', () => {
  test.concurrent(
    'passes where all levels hold, and shows it',
    async () => {
      const { code, stdout } = await validate(
        ...BRIEF,
        ...'--profiles=HYBRID --clients=30 --p95=60000'.split(' '),
        '--json',
        path.join(folder, 'own.json'),
        '--html',
        path.join(folder, 'own.html'),
      );
      expect([code, stdout.split('\n').at(-2)]).toEqual([0, 'PASSED']);
      const { profiles, failures } = JSON.parse(read('own.json')) as ValidationResult;
      expect([profiles.map(({ profile }) => profile), failures]).toEqual([['HYBRID'], []]);
      const { gateway, baseline, levels } = profiles[0] ?? {};
      expect(levels?.map(({ status }) => status)).toEqual(levels?.map(() => 'PASS'));
      expect(gateway?.kinds.map(({ kind, clients }) => [kind, clients])).toEqual([
        ['legacy', 10],
        ['bundle', 10],
        ['sse', 10],
      ]);
      // One emit per event is every event to every client; a gateway leaves out what is replaced.
      expect(baseline?.kinds.map(({ arrivals }) => arrivals)).toEqual(
        baseline?.kinds.map(({ clients }) => clients * (baseline.events ?? 0)),
      );
      for (const { arrivals, clients, p95 } of gateway?.kinds ?? []) {
        expect(arrivals).toBeGreaterThan(0);
        expect(arrivals).toBeLessThan(clients * (gateway?.events ?? 0));
        expect(p95).not.toBeNull();
      }
      expect(gateway?.points.length).toBeGreaterThan(0);
      expect(read('own.html')).toContain('<svg class="plot"');
      expect(readdirSync(folder).filter((name) => name.startsWith('flipgate-validate-'))).toEqual([]);
    },
    PATIENCE_MS,
  );

  test.concurrent(
    'fails where a target can not be met, on a gateway that runs, and flips it back to what it served',
    async () => {
      const rights = { subscribe: ['validate-*'], publish: ['validate-*'], admin: ['status', 'flip'] };
      const gateway = await launchGateway({
        APP_PROFILE: 'WEBSOCKET',
        AUTH_MODE: 'token',
        API_KEYS: JSON.stringify([{ id: 'validate', key: KEY, ...rights }]),
        DRAIN_MS: '0',
      });
      const { code, stdout } = await validate(
        ...BRIEF,
        '--url',
        gateway.url,
        '--token',
        KEY,
        '--flip',
        '--profiles=SSE',
        '--p95=0',
        '--json',
        path.join(folder, 'running.json'),
      );
      expect(code).toBe(1);
      expect(stdout).toMatch(/SSE: p95 latency, SSE clients: \S+ ms, must be < 0 ms/);
      const { profiles } = JSON.parse(read('running.json')) as ValidationResult;
      expect(profiles.map(({ profile, trouble }) => [profile, trouble])).toEqual([['SSE', null]]);
      expect(profiles[0]?.levels.filter(({ status }) => status === 'NOT MEASURED')).toEqual([]);
      const served = (await (await fetch(`${gateway.url}/api/profile`)).json()) as { profile: string };
      expect(served.profile).toBe('WEBSOCKET');
      expect(read('running.json')).not.toContain(KEY);
      // Refused in the middle of it, it says by what.
      const refused = await validate(...BRIEF, '--url', gateway.url, '--token', 'no-such-key');
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain('could not connect: invalid_token');
    },
    PATIENCE_MS,
  );

  test.concurrent(
    'ends with 2 where it is called wrongly, or there is no gateway',
    async () => {
      const wrong = await validate('--clients=none');
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--clients')]);
      const absent = await validate('--url=http://127.0.0.1:9');
      expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining('no gateway answers')]);
    },
    PATIENCE_MS,
  );
});
