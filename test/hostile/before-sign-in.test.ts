import net from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { killLaunched } from '../support/launched-gateway.js';
import { type ProbedGateway, launchProbedGateway } from '../support/probed-gateway.js';
import { frameOf, WebsocketAttacker } from '../support/websocket-attacker.js';
import { exchangeRaw, upgradeLines } from '../support/raw-exchange.js';
import { waitUntil } from '../support/wait-until.js';

const OPERATOR = 'operator-key-1234';
const OTHER = 'other-key-12345';
const SHOWN = { 'X-API-Key': OPERATOR };
/** What a gateway may grow by while strangers are at it, beside the bare connections: most is the heap's own breathing. */
const MOST_GROWTH_BYTES = 60_000_000;

let gateway: ProbedGateway;

afterEach(killLaunched);

async function launch(variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const keys = [
    { id: 'op', key: OPERATOR, subscribe: ['*'], command: ['*'], admin: ['*'] },
    { id: 'other', key: OTHER, subscribe: ['*'] },
  ];
  gateway = await launchProbedGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify(keys),
    ...variables,
  });
}

const open = (query?: string): Promise<WebsocketAttacker> => WebsocketAttacker.open(gateway.port, query);

async function many<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let n = 0; n < count; n += 1) made.push(await make());
  return made;
}

/** What a path answers, and how it goes when it is a JSON refusal. */
async function answerOf(path: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(gateway.url + path, { headers });
  const code = /"code":"(\w+)"/.exec(await response.text())?.[1] ?? '';
  return [response.status, code];
}

async function cutFor(reason: string): Promise<number> {
  const response = await fetch(`${gateway.url}/api/admin/status`, { headers: SHOWN });
  const { counters } = (await response.json()) as { counters: Record<string, Record<string, number>> };
  return counters['connections_cut']?.[reason] ?? 0;
}

/** The id of a new connection over polling. */
async function shakeHands(headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`, { headers });
  return (JSON.parse((await response.text()).slice(1)) as { sid: string }).sid;
}

async function post(
  sid: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const response = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', ...headers },
    body,
  });
  return [response.status, /"code":"(\w+)"/.exec(await response.text())?.[1] ?? ''];
}

describe('what a stranger makes the gateway hold', () => {
  test('unfinished messages, and attachments that are still to come, are cut and cost nothing', async () => {
    await launch();
    const before = gateway.rssBytes() ?? 0;
    const half = frameOf({ payload: Buffer.alloc(1_900_000, 'a'), isLast: false });
    const attachment = frameOf({ payload: Buffer.alloc(1_900_000), opcode: 2 });
    const placeholders = Array.from({ length: 10 }, (_, num) => `{"_placeholder":true,"num":${String(num)}}`);
    const announced = frameOf(`4510-["x",${placeholders.join()}]`);
    const attackers = await many(100, () => open());
    for (const [index, attacker] of attackers.entries())
      await attacker.sendBytes(index % 2 === 0 ? half : Buffer.concat([announced, attachment, attachment]));
    await waitUntil(() => attackers.every(({ isClosed }) => isClosed), 'all of them to be cut');
    expect((gateway.rssBytes() ?? 0) - before).toBeLessThan(MOST_GROWTH_BYTES);
    expect((await cutFor('too_large')) + (await cutFor('binary'))).toBe(100);
  });

  test('the same over polling, also by Engine.IO 3', async () => {
    await launch();
    const sid = await shakeHands();
    // An HTTP error would have a stock client come back; it is told so in its poll.
    expect(await post(sid, `4${'x'.repeat(20_000)}`)).toEqual([200, '']);
    const poll = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    expect(await poll.text()).toMatch(/^44{"message":"payload_too_large"/);
    // Told once; what it would be told again and again would be held for it.
    expect(await post(sid, `4${'x'.repeat(20_000)}`)).toEqual([200, '']);
    expect(await post(sid, '3')).toEqual([404, 'unknown_session']);
    const binary = await shakeHands();
    expect((await post(binary, 'bAAAA'))[0]).toBe(200);
    expect(await post(binary, '40')).toEqual([404, 'unknown_session']);
    const old = await fetch(`${gateway.url}/socket.io/?EIO=3&transport=polling`);
    const [, oldSid = ''] = /"sid":"([^"]+)/.exec(await old.text()) ?? [];
    const response = await fetch(`${gateway.url}/socket.io/?EIO=3&transport=polling&sid=${oldSid}`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: `20000:4${'x'.repeat(19_999)}`,
    });
    expect(response.status).toBe(200);
    const oldPoll = await fetch(`${gateway.url}/socket.io/?EIO=3&transport=polling&sid=${oldSid}`);
    expect(await oldPoll.text()).toMatch(/44{"message":"payload_too_large"/);
  });

  test('a stock client that names too many rooms is told so, and does not try the same for ever', async () => {
    await launch();
    const rooms = Array.from({ length: 1000 }, (_, n) => `room-with-a-long-name-${String(n)}`);
    for (const transport of ['websocket', 'polling']) {
      const socket = io(gateway.url, {
        transports: [transport],
        forceNew: true,
        auth: { token: OPERATOR, bundle: true, rooms },
      });
      const error = await new Promise<Error & { data?: unknown }>((resolve) => {
        socket.on('connect_error', resolve);
      });
      expect([transport, error.message]).toEqual([transport, 'payload_too_large']);
      expect(error.data).toMatchObject({ error: { code: 'payload_too_large', retryable: false } });
      expect(socket.active).toBe(false);
      socket.close();
    }
  });

  test('a member may send as much as is configured, and after it left its session, 16 KiB again', async () => {
    await launch();
    const member = await open();
    await member.send(`40${JSON.stringify({ token: OPERATOR, bundle: true, rooms: ['a'] })}`);
    await waitUntil(() => member.text.includes('welcome'), 'the welcome');
    await member.send(`421["control",{"action":"none","data":"${'x'.repeat(1_000_000)}"}]`);
    await waitUntil(() => member.text.includes('431['), 'the answer');
    expect(member.text).toContain('unknown_action');
    await member.send('41', { payload: Buffer.alloc(1_000_000, 'a'), isLast: false });
    await waitUntil(() => member.isClosed, 'it to be cut');
  });

  test('an event nested too deep is refused with a code, and what is no event ends its connection', async () => {
    await launch();
    const deep = '['.repeat(500_000) + ']'.repeat(500_000);
    const member = await open();
    await member.send(`40${JSON.stringify({ token: OPERATOR, bundle: true, rooms: ['a'] })}`);
    await waitUntil(() => member.text.includes('welcome'), 'the welcome');
    await member.send(`427["control",{"action":"none","data":${deep}}]`);
    await waitUntil(() => member.text.includes('437['), 'the answer');
    expect(member.text).toContain('invalid_data');
    await member.send(`437[${deep}]`);
    await waitUntil(() => member.isClosed, 'the end');
  });
});

describe('how long a stranger stays', () => {
  test('10 s, whatever it does meanwhile: then its socket is destroyed', async () => {
    await launch({ PING_INTERVAL: '2', PING_TIMEOUT: '2' });
    const shy = await open();
    const stalled = await open();
    stalled.stall();
    const wrongTransport = await open('EIO=4&transport=polling');
    const sid = await shakeHands();
    const upgrading = await open(`EIO=4&transport=websocket&sid=${sid}`);
    await upgrading.send('2probe');
    const left = await open();
    await left.send(`40${JSON.stringify({ token: OPERATOR, bundle: true, rooms: ['a'] })}`);
    await waitUntil(() => left.text.includes('welcome'), 'the welcome');
    await left.send('41');
    const refused = await open();
    await refused.send('40{"token":"wrong-key-1234"}');
    const all = [shy, wrongTransport, upgrading, left, refused];
    const answering = setInterval(() => {
      for (const one of all) void one.send('3');
    }, 500);
    await waitUntil(() => all.every(({ isClosed }) => isClosed), 'all of them to be destroyed', 20_000);
    clearInterval(answering);
    stalled.resume();
    await waitUntil(() => stalled.isClosed, 'the one that does not read to be destroyed', 5000);
    expect(await post(sid, '40')).toEqual([404, 'unknown_session']);
  }, 40_000);
});

describe('places', () => {
  test('handshakes that never sign in keep no member out', async () => {
    await launch({ MAX_CONNECTIONS: '30' });
    await many(60, () => shakeHands());
    await many(60, () => open());
    const member = await open();
    await member.send(`40${JSON.stringify({ token: OPERATOR, bundle: true, rooms: ['a'] })}`);
    await waitUntil(() => member.text.includes('welcome'), 'the welcome');
    const stream = await fetch(`${gateway.url}/api/events/stream?rooms=a`, { headers: SHOWN });
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
  });

  test('silent connections keep neither members nor probes out, and members keep their places', async () => {
    await launch({ MAX_CONNECTIONS: '30' });
    const stream = await fetch(`${gateway.url}/api/events/stream?rooms=a`, { headers: SHOWN });
    const member = await open();
    await member.send(`40${JSON.stringify({ token: OPERATOR, bundle: true, rooms: ['a'] })}`);
    await waitUntil(() => member.text.includes('welcome'), 'the welcome');
    const polling = await shakeHands(SHOWN);
    await post(polling, '40', SHOWN);
    const silent = Array.from({ length: 1100 }, () => {
      const socket = net.connect(gateway.port, '127.0.0.1');
      return socket.on('error', () => undefined);
    });
    await waitUntil(async () => (await cutFor('displaced')) > 50, 'the oldest to make room');
    expect(await answerOf('/healthz')).toEqual([200, '']);
    expect(await answerOf('/readyz')).toEqual([200, '']);
    expect(await answerOf('/metrics', SHOWN)).toEqual([200, '']);
    expect((await post(polling, '42["x"]', SHOWN))[0]).toBe(200);
    expect(member.isClosed).toBe(false);
    const reader = stream.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    for (const socket of silent) socket.destroy();
  });
});

describe('the id of a connection', () => {
  test('opens nothing by itself where the handshake showed credentials', async () => {
    await launch();
    const sid = await shakeHands(SHOWN);
    expect((await post(sid, '40', SHOWN))[0]).toBe(200);
    expect(await post(sid, '421["control",{"action":"x"}]')).toEqual([401, 'unauthenticated']);
    expect(await post(sid, '42["x"]', { 'X-API-Key': OTHER })).toEqual([403, 'forbidden']);
    expect(await answerOf(`/socket.io/?EIO=4&transport=polling&sid=${sid}`)).toEqual([
      401,
      'unauthenticated',
    ]);
    const upgrade = exchangeRaw(
      gateway.port,
      upgradeLines(`/socket.io/?EIO=4&transport=websocket&sid=${sid}`),
    );
    await waitUntil(() => upgrade.ended(), 'an answer');
    expect(upgrade.text()).toMatch(/^HTTP\/1\.1 401 unauthenticated/);
    expect((await post(sid, '42["x"]', SHOWN))[0]).toBe(200);
    const bearer = { Authorization: `Bearer ${OPERATOR}` };
    expect((await post(sid, '42["x"]', bearer))[0]).toBe(200);
  });
});
