import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigFaults } from '../../../../src/core/config/fault.js';
import { loadConfig } from '../../../../src/core/config/load.js';
import { noticesOfEnvFile, noticesOfEnvironment } from '../../../../src/core/config/notices.js';
import { VARIABLES_BY_ENV } from '../../../../src/core/config/schema.js';

const told = (name: string): string[] => noticesOfEnvironment({ [name]: 'x' }).map(({ text }) => text);
const inFile = (texts: Record<string, string>, env: Record<string, string> = {}): string[] =>
  noticesOfEnvFile(texts, '.env', env).map(({ text }) => text);

/** Names that other programs commonly have in the environment. */
const OF_OTHERS = `
    HOME HOSTNAME HOSTS HOSTTYPE POST PORTS PATH PWD USER SHELL LANG TERM TZ
    REDIS_HOST REDIS_PORT REDIS_DB REDIS_PASSWORD REDIS_TLS_URL REDIS_PORT_6379_TCP_ADDR
    PORT_5002_TCP HTTP_PORT HTTP_PROXY no_proxy host port
    LOG_FILE LOG_DIR LOG_FORMAT DEBUG ENABLE_SSL ENABLE_TLS ENABLE_DNS APP_NAME APP_ENV
    NODE_ENV NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS UV_THREADPOOL_SIZE TMPDIR
    npm_config_loglevel npm_config_host npm_package_name npm_lifecycle_event INIT_CWD
    OTEL_SERVICE_NAME OTEL_TRACES_SAMPLER OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_PROTOCOL
    JWT_EXPIRY SECRET_KEY API_URL API_TOKEN DATABASE_URL INVOCATION_ID JOURNAL_STREAM
    FLIPGATE_SERVICE_HOST FLIPGATE_PORT FLIPGATE_PORT_5002_TCP_ADDR FLIPGATE_SERVICE_PORT_HTTP
`
  .trim()
  .split(/\s+/);

describe('names of the environment', () => {
  test.each([
    ['REDIS_ULR', 'REDIS_URL'],
    ['REDIS_URI', 'REDIS_URL'],
    ['APP_PROFIL', 'APP_PROFILE'],
    ['APP_PROFLIE', 'APP_PROFILE'],
    ['app_profile', 'APP_PROFILE'],
    ['AUTHMODE', 'AUTH_MODE'],
    ['API_KEY', 'API_KEYS'],
    ['ALOW_INSECURE', 'ALLOW_INSECURE'],
    ['MAX_CONECTION', 'MAX_CONNECTIONS'],
    ['FLIPGATE_TOKN', 'FLIPGATE_TOKEN'],
    ['FLIPGATE_REDIS_URL', 'REDIS_URL'],
    ['FLIPGATE_PORT_', undefined],
    ['FLIPGATE_URL', undefined],
  ])('%s is told, and %s named', (name, meant) => {
    const hint = meant === undefined ? 'It has no effect: correct or remove it.' : `Did you mean ${meant}?`;
    expect(told(name)).toEqual([`${name} is not a known variable. ${hint}`]);
  });

  test.each(OF_OTHERS)("%s is another program's", (name) => {
    expect(told(name)).toEqual([]);
  });

  test('the variables themselves are known, and one that is set beside a like name is not asked for', () => {
    const all = Object.fromEntries([...VARIABLES_BY_ENV.keys()].map((name) => [name, 'x']));
    expect(noticesOfEnvironment(all)).toEqual([]);
    expect(noticesOfEnvironment({ API_KEYS: '[]', API_KEY: 'x' })).toEqual([]);
    expect(noticesOfEnvironment({ REDIS_ULR: ' ' })).toEqual([]);
  });

  test('on Windows a variable has its name in any case', () => {
    expect(noticesOfEnvironment({ App_Profile: 'SSE', APP_PROFILE: 'SSE' })).toEqual([]);
  });
});

describe('names of an env file', () => {
  test('are told, every one, with the nearest where there is one', () => {
    expect(inFile({ PROT: '1', REDIS_ULR: 'x', APP_PROFLE: 'SSE', DATABASE_URL: 'x' })).toEqual([
      'PROT is not a known variable. Did you mean PORT?',
      'REDIS_ULR is not a known variable. Did you mean REDIS_URL?',
      'APP_PROFLE is not a known variable. Did you mean APP_PROFILE?',
      'DATABASE_URL is not a known variable. It has no effect: correct or remove it.',
    ]);
    // The variable itself is set, so the other name is not a slip of it.
    expect(inFile({ PORT: '1', PROT: '1' })).toEqual([
      'PROT is not a known variable. It has no effect: correct or remove it.',
    ]);
  });

  test('that only the environment of the process may set have no effect there', () => {
    const lines = inFile({ NODE_ENV: 'production', OTEL_SERVICE_NAME: 'x', ENV_FILE: 'y', CONFIG_DIR: 'z' });
    expect(lines).toHaveLength(4);
    for (const line of lines)
      expect(line).toMatch(/^[A-Z_]+ has no effect in an env file: .* Set it there\.$/);
  });

  test('that the environment has as well went there by other means (systemd, Compose)', () => {
    const both = { NODE_EXTRA_CA_CERTS: '/ca.pem', DATABASE_URL: 'x' };
    expect(inFile(both, both)).toEqual([]);
    expect(inFile({ REDIS_ULR: 'x' }, { REDIS_ULR: 'x' })).toHaveLength(1);
  });
});

describe('the configuration', () => {
  let root: string;
  let cwd: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'flipgate-notices-'));
    cwd = path.join(root, 'cwd');
    for (const folder of ['config', 'cwd', 'cwd/config', 'cwd/other']) mkdirSync(path.join(root, folder));
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const load = (env: Record<string, string> = {}) => loadConfig({ env, cwd, packageRoot: root });
  const good = (env: Record<string, string> = {}) => {
    const loaded = load(env);
    if (loaded instanceof ConfigFaults) throw new Error(loaded.toText());
    return loaded;
  };
  const write = (file: string, content: unknown): void => {
    writeFileSync(path.join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  };

  test('has the notices of all its sources, and never a value', () => {
    write('cwd/.env', 'REDIS_ULR=redis://:hunter2@h\n');
    const { notices } = good({ APP_PROFIL: 'hunter2' });
    expect(notices.map(({ variable, source }) => [variable, source])).toEqual([
      ['REDIS_ULR', '.env'],
      ['APP_PROFIL', 'environment'],
    ]);
    expect(JSON.stringify(notices)).not.toContain('hunter2');
  });

  test('tells misspelt names beside the faults that they cause', () => {
    const loaded = load({ AUTH_MODE: 'token', API_KEY: '[]' });
    expect(loaded instanceof ConfigFaults && loaded.toText()).toMatch(
      /^AUTH_MODE="token".*\nenvironment: API_KEY is not a known variable\. Did you mean API_KEYS\?\n$/,
    );
  });

  test('names the nearest variable to a key of a config file that is none', () => {
    write('config/default.json', { REDIS_ULR: 'redis://h' });
    const loaded = load();
    expect(loaded instanceof ConfigFaults && loaded.faults).toMatchObject([
      { variable: 'REDIS_ULR', value: '***', remedy: expect.stringMatching(/Did you mean REDIS_URL\?$/) },
    ]);
  });

  test('a removed variable keeps it from starting, wherever it stands, unless it asks for what is done anyway', () => {
    const text =
      'LOG_SHARDS is no longer a variable: the log is one stream, <prefix>:{log}. Remove it; publishers that XADD to <prefix>:{log:N} must use <prefix>:{log}.';
    const places: ((value: unknown) => Record<string, string>)[] = [
      (value) => ({ LOG_SHARDS: String(value) }),
      (value) => (write('cwd/.env', `LOG_SHARDS=${String(value)}\n`), {}),
      (value) => (write('cwd/.env', ''), write('config/default.json', { LOG_SHARDS: value }), {}),
    ];
    for (const place of places) {
      const faulty = load(place(4));
      expect(faulty instanceof ConfigFaults && faulty.faults).toMatchObject([
        { variable: 'LOG_SHARDS', value: '4', remedy: text },
      ]);
      expect(faulty instanceof ConfigFaults && faulty.toText()).toContain(text);
      expect(good(place(1)).notices).toMatchObject([{ variable: 'LOG_SHARDS', text }]);
    }
    expect(good({ LOG_SHARDS: '' }).notices).toHaveLength(1);
  });

  describe('config files', () => {
    test("the working directory's is stronger than the package's, of which nothing is then read", () => {
      write('config/default.json', { PORT: 1, HOST: 'localhost' });
      expect(good()).toMatchObject({ config: { port: 1 }, files: [path.join(root, 'config/default.json')] });
      write('cwd/config/default.json', { PORT: 2 });
      expect(good()).toMatchObject({
        config: { port: 2, host: '127.0.0.1' },
        sources: { PORT: 'config/default.json' },
        files: [path.join(cwd, 'config/default.json')],
      });
    });

    test('CONFIG_DIR names the only folder that is looked in', () => {
      write('config/default.json', { PORT: 1 });
      write('cwd/config/default.json', { PORT: 2 });
      expect(good({ CONFIG_DIR: 'other' }).config).toMatchObject({
        port: 5002,
        configDir: path.join(cwd, 'other'),
      });
      write('cwd/other/default.json', { PORT: 3 });
      expect(good({ CONFIG_DIR: 'other' }).sources['PORT']).toBe('other/default.json');
      expect(good({ CONFIG_DIR: path.join(root, 'config') }).config.port).toBe(1);
    });

    test.each([
      ['JSON of other keys', { db: { host: 'h' }, port: 3 }],
      ['JSON with comments', '// node-config\n{ "db": { "host": "h" } }'],
    ])("another program's in the working directory, %s, is told and passed over", (_, content) => {
      write('config/default.json', { PORT: 1 });
      write('cwd/config/default.json', content);
      const { config, notices } = good();
      expect(config.port).toBe(1);
      expect(notices).toMatchObject([
        {
          variable: 'CONFIG_DIR',
          text: expect.stringMatching(/^config\/default\.json names no variable of flipgate/),
        },
      ]);
    });

    test("one that names a variable is flipgate's, and its other keys and its faults are told", () => {
      for (const content of [{ PORT: 1, db: 1 }, '{ "PORT": 1, oops']) {
        write('cwd/config/default.json', content);
        const loaded = load();
        expect(loaded instanceof ConfigFaults && loaded.faults).toMatchObject([
          { source: 'config/default.json' },
        ]);
      }
    });

    test('a file by the name of the folder is none', () => {
      rmSync(path.join(cwd, 'config'), { recursive: true });
      write('cwd/config', '');
      expect(good().files).toEqual([]);
    });
  });
});
