import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { EXIT_CONFIG } from '../../../src/core/config/fault.js';
import { graceMsFor, linesOf, secondsToMs, textOf, variablesOf } from '../../support/deploy-files.js';
import { ROOT } from '../../support/launched-gateway.js';

describe('the unit for systemd', () => {
  const lines = linesOf(textOf('deploy/systemd/flipgate.service'));
  const section = lines.indexOf('[Service]');
  const settings = lines.slice(section + 1, lines.indexOf('[Install]')).map((line) => line.split(/=(.*)/, 2));
  const all = (key: string): readonly string[] =>
    settings.filter(([name]) => name === key).map(([, value]) => String(value));
  const example = variablesOf(textOf('deploy/systemd/flipgate.env.example'));

  test('has its three sections, and says things once', () => {
    expect(lines.filter((line) => line.startsWith('['))).toEqual(['[Unit]', '[Service]', '[Install]']);
    const names = settings.map(([name]) => String(name));
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    expect(new Set(twice)).toEqual(new Set(['Environment', 'SystemCallFilter']));
  });

  test('finds what it names where the steps of the README put it', () => {
    const [, file] =
      lines.map((line) => /^Documentation=file:\/opt\/flipgate\/(.*)$/.exec(line)).find(Boolean) ?? [];
    expect(existsSync(path.join(ROOT, String(file)))).toBe(true);
    const [, copied = ''] = /cp -r (.*) \/opt\/flipgate-\$VERSION\//.exec(textOf('deploy/README.md')) ?? [];
    expect(copied.split(' ')).toContain(String(file).split('/')[0]);
    expect(copied.split(' ')).toContain(all('ExecStart')[0]?.split(/[ /]/).at(-3));
    expect(all('WorkingDirectory')).toEqual(['/opt/flipgate']);
  });

  test('gives clients the time to move, and signals to the gateway alone', () => {
    expect(secondsToMs(all('TimeoutStopSec')[0] ?? '')).toBeGreaterThanOrEqual(
      graceMsFor(Number(example.DRAIN_MS)),
    );
    expect(all('KillMode')).toEqual(['mixed']);
    expect(all('ExecStart')).toEqual(['/usr/bin/node dist/cli.js start']);
  });

  test('starts again what failed, but not what is wrongly configured', () => {
    expect(all('Restart')).toEqual(['on-failure']);
    expect(all('RestartPreventExitStatus')).toEqual([String(EXIT_CONFIG)]);
  });

  test('flips at a reload: the profile is in the file that is read again, and not in the environment', () => {
    expect(all('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID']);
    expect(all('EnvironmentFile')).toEqual([]);
    expect(all('Environment')).toEqual(['NODE_ENV=production', 'ENV_FILE=/etc/flipgate/flipgate.env']);
    expect(example).toHaveProperty('APP_PROFILE');
  });

  test('takes from it what it does not need, and leaves it what V8 needs', () => {
    for (const [key, value] of Object.entries({
      User: 'flipgate',
      NoNewPrivileges: 'yes',
      CapabilityBoundingSet: '',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      PrivateDevices: 'yes',
      MemoryDenyWriteExecute: 'no',
    })) {
      expect([key, ...all(key)]).toEqual([key, value]);
    }
    expect(Number(all('LimitNOFILE')[0])).toBeGreaterThan(20_000);
  });
});

test('the service for Windows gives clients the time to move, and no profile in the environment', () => {
  const xml = textOf('deploy/windows/flipgate-service.xml');
  const [, timeout] = /<stoptimeout>(.*)<\/stoptimeout>/.exec(xml) ?? [];
  expect(secondsToMs(timeout ?? '')).toBeGreaterThanOrEqual(graceMsFor(10_000));
  expect([...xml.matchAll(/<env name="(\w+)"/g)].map(([, name]) => name)).toEqual(['NODE_ENV', 'ENV_FILE']);
});
