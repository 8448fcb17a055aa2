import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ProfileName } from '../../src/core/config/profile.js';
import { ConfigFaults } from '../../src/core/config/fault.js';
import { loadConfig } from '../../src/core/config/load.js';
import { Refusal } from '../../src/core/errors.js';
import { Reload, type ReloadedGateway } from '../../src/reload.js';

let folder: string;
let lines: { readonly level: string; readonly message: string; readonly fields: object }[];
let served: ProfileName;
let flips: ProfileName[];
let refusal: Refusal | undefined;

const log =
  (level: string) =>
  (message: string, fields: object = {}) => {
    lines.push({ level, message, fields });
  };
const logger = { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug') };
const gateway: ReloadedGateway = {
  profile: () => served,
  takeKeys: () => undefined,
  flip: (profile) => {
    if (refusal !== undefined) return Promise.resolve(refusal);
    flips.push(profile);
    served = profile;
    return Promise.resolve({
      profile,
      transports: { websocket: true, sse: true, control: true },
      since: 0,
      repeated: false,
      flip: null,
    });
  },
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'flipgate-reload-'));
  mkdirSync(path.join(folder, 'config'));
  lines = [];
  flips = [];
  refusal = undefined;
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

let env: Record<string, string> = {};

/** What is read when the env file holds this. */
function read(envFile: string) {
  writeFileSync(path.join(folder, '.env'), envFile);
  return loadConfig({ env, cwd: folder, packageRoot: folder });
}

function started(envFile: string, environment: Record<string, string> = {}): Reload {
  env = environment;
  const loaded = read(envFile);
  if (loaded instanceof ConfigFaults) throw new Error(loaded.toText());
  served = loaded.config.profile;
  return new Reload(gateway, loaded, logger);
}

/** The line that sums the reload up. */
const summary = () => lines.findLast(({ message }) => message.startsWith('the configuration was read again'));

test('a reload for something else does not undo a flip; it says that the profile stays', async () => {
  const reload = started('APP_PROFILE=WEBSOCKET\n');
  served = 'SSE';
  await reload.run(read('APP_PROFILE=websocket\n'));
  expect([served, flips]).toEqual(['SSE', []]);
  expect(lines[0]).toMatchObject({
    level: 'info',
    message: expect.stringMatching(/WEBSOCKET as before, so SSE stays/),
  });
  expect(summary()).toMatchObject({ fields: { changed: [], applied: [], needRestart: [], overridden: [] } });
});

test('another profile in the file is served, and counted as applied', async () => {
  const reload = started('APP_PROFILE=WEBSOCKET\n');
  await reload.run(read('APP_PROFILE=sse\n'));
  expect(flips).toEqual(['SSE']);
  expect(summary()).toMatchObject({
    level: 'info',
    fields: {
      changed: [{ variable: 'APP_PROFILE', from: 'WEBSOCKET', to: 'SSE', source: '.env' }],
      applied: ['APP_PROFILE'],
    },
  });
  // Back by hand, then again by the file.
  served = 'WEBSOCKET';
  await reload.run(read('APP_PROFILE=SSE\n'));
  expect(flips).toEqual(['SSE']);
  await reload.run(read('APP_PROFILE=HYBRID\n'));
  expect(flips).toEqual(['SSE', 'HYBRID']);
});

test('a profile that was refused is tried again at the next one', async () => {
  const reload = started('APP_PROFILE=WEBSOCKET\n');
  refusal = new Refusal('flip_failed', 'no');
  await reload.run(read('APP_PROFILE=SSE\n'));
  expect(lines[0]).toMatchObject({ level: 'error', fields: { code: 'flip_failed' } });
  expect(summary()).toMatchObject({ fields: { applied: [] } });
  refusal = undefined;
  await reload.run(read('APP_PROFILE=SSE\n'));
  expect(flips).toEqual(['SSE']);
});

test('a profile that no file names any more stays', async () => {
  const reload = started('APP_PROFILE=SSE\n');
  await reload.run(read('PORT=5002\n'));
  expect([served, flips]).toEqual(['SSE', []]);
  expect(lines[0]).toMatchObject({
    level: 'warn',
    message: expect.stringContaining('no file names APP_PROFILE'),
  });
});

test('what the environment sets is stronger than the file, which is told when the file changes', async () => {
  const reload = started('', { APP_PROFILE: 'SSE', PORT: '5010' });
  await reload.run(read('MAX_CONNECTIONS=20000\n'));
  expect(lines).toHaveLength(1);
  await reload.run(read('APP_PROFILE=WEBSOCKET\nPORT=5011\n'));
  expect([served, flips]).toEqual(['SSE', []]);
  expect(summary()).toMatchObject({
    level: 'warn',
    message: expect.stringContaining('overrides what files say of APP_PROFILE, PORT'),
    fields: { changed: [], overridden: ['APP_PROFILE', 'PORT'] },
  });
});

test('variables that need a restart are named until the process has them, their secrets masked', async () => {
  const reload = started('PORT=5002\n');
  await reload.run(read('PORT=5003\nREDIS_URL=redis://:hunter2@h\nPING_INTERVAL=2.5\n'));
  expect(summary()).toMatchObject({
    level: 'warn',
    message:
      'the configuration was read again: restart this process for PORT, PING_INTERVAL, REDIS_URL to take effect',
    fields: {
      changed: [
        { variable: 'PORT', from: '5002', to: '5003' },
        { variable: 'PING_INTERVAL', from: '10', to: '2.5' },
        { variable: 'REDIS_URL', from: 'none: everything in this process', to: 'redis://:***@h' },
      ],
      applied: [],
    },
  });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  await reload.run(read('PORT=5003\n'));
  expect(summary()).toMatchObject({ fields: { needRestart: ['PORT'] } });
  await reload.run(read('PORT=5002\n'));
  expect(summary()).toMatchObject({ level: 'info', fields: { needRestart: [] } });
});

/** A line of the env file. */
const key = (id: string) => `API_KEYS=[{"id":"${id}","key":"${'k'.repeat(32)}"}]\n`;

test('API keys are applied where tokens are asked for', async () => {
  const withTokens = started(`AUTH_MODE=token\n${key('a')}`);
  await withTokens.run(read(`AUTH_MODE=token\n${key('b')}`));
  expect(summary()).toMatchObject({ fields: { applied: ['API_KEYS'], needRestart: [] } });
  const without = started(key('a'));
  await without.run(read(key('b')));
  expect(summary()).toMatchObject({ fields: { applied: [], needRestart: ['API_KEYS'] } });
});

test('faults change nothing, and what is told of misspelt names is told once', async () => {
  const reload = started('APP_PROFILE=WEBSOCKET\n');
  await reload.run(read('APP_PROFILE=nonsense\nREDIS_ULR=x\n'));
  expect([flips, lines]).toMatchObject([
    [],
    [{ level: 'error', fields: { faults: expect.stringContaining('nonsense') } }],
  ]);
  await reload.run(read('APP_PROFILE=SSE\nREDIS_ULR=x\n'));
  await reload.run(read('APP_PROFILE=SSE\nREDIS_ULR=x\n'));
  expect(flips).toEqual(['SSE']);
  expect(lines.filter(({ message }) => message.endsWith('Did you mean REDIS_URL?'))).toHaveLength(1);
});
