import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { systemClock } from '../../src/core/clock.js';
import type { Config } from '../../src/core/config/config.js';
import { ConfigFaults } from '../../src/core/config/fault.js';
import { loadConfig } from '../../src/core/config/load.js';
import { VARIABLES } from '../../src/core/config/schema.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { openTokens } from '../../src/wiring/tokens.js';
import { readTables } from '../../src/tables.js';
import { brokenJson, nastyFields, nastyJson, nastyText } from '../support/nasty.js';
import { silentLogger } from '../support/silent-logger.js';

/** Stands in what must not be shown: keys, secrets and passwords. */
const SECRET = 'S3cr3t-in-a-place-that-is-told-to-nobody';
const NAMES = Object.values(VARIABLES).map(({ env }) => env);
let root: string;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'flipgate-hostile-'));
  mkdirSync(path.join(root, 'config'));
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

const key = nastyFields({
  id: ['a', 'b', SECRET],
  key: [SECRET, `${SECRET} `, [SECRET], { [SECRET]: 1 }],
  sha256: ['0'.repeat(64), SECRET],
  subscribe: [['*'], '*', [7], [SECRET]],
  admin: [['status'], ['everything'], [SECRET]],
  [SECRET]: [1],
});
const keys = fc.oneof(
  fc.array(key, { maxLength: 4 }).map((all) => `[${all.join()}]`),
  brokenJson.map((json) => `${json}${SECRET}`),
  nastyJson,
);
const secretive: Readonly<Record<string, fc.Arbitrary<string>>> = {
  API_KEYS: keys,
  JWT_SECRET: nastyText.map((end) => SECRET.slice(0, 20) + end),
  ANONYMOUS_RIGHTS: fc.oneof(nastyFields({ subscribe: [['*'], '*'], admin: [['status'], 'x'] }), brokenJson),
  REDIS_URL: fc
    .tuple(
      fc.constantFrom('redis:', 'rediss:', 'redis+sentinel:', 'redis+cluster:', 'http:', ''),
      nastyText,
      nastyText,
    )
    .map(([scheme, host, db]) => `${scheme}//user:${SECRET}@${host}/${db}`),
};
const plain = fc.oneof(
  nastyText,
  fc.constantFrom(
    '0',
    '1',
    'true',
    'false',
    'token',
    'none',
    'SSE',
    'HYBRID',
    '127.0.0.1',
    '1e9',
    '0x10',
    ' 5 ',
    '*',
    'a,b',
    '10.0.0.0/33',
    '::',
    'https://x',
    '/',
    '.',
    '/dev/null',
    '/proc/self/mem',
  ),
  fc.integer().map(String),
);
const names = [
  ...NAMES.filter((name) => !Object.hasOwn(secretive, name) && !name.endsWith('_FILE')),
  '__proto__',
  'constructor',
  'UNKNOWN',
];
const environment = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom(...names), plain), { maxLength: 3 }),
  fc.record(secretive, { requiredKeys: [] }),
  fc.boolean(),
);

/** What must never be in what is told: the secret, or as much of it as would help. */
function isTold(text: string): boolean {
  return text.includes(SECRET.slice(0, 12)) || text.includes(SECRET.slice(-12));
}

/** All that reads the configuration, as at the start: faults with remedies, or what it is. */
function read(env: Readonly<Record<string, string>>): ConfigFaults | undefined {
  const loaded = loadConfig({ env, cwd: root, packageRoot: root });
  return loaded instanceof ConfigFaults ? loaded : readBehind(loaded.config);
}

/** What is behind the variables: keys, rights, tables. */
function readBehind(config: Config): ConfigFaults | undefined {
  const base = { config, clock: systemClock, logger: silentLogger, counters: new Counters() };
  const tokens = openTokens(base as never);
  if (tokens instanceof ConfigFaults) return tokens;
  const tables = readTables(config);
  return tables instanceof ConfigFaults ? tables : undefined;
}

let cases = 0;
let good = 0;

const check = (env: Readonly<Record<string, string>>): void => {
  judge(read(env));
};

/** There is no fault, or each says what to do, and none what nobody may know. */
function judge(faults: ConfigFaults | undefined): void {
  cases += 1;
  if (faults === undefined) {
    good += 1;
    return;
  }
  expect(faults.faults.length).toBeGreaterThan(0);
  for (const { remedy } of faults.faults) expect(remedy).not.toBe('');
  if (isTold(faults.toText())) throw new Error(`a secret is told: ${faults.toText()}`);
}

function goodConfig(): Config {
  const loaded = loadConfig({ env: {}, cwd: root, packageRoot: root });
  if (loaded instanceof ConfigFaults) throw new Error(loaded.toText());
  return loaded.config;
}

const GOOD_TABLES = { 'event-types.json': '{}', 'hak-gal.json': '{}' };

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files))
    writeFileSync(path.join(root, 'config', name), content);
}

test('an environment of any kind', () => {
  write(GOOD_TABLES);
  fc.assert(
    fc.property(environment, ([some, secrets, isToken]) => {
      check({ ...(isToken ? { AUTH_MODE: 'token' } : {}), ...secrets, ...Object.fromEntries(some) });
    }),
    { numRuns: 300 },
  );
});

test('keys in a file, and files that are none', () => {
  const config = goodConfig();
  const file = path.join(root, 'keys.json');
  fc.assert(
    fc.property(keys, keys, (inFile, inline) => {
      writeFileSync(file, inFile);
      judge(readBehind({ ...config, apiKeysFile: file, apiKeys: inline }));
      judge(readBehind({ ...config, jwtPublicKeyFile: file, anonymousRights: inline }));
    }),
    { numRuns: 400 },
  );
  for (const odd of ['/', '/dev/null', '/no/such', '\0', '', root]) {
    for (const name of NAMES.filter((one) => one.endsWith('_FILE') || one === 'COMMANDS_MODULE'))
      check({ AUTH_MODE: 'token', [name]: odd });
  }
});

test('files of configuration and tables of any content', () => {
  const variables = fc.array(
    fc.tuple(
      fc.constantFrom(...NAMES, '__proto__'),
      fc.oneof(
        plain.map((value) => JSON.stringify(value)),
        nastyJson,
      ),
    ),
    { maxLength: 4 },
  );
  const configFile = fc.oneof(
    variables.map((all) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`),
    nastyJson,
    brokenJson,
  );
  const policy = nastyFields({
    policy: ['latest', 'append', 'x'],
    per: ['shape', 'type', 7],
    rooms: [['a'], 'a', ['*'], [7]],
  });
  const table = fc.oneof(
    fc
      .array(fc.tuple(nastyText, fc.oneof(policy, nastyJson)), { maxLength: 3 })
      .map((all) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`),
    nastyFields({
      onConnect: [[], [{ type: 'a', data: 1 }], 7],
      events: [
        {},
        { a: { snapshot: 'all' } },
        { a: { command: 'x{y}' } },
        { a: { command: '{', values: 7 } },
      ],
    }),
    nastyJson,
    brokenJson,
  );
  fc.assert(
    fc.property(configFile, table, table, nastyText, (config, types, legacy, lines) => {
      write({ 'hostile.json': config, 'event-types.json': types, 'hak-gal.json': legacy });
      writeFileSync(path.join(root, '.env'), `A=${lines}\nAPI_KEYS=${SECRET}\n`);
      check({ NODE_ENV: 'hostile' });
      check({ NODE_ENV: 'other', ENV_FILE: '' });
    }),
    { numRuns: 60 },
  );
  rmSync(path.join(root, '.env'));
  const loaded = goodConfig();
  fc.assert(
    fc.property(table, table, (types, legacy) => {
      write({ 'event-types.json': types, 'hak-gal.json': '{}' });
      judge(readBehind(loaded));
      write({ 'event-types.json': '{}', 'hak-gal.json': legacy });
      judge(readBehind(loaded));
    }),
    { numRuns: 400 },
  );
  process.stdout.write(`hostile cases: configuration ${String(cases)}, of which ${String(good)} good\n`);
  expect(cases).toBeGreaterThan(2000);
  // Some are; else nothing but the first fault was seen.
  expect(good).toBeGreaterThan(20);
});
