import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway, ROOT } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { rawStreamWire } from '../support/raw-stream-wire.js';
import { runProgram } from '../support/run-program.js';
import { waitUntil } from '../support/wait-until.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-start-'));
});

afterEach(killLaunched);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const profileOf = async ({ url }: LaunchedGateway): Promise<ReturnType<typeof JSON.parse>> =>
  (await requestJson('GET', `${url}/api/profile`)).json;

const faultsOf = async (variables: Record<string, string>): Promise<string[]> => {
  const { code, stdout, stderr } = await runProgram('dist/launcher.js', [], variables);
  expect([code, stdout]).toEqual([78, '']);
  return stderr.trimEnd().split('\n');
};

/**
 * Every file of code a gateway has loaded, as V8 lists them at its end, of whatever module system; of a bundle, which has
 * their names in comments, all that are in it.
 */
async function loadedBy(variables: Record<string, string | undefined>): Promise<string[]> {
  const traces = mkdtempSync(path.join(folder, 'trace-'));
  const gateway = await launchGateway({ ...variables, NODE_V8_COVERAGE: traces });
  expect(await gateway.stop()).toBe(0);
  return readdirSync(traces).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(path.join(traces, file), 'utf8')) as {
      result: { url: string }[];
    };
    const urls = result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
    return urls.flatMap((url) => [url, ...bundledIn(fileURLToPath(url))]);
  });
}

function bundledIn(file: string): string[] {
  const names = readFileSync(file, 'utf8').matchAll(/^ *\/\/ ((?:dist|node_modules)\/.+\.[cm]?js)$/gm);
  return [...names].map(([, name]) => `/${String(name)}`);
}

describe('a start', () => {
  test('serves within seconds; the target is one', async () => {
    const figures: string[] = [];
    for (const profile of ['WEBSOCKET', 'SSE', 'HYBRID']) {
      const gateway = await launchGateway({ APP_PROFILE: profile });
      expect((await requestJson('GET', `${gateway.url}/healthz`)).status).toBe(200);
      expect(gateway.startedInMs).toBeLessThan(5000);
      figures.push(`${profile} ${gateway.startedInMs.toFixed(0)} ms`);
      await gateway.kill();
    }
    process.stdout.write(`start to serving: ${figures.join(', ')}\n`);
  });

  test.each([
    ['by the command line', () => path.join(ROOT, 'dist/cli.js'), ['start']],
    ['through a symbolic link', () => path.join(folder, 'link/dist/launcher.js'), []],
    ['by the command line through a symbolic link', () => path.join(folder, 'link/dist/cli.js'), ['start']],
  ])('serves when it is started %s', async (_how, program, args) => {
    rmSync(path.join(folder, 'link'), { force: true });
    symlinkSync(ROOT, path.join(folder, 'link'));
    const gateway = await launchGateway({}, [program(), ...args]);
    expect(await profileOf(gateway)).toMatchObject({ profile: 'WEBSOCKET' });
    expect(await gateway.stop()).toBe(0);
  });

  test.each([
    ['WEBSOCKET', { ENABLE_SSE: 'true' }, [true, true, true]],
    ['SSE', { ENABLE_WS: 'yes' }, [true, true, true]],
    ['HYBRID', { ENABLE_WS: 'false' }, [false, true, true]],
    ['HYBRID', { ENABLE_SSE: '0', ENABLE_CONTROL_HTTP: 'false' }, [true, false, false]],
    ['hybrid', { ENABLE_SSE: '', ENABLE_WS: '' }, [true, true, true]],
    ['SSE', { ENABLE_SSE: 'false' }, [false, false, true]],
  ])('with APP_PROFILE=%s and %j serves what that says', async (profile, overrides, served) => {
    const gateway = await launchGateway({ APP_PROFILE: profile, ...overrides });
    const { transports, control } = await profileOf(gateway);
    expect([transports.websocket !== null, transports.sse !== null, control !== null]).toEqual(served);
    const stream = await requestJson('HEAD', `${gateway.url}/api/events/stream`);
    const polling = await requestJson('GET', `${gateway.url}/socket.io/?EIO=4&transport=polling`);
    const command = await requestJson('POST', `${gateway.url}/api/control`, { action: 'host-monitor.stop' });
    const answered = [polling, stream, command].map(({ status }) => status === 200);
    expect(answered).toEqual(served);
  });

  test('with HOST=0.0.0.0 is refused, unless it is allowed to be insecure', async () => {
    const { code, stderr } = await runProgram('dist/launcher.js', [], { HOST: '0.0.0.0', PORT: '0' });
    expect([code, stderr]).toEqual([78, expect.stringMatching(/^HOST="0\.0\.0\.0" .*ALLOW_INSECURE=true/)]);
    const allowed = await launchGateway({ HOST: '0.0.0.0', ALLOW_INSECURE: 'true' });
    const { status } = await requestJson('GET', `http://127.0.0.1:${String(allowed.port)}/healthz`);
    expect(status).toBe(200);
  });

  test('on a port that is taken ends with 1 and says why', async () => {
    const { port } = await launchGateway();
    const { code, stderr } = await runProgram('dist/launcher.js', [], { PORT: String(port) });
    expect(code).toBe(1);
    // One line, without a stack.
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'error',
      timestamp: expect.any(String),
      message: `Port ${String(port)} on 127.0.0.1 is in use (EADDRINUSE): another program listens there. Set PORT to a free port, or stop the other program.`,
    });
  });

  test('on an address that is not of this machine ends with 1 and says so without a stack', async () => {
    const variables = { HOST: '192.0.2.1', PORT: '0', ALLOW_INSECURE: 'true' };
    const { code, stderr } = await runProgram('dist/launcher.js', [], variables);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('HOST 192.0.2.1 is no address of this machine'),
    ]);
    expect(stderr).not.toContain('stack');
  });

  test('says which log it has, whether clients are authenticated, and what to open', async () => {
    const gateway = await launchGateway({ HOST: '0.0.0.0', ALLOW_INSECURE: 'true', REDIS_URL: undefined });
    const line = gateway
      .output()
      .split('\n')
      .find((one) => one.includes('flipgate is serving'));
    expect(JSON.parse(line ?? '')).toMatchObject({
      log: 'memory',
      auth: 'none',
      url: `http://localhost:${String(gateway.port)}/`,
    });
    expect((await requestJson('GET', `${gateway.url}/healthz`)).status).toBe(200);
    const onRedis = await launchGateway({
      REDIS_URL: process.env['TEST_REDIS_URL'],
      AUTH_MODE: 'token',
      JWT_SECRET: 'x'.repeat(64),
    });
    expect(onRedis.output()).toMatch(/"log":"redis"/);
    expect(onRedis.output()).toMatch(/"auth":"token"/);
  });

  test('tells names that are misspelt, in the environment and in the env file', async () => {
    const file = path.join(folder, 'misspelt.env');
    writeFileSync(file, 'APP_PROFIL=SSE\nLOG_SHARDS=1\n');
    const gateway = await launchGateway({ ENV_FILE: file, REDIS_ULR: 'redis://:hidden@h' });
    for (const text of [
      'REDIS_ULR is not a known variable. Did you mean REDIS_URL?',
      'APP_PROFIL is not a known variable. Did you mean APP_PROFILE?',
      'LOG_SHARDS is no longer a variable',
    ]) {
      const line = gateway
        .output()
        .split('\n')
        .find((one) => one.includes(text));
      expect(JSON.parse(line ?? '')).toMatchObject({ level: 'warn' });
    }
    expect(gateway.output()).not.toContain('hidden');
    const shown = await runProgram('dist/cli.js', ['config'], { ENV_FILE: file });
    expect([shown.code, shown.stderr]).toEqual([0, expect.stringContaining('Did you mean APP_PROFILE?')]);
  });
});

describe('a configuration that is bad', () => {
  test('stops the start with 78 and all faults at once, with variable, value and remedy, no secrets', async () => {
    const faults = await faultsOf({
      APP_PROFILE: 'BOTH',
      PORT: '99999',
      PING_INTERVAL: 'soon',
      DEFAULT_ROOMS: 'a b',
      REDIS_URL: 'http://user:hidden@redis.example',
      ALLOW_EIO3: 'perhaps',
      EVENT_TYPES_FILE: '/nowhere/types.json',
    });
    const text = faults.join('\n');
    expect(
      faults.map((fault) => fault.slice(0, fault.indexOf('='))).sort((a, b) => a.localeCompare(b)),
    ).toEqual([
      'ALLOW_EIO3',
      'APP_PROFILE',
      'DEFAULT_ROOMS',
      'EVENT_TYPES_FILE',
      'PING_INTERVAL',
      'PORT',
      'REDIS_URL',
    ]);
    expect(text).toMatch(/APP_PROFILE="BOTH" .*WEBSOCKET.*SSE.*HYBRID/);
    expect(text).toMatch(/PORT="99999" .*65535/);
    expect(text).not.toContain('hidden');
  });

  test('and a variable that was removed', async () => {
    expect(await faultsOf({ LOG_SHARDS: '4' })).toEqual([
      'LOG_SHARDS="4" (environment): LOG_SHARDS is no longer a variable: the log is one stream, <prefix>:{log}. Remove it; publishers that XADD to <prefix>:{log:N} must use <prefix>:{log}.',
    ]);
  });

  test('and one that serves nothing', async () => {
    const off = { ENABLE_WS: 'false', ENABLE_SSE: 'false', ENABLE_CONTROL_HTTP: 'false' };
    expect(await faultsOf(off)).toEqual([expect.stringMatching(/nothing would be served/)]);
  });

  test('and files that hold what they must not', async () => {
    const types = path.join(folder, 'types.json');
    const legacy = path.join(folder, 'legacy.json');
    const commands = path.join(folder, 'commands.mjs');
    writeFileSync(types, '{"kb_update":{"policy":"newest"},"a b":{"policy":"append"}}');
    writeFileSync(legacy, '{"onConnect":[{"type":"disconnect","data":1}]}');
    writeFileSync(commands, 'export default { "no action": { handler() {} }, "a.b": {} };');
    const faults = await faultsOf({ EVENT_TYPES_FILE: types, LEGACY_EVENTS_FILE: legacy });
    expect(faults.map((fault) => fault.slice(0, fault.indexOf('=')))).toEqual([
      'EVENT_TYPES_FILE',
      'EVENT_TYPES_FILE',
      'LEGACY_EVENTS_FILE',
    ]);
    const ofCommands = await faultsOf({ COMMANDS_MODULE: commands, PORT: '0' });
    expect(ofCommands).toHaveLength(2);
    for (const fault of ofCommands) expect(fault).toMatch(/^COMMANDS_MODULE=/);
  });
});

describe('flipgate config', () => {
  test('prints every value and where it came from, secrets masked', async () => {
    const { code, stdout } = await runProgram('dist/cli.js', ['config'], {
      APP_PROFILE: 'sse',
      REDIS_URL: 'redis://user:hidden@redis.example:6380/1',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^APP_PROFILE +SSE +environment$/m);
    expect(stdout).toMatch(/^PORT +5002 +default$/m);
    expect(stdout).toMatch(/^REDIS_URL +redis:\/\/.*redis\.example:6380\/1 +environment$/m);
    expect(stdout).not.toContain('hidden');
  });

  test('ends with 78 when there are faults', async () => {
    const { code, stdout, stderr } = await runProgram('dist/cli.js', ['config'], { PORT: 'x' });
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/^PORT="x"/);
  });
});

describe('a process loads only what it serves', () => {
  const SOCKET_IO = /\/node_modules\/(socket\.io|engine\.io|@socket\.io|ws)[/-]/;
  const SSE = /\/dist\/profiles\/sse\//;
  const REDIS = /\/node_modules\/(ioredis|bullmq|@socket\.io\/redis-adapter)\//;

  test.each([
    ['SSE', { loads: [SSE], not: [SOCKET_IO, REDIS] }],
    ['WEBSOCKET', { loads: [SOCKET_IO], not: [SSE, REDIS] }],
    ['HYBRID', { loads: [SOCKET_IO, SSE], not: [REDIS] }],
  ])('under %s', async (profile, { loads, not }) => {
    const files = await loadedBy({ APP_PROFILE: profile, REDIS_URL: undefined });
    expect(files.some((file) => file.endsWith('/dist/launcher.js'))).toBe(true);
    for (const pattern of loads) expect(files.filter((file) => pattern.test(file))).not.toEqual([]);
    for (const pattern of not) expect(files.filter((file) => pattern.test(file))).toEqual([]);
  });

  test('Redis, where one is named', async () => {
    const files = await loadedBy({ APP_PROFILE: 'SSE', REDIS_URL: process.env['TEST_REDIS_URL'] });
    expect(files.filter((file) => REDIS.test(file))).not.toEqual([]);
    expect(files.filter((file) => SOCKET_IO.test(file))).toEqual([]);
    // Not before there are commands for workers.
    expect(files.filter((file) => /\/node_modules\/bullmq\//.test(file))).toEqual([]);
  });
});

describe('a stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s tells streams, ends them, and ends with 0',
    async (signal) => {
      const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
      const clients = await Promise.all([1, 2, 3].map(() => rawStreamWire.connect(gateway.url, {})));
      gateway.process.kill(signal);
      await waitUntil(() => gateway.process.exitCode !== null, 'the process to end');
      expect(gateway.process.exitCode).toBe(0);
      await waitUntil(() => clients.every(({ got }) => got.losses > 0), 'the streams to end');
      for (const { got } of clients) expect(got.drainings).toEqual(['shutting_down']);
    },
  );

  test('lets a command that runs, and the request that waits for it, come to their end', async () => {
    const gateway = await launchExecuting({
      COMMANDS_MODULE: 'test/support/commands.mjs',
      CONTROL_WAIT_MS: '10000',
    });
    const asked = requestJson('POST', `${gateway.url}/api/control`, {
      action: 'test.sleep',
      data: { ms: 1000 },
    });
    await waitUntil(async () => {
      const { json } = await requestJson('GET', `${gateway.url}/api/admin/status`);
      return json.commands.open === 1;
    }, 'the command to run');
    const code = gateway.stop();
    expect((await asked).json).toMatchObject({ status: 'succeeded', result: { sleptMs: 1000 } });
    expect(await code).toBe(0);
  });
});
