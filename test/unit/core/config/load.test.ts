import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigFaults, EXIT_CONFIG } from '../../../../src/core/config/fault.js';
import { type LoadedConfig, loadConfig } from '../../../../src/core/config/load.js';

let root: string;
let cwd: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'flipgate-config-'));
  cwd = path.join(root, 'cwd');
  mkdirSync(path.join(root, 'config'));
  mkdirSync(cwd);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

type Env = Record<string, string>;

const load = (env: Env = {}) => loadConfig({ env, cwd, packageRoot: root });

function good(env: Env = {}): LoadedConfig {
  const loaded = load(env);
  if (loaded instanceof ConfigFaults) throw new Error(loaded.toText());
  return loaded;
}

function faultsOf(env: Env = {}) {
  const loaded = load(env);
  if (!(loaded instanceof ConfigFaults)) throw new Error('there was no fault');
  return loaded.faults;
}

const writeConfig = (name: string, content: unknown): void => {
  writeFileSync(
    path.join(root, 'config', name),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
};
const writeEnvFile = (content: string, name = '.env'): void => {
  writeFileSync(path.join(cwd, name), content);
};

describe('defaults', () => {
  test('are complete without any source', () => {
    const { config, sources, files } = good();
    expect(config).toEqual({
      profile: 'WEBSOCKET',
      transports: { websocket: true, sse: false, control: true },
      transportOverrides: { websocket: undefined, sse: undefined, control: undefined },
      host: '127.0.0.1',
      port: 5002,
      authMode: 'none',
      allowInsecure: false,
      apiKeys: undefined,
      apiKeysFile: undefined,
      jwtSecret: undefined,
      jwtSecretPrevious: undefined,
      jwtPublicKeyFile: undefined,
      jwtJwksUrl: undefined,
      jwtIssuer: undefined,
      jwtAudience: undefined,
      jwtMaxLifetimeMs: 0,
      anonymousRights: undefined,
      corsOrigins: [],
      allowedHosts: [],
      trustedProxies: [],
      flipgateToken: undefined,
      maxHttpBufferBytes: 2_097_152,
      maxConnections: 20_000,
      maxConnectionsPerAddress: 0,
      maxPendingPerAddress: 1000,
      pingIntervalMs: 10_000,
      pingTimeoutMs: 5000,
      reconnectJitterMs: 3000,
      allowEio3: true,
      drainMs: 5000,
      monitorTickMs: 200,
      flushIntervalMs: 250,
      maxEventsPerSecondPerClient: 20,
      maxQueuePerClient: 100,
      maxBacklogMs: 60_000,
      maxRoomSize: 50,
      roomOverflow: 'split',
      defaultRooms: ['default'],
      maxRoomsPerSession: 100,
      maxRoomChangesPerSecond: 5000,
      eventTypesFile: path.join(root, 'config', 'event-types.json'),
      logMaxEvents: 100_000,
      logMaxBytes: 268_435_456,
      controlRatePerSecond: 5,
      controlWaitMs: 2000,
      commandsModule: undefined,
      commandOutcomeType: 'command_outcome',
      legacyEventsFile: path.join(root, 'config', 'hak-gal.json'),
      redisUrl: undefined,
      redisKeyPrefix: 'flipgate',
      redisMinReplicas: 0,
      redisChannels: ['events', 'updates'],
      logLevel: 'info',
      hostMonitor: true,
      envFile: path.join(cwd, '.env'),
      configDir: path.join(cwd, 'config'),
    });
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
    expect(files).toEqual([]);
  });

  test('text that is empty or blank counts as unset', () => {
    writeEnvFile('PORT=\nHOST=""\n');
    const { config, sources } = good({ APP_PROFILE: '', MONITOR_TICK_MS: '  ', ENV_FILE: '', NODE_ENV: '' });
    expect(config).toEqual(good().config);
    expect(sources).toMatchObject({ APP_PROFILE: 'default', PORT: 'default', MONITOR_TICK_MS: 'default' });
  });

  test('the exit code is that of sysexits', () => {
    expect(EXIT_CONFIG).toBe(78);
  });
});

describe('sources', () => {
  test('override each other in order, and are named', () => {
    const layers = () => {
      const { config, sources, effective } = good({ NODE_ENV: 'staging', ...environment });
      return [config.port, sources['PORT'], effective['PORT']];
    };
    let environment: Env = {};
    expect(layers()).toEqual([5002, 'default', 5002]);
    writeConfig('staging.json', { PORT: 1001 });
    writeConfig('default.json', { PORT: 9999 });
    expect(layers()).toEqual([1001, path.join(root, 'config', 'staging.json'), 1001]);
    writeEnvFile('PORT=1002\n');
    expect(layers()).toEqual([1002, '.env', 1002]);
    environment = { PORT: '1003' };
    expect(layers()).toEqual([1003, 'environment', 1003]);
    environment = { PORT: '' };
    expect(layers()).toEqual([1002, '.env', 1002]);
  });

  test('default.json is read without NODE_ENV only; a missing file is fine', () => {
    writeConfig('default.json', { PORT: 1001 });
    expect(good().config.port).toBe(1001);
    expect(good().files).toEqual([path.join(root, 'config', 'default.json')]);
    expect(good({ NODE_ENV: 'test' }).config.port).toBe(5002);
  });

  test('a config file holds JSON values, or text as the environment does', () => {
    writeConfig('default.json', {
      PORT: '1001',
      ALLOW_EIO3: false,
      ENABLE_SSE: 'on',
      DEFAULT_ROOMS: ['a', 'b'],
      CORS_ORIGINS: '*',
      AUTH_MODE: 'token',
      JWT_SECRET: 'x'.repeat(32),
      REDIS_URL: null,
      PING_INTERVAL: 2.5,
    });
    expect(good().config).toMatchObject({
      port: 1001,
      allowEio3: false,
      transports: { sse: true },
      defaultRooms: ['a', 'b'],
      corsOrigins: ['*'],
      redisUrl: undefined,
      pingIntervalMs: 2500,
    });
  });

  test('a bad value that a stronger source overrides keeps nobody from starting', () => {
    writeConfig('default.json', { PORT: 'nonsense' });
    expect(good({ PORT: '1' }).config.port).toBe(1);
  });

  test("an env file may hold other programs' variables, quotes, comments and a byte order mark", () => {
    writeEnvFile('\uFEFFPORT=1001 # ours\nOTHER=x\nexport DEFAULT_ROOMS="a, b"\nENV_FILE=not-ours\n');
    const { config, sources, files } = good();
    expect(config).toMatchObject({ port: 1001, defaultRooms: ['a', 'b'], envFile: path.join(cwd, '.env') });
    expect(sources['ENV_FILE']).toBe('default');
    expect(files).toEqual([path.join(cwd, '.env')]);
  });

  test('ENV_FILE names another one, relative to the working directory', () => {
    writeEnvFile('PORT=1001\n');
    writeEnvFile('PORT=1002\n', 'other.env');
    const { config, sources } = good({ ENV_FILE: 'other.env' });
    expect([config.port, config.envFile]).toEqual([1002, path.join(cwd, 'other.env')]);
    expect(sources).toMatchObject({ PORT: 'other.env', ENV_FILE: 'environment' });
  });

  test('the process environment and its arguments are not looked at', () => {
    const before = process.env['PORT'];
    process.env['PORT'] = '1234';
    try {
      expect(good().config.port).toBe(5002);
    } finally {
      if (before === undefined) delete process.env['PORT'];
      else process.env['PORT'] = before;
    }
  });
});

describe('what is derived', () => {
  test.each([
    ['websocket', true, false],
    ['WebSocket', true, false],
    ['sse', false, true],
    ['HYBRID', true, true],
  ])('profile %s serves websocket %s, sse %s, and control', (name, websocket, sse) => {
    const { config } = good({ APP_PROFILE: name });
    expect(config.profile).toBe(name.toUpperCase());
    expect(config.transports).toEqual({ websocket, sse, control: true });
  });

  test('single parts are overridden, and it is kept for a flip which', () => {
    const { config, effective } = good({ APP_PROFILE: 'SSE', ENABLE_WS: 'yes', ENABLE_CONTROL_HTTP: '0' });
    expect(config.transports).toEqual({ websocket: true, sse: true, control: false });
    expect(config.transportOverrides).toEqual({ websocket: true, sse: undefined, control: false });
    expect(effective).toMatchObject({ ENABLE_WS: true, ENABLE_SSE: true, ENABLE_CONTROL_HTTP: false });
  });

  test('one part is enough to serve', () => {
    const { config } = good({ ENABLE_WS: 'off' });
    expect(config.transports).toEqual({ websocket: false, sse: false, control: true });
  });

  test('the host monitor is on without Redis, else off, unless it is said', () => {
    const REDIS_URL = 'redis://localhost';
    expect(good().config.hostMonitor).toBe(true);
    expect(good({ REDIS_URL }).config.hostMonitor).toBe(false);
    expect(good({ REDIS_URL, HOST_MONITOR: 'on' }).config.hostMonitor).toBe(true);
    expect(good({ HOST_MONITOR: 'off' }).config.hostMonitor).toBe(false);
  });

  test('files come out absolute', () => {
    for (const name of ['types.json', 'legacy.json', 'commands.js']) writeEnvFile('', name);
    const { config } = good({
      EVENT_TYPES_FILE: 'types.json',
      LEGACY_EVENTS_FILE: path.join(cwd, 'legacy.json'),
      COMMANDS_MODULE: './commands.js',
    });
    expect(config.eventTypesFile).toBe(path.join(cwd, 'types.json'));
    expect(config.legacyEventsFile).toBe(path.join(cwd, 'legacy.json'));
    expect(config.commandsModule).toBe(path.join(cwd, 'commands.js'));
  });
});

describe('refusals', () => {
  const rooms = Array.from({ length: 3 }, (_, index) => `r${String(index)}`).join();
  test.each<[string, Env, string]>([
    ['another profile', { APP_PROFILE: 'BOTH' }, 'APP_PROFILE'],
    ['a boolean that is none', { ALLOW_EIO3: 'maybe' }, 'ALLOW_EIO3'],
    ['a number with a tail', { PORT: '12abc' }, 'PORT'],
    ['a fraction of a whole number', { PORT: '80.5' }, 'PORT'],
    ['an exponent', { PORT: '1e3' }, 'PORT'],
    ['hexadecimal', { PORT: '0x50' }, 'PORT'],
    ['NaN', { PING_INTERVAL: 'NaN' }, 'PING_INTERVAL'],
    ['Infinity', { PING_INTERVAL: 'Infinity' }, 'PING_INTERVAL'],
    ['seconds with a unit', { PING_TIMEOUT: '5s' }, 'PING_TIMEOUT'],
    ['a port below the range', { PORT: '-1' }, 'PORT'],
    ['a port above the range', { PORT: '65536' }, 'PORT'],
    ['a number beyond what is exact', { LOG_MAX_BYTES: '99999999999999999999' }, 'LOG_MAX_BYTES'],
    ['a log too small', { LOG_MAX_BYTES: '1048575' }, 'LOG_MAX_BYTES'],
    ['a tick too short', { MONITOR_TICK_MS: '9' }, 'MONITOR_TICK_MS'],
    ['a word that is no choice', { ROOM_OVERFLOW: 'drop' }, 'ROOM_OVERFLOW'],
    ['a level that is none', { LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    ['a room that is none', { DEFAULT_ROOMS: 'ok,not ok' }, 'DEFAULT_ROOMS'],
    ['no room', { DEFAULT_ROOMS: ' , ' }, 'DEFAULT_ROOMS'],
    ['a host in brackets', { HOST: '[::1]' }, 'HOST'],
    ['a host with a port', { HOST: 'localhost:80' }, 'HOST'],
    ['an origin with a path', { CORS_ORIGINS: 'https://a.example/' }, 'CORS_ORIGINS'],
    ['a database that is no number', { REDIS_URL: 'redis://localhost/main' }, 'REDIS_URL'],
    ['a key prefix with a hash tag', { REDIS_KEY_PREFIX: '{a}' }, 'REDIS_KEY_PREFIX'],
    ['a channel with a space', { REDIS_CHANNELS: 'a b' }, 'REDIS_CHANNELS'],
    ['a missing commands module', { COMMANDS_MODULE: 'missing.js' }, 'COMMANDS_MODULE'],
    ['a directory as a file', { EVENT_TYPES_FILE: '.' }, 'EVENT_TYPES_FILE'],
    ['a missing env file that is named', { ENV_FILE: 'missing.env' }, 'ENV_FILE'],
    ['a directory as env file', { ENV_FILE: '.' }, 'ENV_FILE'],
    ['a NODE_ENV that is a path', { NODE_ENV: '../default' }, 'NODE_ENV'],
    ['a flush shorter than a tick', { FLUSH_INTERVAL_MS: '100' }, 'FLUSH_INTERVAL_MS'],
    [
      'more default rooms than a session may have',
      { DEFAULT_ROOMS: rooms, MAX_ROOMS_PER_SESSION: '2' },
      'MAX_ROOMS_PER_SESSION',
    ],
    ['a variable that was removed', { LOG_SHARDS: '4' }, 'LOG_SHARDS'],
    ['a folder of config files that is not there', { CONFIG_DIR: '/nowhere/else' }, 'CONFIG_DIR'],
    ['an open host', { HOST: '0.0.0.0' }, 'HOST'],
    ['every origin where nobody is authenticated', { CORS_ORIGINS: 'https://a.example,*' }, 'CORS_ORIGINS'],
    [
      'the origin of sandboxed frames, which no page has for itself',
      { CORS_ORIGINS: 'null' },
      'CORS_ORIGINS',
    ],
    ['nothing to serve', { ENABLE_WS: 'off', ENABLE_CONTROL_HTTP: 'off' }, 'ENABLE_CONTROL_HTTP'],
  ])('%s', (_, env, variable) => {
    const faults = faultsOf(env);
    expect(faults.map((fault) => fault.variable)).toEqual([variable]);
    expect(faults[0]).toMatchObject({ value: env[variable], source: 'environment' });
    expect(faults[0]?.remedy).not.toBe('');
  });

  test('a previous secret without a newer one is a fault', () => {
    const secret = 's'.repeat(32);
    expect(faultsOf({ JWT_SECRET_PREVIOUS: secret })).toMatchObject([
      { variable: 'JWT_SECRET_PREVIOUS', value: '***', remedy: expect.stringContaining('JWT_SECRET') },
    ]);
    expect(faultsOf({ JWT_SECRET_PREVIOUS: 'short' })).toMatchObject([{ variable: 'JWT_SECRET_PREVIOUS' }]);
  });

  test('name the three profiles', () => {
    expect(faultsOf({ APP_PROFILE: 'BOTH' })[0]?.remedy).toBe('WEBSOCKET, SSE or HYBRID');
  });

  test.each<[string, unknown, string, string]>([
    ['an unknown key', { PROT: 1 }, 'PROT', '***'],
    ['a key by the name of a prototype', '{"__proto__": {"PORT": 1}}', '__proto__', '***'],
    ['ENV_FILE, which is too late there', { ENV_FILE: 'x' }, 'ENV_FILE', 'x'],
    ['a number that is no JSON number', { PORT: '' }, 'PORT', ''],
    ['a fraction', { PORT: 1.5 }, 'PORT', '1.5'],
    ['a boolean for a number', { PORT: true }, 'PORT', 'true'],
    ['a number for a boolean', { ALLOW_EIO3: 1 }, 'ALLOW_EIO3', '1'],
    ['null where there must be a value', { PORT: null }, 'PORT', 'null'],
    ['an object', { PORT: { a: 1 } }, 'PORT', '{"a":1}'],
    ['a list with something else in it', { DEFAULT_ROOMS: ['a', 1] }, 'DEFAULT_ROOMS', 'a,1'],
    ['no JSON', '{', 'NODE_ENV', 'default'],
    ['no object', '[1]', 'NODE_ENV', 'default'],
  ])('in a config file: %s', (_, content, variable, value) => {
    writeConfig('default.json', content);
    const faults = faultsOf();
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ variable, value, source: path.join(root, 'config', 'default.json') });
  });

  test('of a value in the env file name the file', () => {
    writeEnvFile('PORT=http\n');
    expect(faultsOf()).toEqual([
      { variable: 'PORT', value: 'http', source: '.env', remedy: expect.stringContaining('65535') },
    ]);
  });

  test.each(['A'.repeat(9000), 'a/\0'])('a path that can be none is no more than a fault', (file) => {
    writeConfig('default.json', { EVENT_TYPES_FILE: file });
    expect(faultsOf()).toMatchObject([
      { variable: 'EVENT_TYPES_FILE', source: path.join(root, 'config', 'default.json') },
    ]);
  });

  test('an object of objects is no more than a fault', () => {
    writeConfig('default.json', { APP_PROFILE: { a: { a: 1 } } });
    expect(faultsOf()).toMatchObject([
      { variable: 'APP_PROFILE', source: path.join(root, 'config', 'default.json') },
    ]);
  });

  test('come all at once, of every source, and one a line', () => {
    writeConfig('default.json', { PROT: 1, LOG_LEVEL: 'loud' });
    writeEnvFile('MAX_ROOM_SIZE=0\n');
    const env = {
      PORT: 'a\nb',
      APP_PROFILE: 'x',
      FLUSH_INTERVAL_MS: '100',
      HOST: '::',
      COMMANDS_MODULE: 'no.js',
    };
    const loaded = load(env);
    const text = loaded instanceof ConfigFaults ? loaded.toText() : '';
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, line.indexOf('='))).sort()).toEqual(
      [...Object.keys(env), 'PROT', 'LOG_LEVEL', 'MAX_ROOM_SIZE'].sort(),
    );
    expect(lines).toContain(
      'PORT="a\\nb" (environment): a whole number from 0 to 65535 (TCP port, 0 = any free one)',
    );
    expect(lines).toContain(
      `LOG_LEVEL="loud" (${path.join(root, 'config', 'default.json')}): error, warn, info or debug`,
    );
  });

  test('between variables wait until each is good by itself', () => {
    expect(faultsOf({ MONITOR_TICK_MS: 'x', FLUSH_INTERVAL_MS: '10' })).toHaveLength(1);
    expect(faultsOf({ HOST: '0.0.0.0', ALLOW_INSECURE: 'x' })).toHaveLength(1);
  });

  test('never show a password', () => {
    writeConfig('default.json', { REDIS_URI: 'redis://:hunter2@h' });
    expect(faultsOf({ REDIS_URL: 'redis://u:hunter2@h/main' })).toContainEqual(
      expect.objectContaining({ variable: 'REDIS_URL', value: 'redis://u:***@h/main' }),
    );
    for (const REDIS_URL of [
      'http://u:hunter2@h',
      'redis:u:hunter2@h',
      'redis://u:1/hunter2@h',
      'u:hunter2@h',
    ]) {
      expect(JSON.stringify(faultsOf({ REDIS_URL }))).not.toContain('hunter2');
    }
    writeConfig('default.json', '{ "REDIS_URL": "redis://:hunter2@h" oops');
    expect(JSON.stringify(faultsOf())).not.toContain('hunter2');
  });

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('spare the loopback host %s', (HOST) => {
    expect(good({ HOST }).config.host).toBe(HOST);
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'gateway.example'])('spare %s when it is allowed', (HOST) => {
    expect(faultsOf({ HOST })).toHaveLength(1);
    expect(good({ HOST, ALLOW_INSECURE: 'true' }).config.host).toBe(HOST);
  });

  test('spare pages of every origin where clients are authenticated, or when it is allowed', () => {
    const CORS_ORIGINS = '*';
    expect(faultsOf({ CORS_ORIGINS })[0]?.remedy).toMatch(
      /not authenticated.*by name.*AUTH_MODE=token.*ALLOW_INSECURE=true/,
    );
    expect(good({ CORS_ORIGINS, ALLOW_INSECURE: 'true' }).config.corsOrigins).toEqual(['*']);
    const token = { AUTH_MODE: 'token', JWT_SECRET: 'x'.repeat(32) };
    expect(good({ CORS_ORIGINS, ...token }).config.corsOrigins).toEqual(['*']);
    expect(good({ CORS_ORIGINS: 'https://a.example' }).config.corsOrigins).toEqual(['https://a.example']);
  });
});
