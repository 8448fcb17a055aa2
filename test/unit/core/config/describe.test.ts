import { expect, test } from '@jest/globals';
import { describeConfig } from '../../../../src/core/config/describe.js';
import { ConfigFaults } from '../../../../src/core/config/fault.js';
import { loadConfig } from '../../../../src/core/config/load.js';
import { VARIABLES_BY_ENV } from '../../../../src/core/config/schema.js';

function describeWith(env: Record<string, string>): string[][] {
  const loaded = loadConfig({ env, cwd: '/nowhere', packageRoot: '/nowhere' });
  if (loaded instanceof ConfigFaults) throw new Error(loaded.toText());
  return describeConfig(loaded)
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

test('every variable has a line with its value and where it came from', () => {
  const lines = describeWith({ PORT: '81', PING_INTERVAL: '2.5', DEFAULT_ROOMS: 'a, b' });
  expect(lines[0]).toEqual(['VARIABLE', 'VALUE', 'SOURCE']);
  expect(lines.slice(1, VARIABLES_BY_ENV.size + 1).map(([name]) => name)).toEqual([
    ...VARIABLES_BY_ENV.keys(),
  ]);
  expect(lines).toContainEqual(['PORT', '81', 'environment']);
  expect(lines).toContainEqual(['PING_INTERVAL', '2.5', 'environment']);
  expect(lines).toContainEqual(['DEFAULT_ROOMS', 'a,b', 'environment']);
  expect(lines).toContainEqual(['LOG_LEVEL', 'info', 'default']);
  expect(lines).toContainEqual(['Files read: none']);
});

test('defaults that depend say on what', () => {
  const lines = describeWith({ APP_PROFILE: 'sse', ENABLE_WS: 'on' });
  expect(lines).toContainEqual(['APP_PROFILE', 'SSE', 'environment']);
  expect(lines).toContainEqual(['ENABLE_WS', 'true', 'environment']);
  expect(lines).toContainEqual(['ENABLE_SSE', 'true', 'default (by profile: true in SSE and HYBRID)']);
  expect(lines).toContainEqual(['HOST_MONITOR', 'true', 'default (true without REDIS_URL, else false)']);
});

test('a password is masked', () => {
  const lines = describeWith({ REDIS_URL: 'redis://user:hunter2@h:6379/1' });
  expect(lines).toContainEqual(['REDIS_URL', 'redis://user:***@h:6379/1', 'environment']);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});
