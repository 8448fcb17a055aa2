import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'dotenv';
import { ConfigFaults } from '../../../../src/core/config/fault.js';
import { loadConfig } from '../../../../src/core/config/load.js';
import {
  renderConfigTable,
  renderEnvExample,
  withConfigTable,
} from '../../../../src/core/config/reference.js';
import { VARIABLES_BY_ENV } from '../../../../src/core/config/schema.js';

const packageRoot = path.resolve(__dirname, '../../../..');

describe('documents are current (else: npm run build && npm run docs)', () => {
  test('.env.example', () => {
    expect(readFileSync(path.join(packageRoot, '.env.example'), 'utf8')).toBe(renderEnvExample());
  });

  test('the table in README.md', () => {
    const readme = readFileSync(path.join(packageRoot, 'README.md'), 'utf8');
    expect(withConfigTable(readme)).toBe(readme);
  });

  test('the config files of the package load', () => {
    for (const NODE_ENV of ['', 'production']) {
      const cwd = path.join(packageRoot, 'config');
      expect(loadConfig({ env: { NODE_ENV }, cwd, packageRoot })).not.toBeInstanceOf(ConfigFaults);
    }
  });
});

test('.env.example sets nothing as it is, and the defaults when all of it is uncommented', () => {
  const uncommented = renderEnvExample().replaceAll(/^#(?=[A-Z])/gm, '');
  expect(parse(renderEnvExample())).toEqual({});
  expect(Object.keys(parse(uncommented))).toEqual([...VARIABLES_BY_ENV.keys()]);
  const cwd = mkdtempSync(path.join(tmpdir(), 'flipgate-config-'));
  try {
    const before = loadConfig({ env: {}, cwd, packageRoot });
    writeFileSync(path.join(cwd, '.env'), uncommented);
    const after = loadConfig({ env: {}, cwd, packageRoot });
    if (before instanceof ConfigFaults || after instanceof ConfigFaults) throw new Error('there were faults');
    expect(after.sources['PORT']).toBe('.env');
    expect(after.config).toEqual(before.config);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

test('the table has a row of four cells for each variable', () => {
  const rows = renderConfigTable().split('\n').slice(2);
  expect(rows).toHaveLength(VARIABLES_BY_ENV.size);
  for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(6);
});

describe('withConfigTable', () => {
  test('renews what is between the markers, and only that', () => {
    const document = 'a\n<!-- config:begin -->\nold\n<!-- config:end -->\nb\n';
    const renewed = withConfigTable(document) ?? '';
    expect(renewed).toBe(`a\n<!-- config:begin -->\n${renderConfigTable()}\n<!-- config:end -->\nb\n`);
    expect(withConfigTable(renewed)).toBe(renewed);
  });

  test.each(['', '<!-- config:begin -->', '<!-- config:end --><!-- config:begin -->'])(
    'refuses %j',
    (document) => {
      expect(withConfigTable(document)).toBeUndefined();
    },
  );
});
