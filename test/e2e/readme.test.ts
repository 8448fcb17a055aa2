import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { killLaunched, type LaunchedGateway, launchGateway, ROOT } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { readmeSnippets } from '../support/readme-snippets.js';
import { waitUntil } from '../support/wait-until.js';

const run = promisify(execFile);
const snippets = readmeSnippets();
let folder: string;
const started: ChildProcess[] = [];

/** A snippet as a reader would use it, but for the address. */
function snippet(name: string, gateway: LaunchedGateway): string {
  const text = snippets.get(name);
  if (text === undefined) throw new Error(`the README has no snippet ${name}`);
  return text.replaceAll('http://127.0.0.1:5002', gateway.url);
}

/** Runs a program that goes on until it is ended; returns what it has printed so far. */
function follow(command: string, args: string[]): () => string {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return () => output;
}

beforeAll(() => {
  // Inside the checkout, so that the snippets' imports resolve.
  mkdirSync(path.join(ROOT, 'test/artifacts'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, 'test/artifacts/readme-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await killLaunched();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the README', () => {
  it('lets others in by keys', async () => {
    const file = path.join(folder, 'keys.json');
    let made = 0;
    const keys = (snippets.get('keys') ?? '').replaceAll('…', () => `key-made-${String(++made)}`);
    writeFileSync(file, keys);
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', AUTH_MODE: 'token', API_KEYS_FILE: file });
    const lines = snippet('curl-token', gateway).split('\ncurl -N');
    const env = { ...process.env, DASHBOARD_KEY: 'key-made-1', BACKEND_KEY: 'key-made-2' };
    const { stdout } = await run('sh', ['-c', String(lines[0])], { env });
    expect(JSON.parse(stdout)).toMatchObject({ ids: [expect.any(String)] });
    const stream = follow('sh', ['-c', `DASHBOARD_KEY=key-made-1; exec curl -sN${String(lines[1])}`]);
    await waitUntil(() => stream().includes('event: welcome'), 'the welcome');
  });

  it('uses the SDK from Node', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID' });
    const file = path.join(folder, 'sdk.mjs');
    writeFileSync(file, snippet('node-sdk', gateway));
    const node = follow(process.execPath, [file]);
    await waitUntil(
      () =>
        /published 1/.test(node()) && /alerts fact_added { fact: 42 }/.test(node()) && /2000/.test(node()),
      'what it prints',
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${node()}`);
    });
  });

  it('flips a gateway that runs', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, PORT: String(gateway.port) };
    const { stdout } = await run('sh', ['-c', snippet('flip', gateway)], { cwd: ROOT, env });
    expect(stdout).toContain('WEBSOCKET → SSE: done');
    const profile = (await (await fetch(`${gateway.url}/api/profile`)).json()) as { profile: string };
    expect(profile.profile).toBe('SSE');
  });

  it('publishes with curl and with Python, and receives with curl and with Node over SSE', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
    const file = path.join(folder, 'sse.mjs');
    writeFileSync(file, snippet('node-sse', gateway));
    const node = follow(process.execPath, [file]);
    const curl = follow('sh', ['-c', `exec ${snippet('curl-stream', gateway)}`]);
    await waitUntil(async () => {
      const status = (await (await fetch(`${gateway.url}/api/admin/status`)).json()) as {
        sessions: { sse: number };
      };
      return status.sessions.sse === 2;
    }, 'both streams');

    await run('sh', ['-c', snippet('curl-publish', gateway)]);
    const { stdout } = await run('python3', ['-c', snippet('python-publish', gateway)]);

    expect(stdout).toMatch(/^\['\d+-\d+'\]/);
    await waitUntil(() => node().includes("fact_added { fact: 'water is wet' }"), 'the fact in Node');
    await waitUntil(() => node().includes('kb_update { facts: 42 }'), 'the update in Node');
    await waitUntil(() => curl().includes('"data":{"facts":42}'), 'the update in curl');
  });

  it('receives over Socket.IO with Node, and sends commands with curl', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    const file = path.join(folder, 'socketio.mjs');
    writeFileSync(file, snippet('node-socketio', gateway));
    const node = follow(process.execPath, [file]);

    const { stdout } = await run('sh', ['-c', snippet('curl-control', gateway)]);

    expect(stdout).toContain('"result":{"running":false');
    expect(stdout).toContain('"result":{"running":true');
    await waitUntil(() => /system_load_update \{\s+host:/.test(node()), 'the host in Node');
  });

  it('runs the commands module it prints', async () => {
    const file = path.join(folder, 'commands.mjs');
    writeFileSync(file, snippets.get('commands-module') ?? '');
    const gateway = await launchExecuting({ COMMANDS_MODULE: file });

    const answer = await fetch(`${gateway.url}/api/governor/control`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"action":"start"}',
    });

    expect(await answer.json()).toMatchObject({ status: 'succeeded', result: { running: true } });
  });

  it('publishes over Redis', async () => {
    const url = process.env.TEST_REDIS_URL ?? '';
    const prefix = `readme-${process.pid}`;
    const gateway = await launchGateway({
      REDIS_URL: url,
      REDIS_KEY_PREFIX: prefix,
      REDIS_CHANNELS: `${prefix}-events`,
    });
    const redis = new Redis(url);
    await waitUntil(async () => {
      const counted = (await redis.pubsub('NUMSUB', `${prefix}-events`)) as [string, number];
      return counted[1] === 1;
    }, 'the subscription');
    const commands = snippet('redis-publish', gateway)
      .replaceAll('redis-cli', `redis-cli -u ${url}`)
      .replace('PUBLISH events', `PUBLISH ${prefix}-events`)
      .replace('flipgate:{log}', `${prefix}:{log}`);

    await run('sh', ['-c', commands]);

    await waitUntil(async () => {
      const body = await (await fetch(`${gateway.url}/api/rooms/default/events`)).text();
      return body.includes('{"facts":42}') && body.includes('{"facts": 43}');
    }, 'both events in the log');
    await redis.del(`${prefix}:{log}`);
    redis.disconnect();
  });
});
