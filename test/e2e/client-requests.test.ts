import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ControlClient, type FlipgateClient, GatewayError, type Transport } from '../../src/client/index.js';
import { type CutProxy, openCutProxy } from '../support/cut-proxy.js';
import { countOf } from '../support/gateway-status.js';
import { closeClients, HeardClient } from '../support/heard-client.js';
import { killLaunched, type LaunchedGateway, ROOT } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { publish } from '../support/publish.js';
import { waitUntil } from '../support/wait-until.js';

const TRANSPORTS: readonly Transport[] = ['sse', 'websocket'];
const VARIABLES = {
  APP_PROFILE: 'HYBRID',
  COMMANDS_MODULE: 'test/support/commands.mjs',
  CONTROL_WAIT_MS: '100',
  CONTROL_RATE_PER_SECOND: '4',
  HOST_MONITOR: 'false',
};

let http: LaunchedGateway;
let acks: LaunchedGateway;
let proxy: CutProxy;
let folder: string;

beforeAll(async () => {
  [http, acks] = await Promise.all([
    launchExecuting(VARIABLES),
    launchExecuting({ ...VARIABLES, ENABLE_CONTROL_HTTP: 'false' }),
  ]);
  proxy = await openCutProxy(http.port);
  folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-client-'));
});

afterEach(closeClients);

afterAll(async () => {
  proxy.close();
  rmSync(folder, { recursive: true });
  await killLaunched();
});

/** Does a task with a client that sends commands over HTTP, and with one that emits them. */
async function overBoth(task: (client: FlipgateClient, url: string) => Promise<void>): Promise<void> {
  await Promise.all(
    [http.url, acks.url].map((url) => task(new HeardClient(url, { prefer: 'websocket' }).client, url)),
  );
}

describe('commands, over HTTP and as acks', () => {
  it('have their results, though there are more of them than the rate allows', () =>
    overBoth(async (client, url) => {
      const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
      // On a slow machine they may be slow enough.
      for (let n = 0; n < 5 && (await countOf(url, 'command_refusals', 'rate_limited')) === 0; n += 1) {
        const results = await Promise.all(numbers.map((n) => client.control('test.echo', { n })));
        expect(results).toEqual(numbers.map((n) => ({ n })));
      }
      expect(await countOf(url, 'command_refusals', 'rate_limited')).toBeGreaterThan(0);
    }));

  it('are followed when they take longer than the gateway waits', () =>
    overBoth(async (client) => {
      expect(await client.control('test.sleep', { ms: 900 })).toEqual({ sleptMs: 900 });
    }));

  it('reject with what they fail with', () =>
    overBoth(async (client) => {
      const failed = client.control('test.fail');
      await expect(failed).rejects.toBeInstanceOf(GatewayError);
      await expect(failed).rejects.toMatchObject({ code: 'command_failed', retryable: false });
      await expect(client.control('no.such')).rejects.toMatchObject({ code: 'unknown_action' });
      const slow = client.control('test.brief', { ms: 5000 });
      await expect(slow).rejects.toMatchObject({ code: 'command_timeout' });
    }));

  it('end when their time is up, or when they are given up', () =>
    overBoth(async (client) => {
      const late = client.control('test.sleep', { ms: 3000 }, { timeoutMs: 400 });
      await expect(late).rejects.toMatchObject({ code: 'timeout' });
      const reason = new Error('enough');
      const given = client.control('test.sleep', { ms: 3000 }, { signal: AbortSignal.abort(reason) });
      await expect(given).rejects.toBe(reason);
      const stop = new AbortController();
      const stopped = client.control('test.sleep', { ms: 3000 }, { signal: stop.signal });
      setTimeout(() => {
        stop.abort(reason);
      }, 150);
      await expect(stopped).rejects.toBe(reason);
    }));
});

it('a command whose connection is lost is executed once', async () => {
  const file = path.join(folder, 'record');
  const control = new ControlClient(`${proxy.url}/api/control`);
  const result = control.send('test.record', { file, ms: 700 });
  const lines = (): string[] => readFileSync(file, { encoding: 'utf8', flag: 'a+' }).split('\n');
  for (let cuts = 0; cuts < 3; cuts += 1) {
    await waitUntil(() => lines().length > 1, 'the command to begin');
    proxy.cut();
  }
  expect(await result).toEqual({ begun: 1 });
  expect(lines()).toHaveLength(2);
});

describe.each(TRANSPORTS)('rooms, over %s', (prefer) => {
  const room = (name: string): string => `${prefer}-${name}`;

  it('are joined with their newest values, kept when it comes back, and left', async () => {
    await publish(http.url, { type: 'price', room: room('b'), key: 'x', data: 'old' });
    const heard = new HeardClient(proxy.url, { prefer, rooms: [room('a')] });
    // Not live yet: it waits.
    expect(await heard.client.join(room('b'))).toEqual([room('a'), room('b')]);
    await waitUntil(() => heard.events.length === 1, 'the value');
    proxy.cut();
    await waitUntil(() => heard.welcomes.length > 1 && heard.client.state === 'live', 'it to come back');
    expect(heard.client.rooms).toEqual([room('a'), room('b')]);
    expect(await heard.client.leave([room('a')])).toEqual([room('b')]);
    await publish(http.url, { type: 'price', room: room('a'), key: 'x', data: 'unheard' });
    await publish(http.url, { type: 'price', room: room('b'), key: 'x', data: 'new' });
    await waitUntil(() => heard.events.length === 2, 'the new value');
    expect(heard.events.map(({ data }) => data)).toEqual(['old', 'new']);
    await expect(heard.client.join('no room')).rejects.toMatchObject({ code: 'invalid_room' });
  });

  it('that are joined right before a loss miss nothing', async () => {
    const heard = new HeardClient(proxy.url, { prefer, rooms: [room('c')] });
    await heard.client.join(room('d'));
    proxy.cut();
    const ids = await publish(
      http.url,
      [1, 2, 3].map((data) => ({ type: 'counted', room: room('d'), data })),
    );
    await heard.has(ids.at(-1));
    expect(heard.ids('counted')).toEqual(ids);
  });

  it('that are all left are silent, also after a loss', async () => {
    const heard = new HeardClient(proxy.url, { prefer });
    await heard.isLive();
    expect(await heard.client.leave(heard.client.rooms)).toEqual([]);
    proxy.cut();
    await waitUntil(() => heard.welcomes.length > 1 && heard.client.state === 'live', 'it to come back');
    await publish(http.url, { type: 'counted', data: 'unheard' });
    expect(await heard.client.join(room('e'))).toEqual([room('e')]);
    await publish(http.url, { type: 'counted', data: 'unheard as before' });
    const [id] = await publish(http.url, { type: 'counted', room: room('e'), data: 'heard' });
    await heard.has(id);
    expect(heard.events.map(({ data }) => data)).toEqual(['heard']);
  });
});

it('publications have their ids, or what is wrong with them', async () => {
  const { client } = new HeardClient(http.url);
  expect(await client.publish({ type: 'counted', data: 1 })).toEqual([expect.stringMatching(/^\d+-\d+$/)]);
  expect(await client.publish([{ type: 'counted' }, { type: 'counted' }])).toHaveLength(2);
  await expect(client.publish({ type: 'no type' })).rejects.toMatchObject({
    code: 'invalid_type',
    status: 400,
  });
});

it('is what a program imports as flipgate/client, Socket.IO included', async () => {
  const program = `
    import { FlipgateClient } from 'flipgate/client';
    const client = new FlipgateClient(${JSON.stringify(http.url)}, { prefer: 'websocket' });
    client.onWelcome(({ profile }) => {
      console.log(profile, client.transport);
      client.close();
    });`;
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: ROOT,
  });
  expect(run.stdout).toBe('HYBRID websocket\n');
});
