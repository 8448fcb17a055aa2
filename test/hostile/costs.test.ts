import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { FlipgateClient } from '../../src/client/index.js';
import { cpuSeconds } from '../../src/rig/cpu-times.js';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/wait-until.js';

const KEYS = {
  publisher: 'publisher-key-1',
  flooder: 'flooder-key-123',
  shared: 'shared-key-12345',
  app: 'app-key-12345678',
  none: 'none-key-123456',
};
/** As many as a session may have beside its default room. */
const ROOMS = Array.from({ length: 99 }, (_, index) => `r.${String(index)}`);
const VALUES = 2000;

interface Ack {
  readonly rooms?: readonly string[];
  readonly events?: number;
  readonly error?: { readonly code: string; readonly retryAfterMs?: number };
}

let gateway: LaunchedGateway;
const sockets: Socket[] = [];
const clients: FlipgateClient[] = [];

beforeAll(async () => {
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    REDIS_URL: undefined,
    API_KEYS: JSON.stringify([
      { id: 'publisher', key: KEYS.publisher, publish: ['*'], command: ['*'], admin: ['*'] },
      ...(['flooder', 'shared', 'app'] as const).map((id) => ({ id, key: KEYS[id], subscribe: ['*'] })),
      { id: 'none', key: KEYS.none },
    ]),
  });
  const values = Array.from({ length: VALUES }, (_, index) => ({
    type: 'v',
    room: 'values',
    key: String(index),
  }));
  for (let from = 0; from < VALUES; from += 1000) {
    const answer = await post('/api/events', values.slice(from, from + 1000), KEYS.publisher);
    expect(answer.status).toBe(202);
  }
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
  for (const client of clients.splice(0)) client.close();
  RawClient.leaveAll();
});

afterAll(killLaunched);

function post(path: string, body: unknown, key: string): Promise<JsonAnswer> {
  return requestJson('POST', gateway.url + path, body, { 'X-API-Key': key });
}

async function connect(key: string, rooms: readonly string[] = ['default']): Promise<Socket> {
  const auth = { apiKey: key, bundle: true, rooms };
  const socket = io(gateway.url, { auth, transports: ['websocket'], forceNew: true });
  sockets.push(socket);
  await new Promise((resolve) => socket.once('welcome', resolve));
  return socket;
}

function emit(socket: Socket, name: string, value: unknown): Promise<Ack> {
  return socket.emitWithAck(name, value) as Promise<Ack>;
}

/** How often a code was acked; '' for no error. */
function tallyOf(acks: readonly Ack[]): Map<string, number> {
  const tally = new Map<string, number>();
  for (const { error } of acks) tally.set(error?.code ?? '', (tally.get(error?.code ?? '') ?? 0) + 1);
  return tally;
}

/** CPU seconds of the gateway so far; 0 where the system does not tell. */
function cpuOf(): number {
  return cpuSeconds(gateway.process.pid ?? 0) ?? 0;
}

describe('changes of rooms', () => {
  test('of one session are limited by the rooms they name, and others are not hurt', async () => {
    const flooder = await connect(KEYS.flooder);
    const floods = Array.from({ length: 400 }, (_, index) =>
      emit(flooder, index % 2 === 0 ? 'join' : 'leave', ROOMS),
    );
    const acks = await Promise.all(floods);
    const tally = tallyOf(acks);
    expect([...tally.keys()].sort()).toEqual(['', 'rate_limited']);
    // At most two seconds' worth at once, and a hundred rooms a second: some seconds at the very most.
    expect(tally.get('')).toBeLessThan(30);
    expect(acks.find(({ error }) => error !== undefined)?.error?.retryAfterMs).toBeGreaterThan(0);
    const other = await connect(KEYS.flooder);
    expect((await emit(other, 'join', ROOMS)).rooms).toHaveLength(100);
    const { json } = await requestJson('GET', `${gateway.url}/api/admin/status`, undefined, {
      'X-API-Key': KEYS.publisher,
    });
    expect(json.counters.room_changes_refused.rate_limited).toBe(tally.get('rate_limited'));
  });

  test('are limited over HTTP, too, with the code and the time', async () => {
    const client = await RawClient.open(gateway.port, 'sse', { token: KEYS.app });
    const path = `/api/sessions/${String(client.welcomes[0]?.sessionId)}/rooms`;
    let refused: JsonAnswer | undefined;
    for (let index = 0; index < 50 && refused === undefined; index += 1) {
      const answer = await post(path, { join: ROOMS, leave: ROOMS }, KEYS.app);
      if (answer.status !== 200) refused = answer;
    }
    expect([refused?.status, refused?.json.error.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('of many pages that share a key are not limited while they load', async () => {
    const pages = await Promise.all(Array.from({ length: 200 }, () => connect(KEYS.shared)));
    const acks = await Promise.all(
      pages.map((page, index) => emit(page, 'join', [`p.${String(index)}`, 'all', 'me'])),
    );
    expect(tallyOf(acks)).toEqual(new Map([['', 200]]));
  }, 60_000);

  test('that are refused are tried again by the SDK, until they are done', async () => {
    for (const prefer of ['websocket', 'sse'] as const) {
      const client = new FlipgateClient(gateway.url, { token: KEYS.app, prefer, rooms: ['default'] });
      clients.push(client);
      // More than the two seconds' worth that may come at once.
      for (let round = 0; round < 2; round += 1) {
        await client.join(ROOMS);
        await client.leave(ROOMS);
      }
      expect(await client.join(['last'])).toContain('last');
    }
  }, 60_000);

  test('name no more rooms than makes sense', async () => {
    const socket = await connect(KEYS.app);
    const many = Array.from({ length: 100_000 }, (_, index) => `r.${String(index)}`);
    for (const name of ['join', 'leave']) {
      expect((await emit(socket, name, many)).error?.code).toMatch(/too_many_rooms|rate_limited/);
    }
  });
});

describe('snapshots that clients ask for', () => {
  test('are limited by their values', async () => {
    const socket = await connect(KEYS.flooder, ['values']);
    const acks = await Promise.all(
      Array.from({ length: 200 }, () => emit(socket, 'request_initial_data', {})),
    );
    const tally = tallyOf(acks);
    expect(acks[0]?.events).toBe(VALUES);
    expect(tally.get('') ?? 0).toBeLessThan(20);
    expect(tally.get('rate_limited')).toBeGreaterThan(100);
  });
});

describe('a body that is refused', () => {
  test('costs less than one that is served', async () => {
    const body = JSON.stringify({ type: 'a', room: 'large', data: 'x'.repeat(1_900_000) });
    const cost = async (key: string, status: number): Promise<number> => {
      const before = cpuOf();
      for (let index = 0; index < 100; index += 1) {
        expect((await post('/api/events', body, key)).status).toBe(status);
      }
      return cpuOf() - before;
    };
    await cost(KEYS.publisher, 202);
    const served = await cost(KEYS.publisher, 202);
    expect(await cost(KEYS.none, 403)).toBeLessThanOrEqual(served / 2);
  });

  test('of 2 MB of brackets keeps nobody waiting, with a right and without', async () => {
    const body = '['.repeat(2_000_000);
    const before = cpuOf();
    for (let index = 0; index < 10; index += 1) {
      expect((await post('/api/events', body, KEYS.none)).status).toBe(403);
      expect((await post('/api/events', body, KEYS.publisher)).status).toBe(400);
      expect((await post('/api/control', body, KEYS.publisher)).status).toBe(400);
    }
    // It was half a second for each before.
    expect(cpuOf() - before).toBeLessThan(3);
    await waitUntil(async () => (await requestJson('GET', `${gateway.url}/healthz`)).status === 200);
  });
});
