import { afterEach, expect, it } from '@jest/globals';
import { EventStream, type Transport } from '../../src/client/index.js';
import { CountedStream } from '../support/counted-stream.js';
import { type CutProxy, openCutProxy } from '../support/cut-proxy.js';
import { untilSessions } from '../support/gateway-status.js';
import { closeClients, closedLater, HeardClient } from '../support/heard-client.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { freePort } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

const TRANSPORTS: readonly Transport[] = ['sse', 'websocket'];
const streams: CountedStream[] = [];
const proxies: CutProxy[] = [];

afterEach(async () => {
  closeClients();
  await Promise.all(streams.splice(0).map((stream) => stream.stop()));
  for (const proxy of proxies.splice(0)) proxy.close();
  await killLaunched();
});

function count(url: string): CountedStream {
  const stream = new CountedStream(url);
  streams.push(stream);
  return stream;
}

async function proxyTo(port: number): Promise<CutProxy> {
  const proxy = await openCutProxy(port);
  proxies.push(proxy);
  return proxy;
}

/** Settings of gateways that have one log in the Redis of the tests. */
function sharedLog(): Record<string, string | undefined> {
  const prefix = `test-client-${String(process.pid)}-${String(performance.now())}`;
  return {
    REDIS_URL: process.env.TEST_REDIS_URL,
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: `${prefix}-events`,
  };
}

/** Waits until a dozen more were published and have come. */
async function goOn(heard: HeardClient, stream: CountedStream): Promise<void> {
  const enough = stream.ids.length + 12;
  await waitUntil(() => stream.ids.length >= enough, 'a dozen more events');
  await heard.has(stream.ids[enough - 1]);
}

/** Waits for all there is in the log: each came once, in order, and no gap was told. */
async function hasAll(heard: HeardClient, stream: CountedStream, url: string): Promise<void> {
  await stream.stop();
  const { json } = await requestJson('GET', `${url}/api/rooms/default/events?limit=1000`);
  const { events, whole } = json as { events: { id: string; type: string }[]; whole: boolean };
  const logged = events.filter((event) => event.type === 'counted').map(({ id }) => id);
  expect(whole).toBe(true);
  await heard.has(logged.at(-1));
  expect(heard.ids('counted')).toEqual(logged);
  expect(logged).toEqual(expect.arrayContaining([...stream.ids]));
  expect(heard.gaps).toEqual([]);
}

it('goes on over the other transport when the gateway is restarted with the other profile', async () => {
  const variables = { ...sharedLog(), PORT: String(await freePort()) };
  let gateway = await launchGateway({ ...variables, APP_PROFILE: 'WEBSOCKET' });
  const heard = new HeardClient(gateway.url);
  await heard.isLive('websocket');
  const stream = count(gateway.url);
  await goOn(heard, stream);
  for (const [profile, transport, isKilled] of [
    ['SSE', 'sse', true],
    ['WEBSOCKET', 'websocket', false],
  ] as const) {
    await (isKilled ? gateway.kill() : gateway.stop());
    await waitUntil(() => heard.client.state === 'reconnecting', 'the loss to be noticed');
    gateway = await launchGateway({ ...variables, APP_PROFILE: profile });
    await heard.isLive(transport);
    await goOn(heard, stream);
  }
  await hasAll(heard, stream, gateway.url);
  expect(heard.welcomes.slice(1).map(({ resumed }) => resumed)).not.toContain(false);
});

it('goes on over the other transport when the gateway is flipped, and back', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '300' });
  const heard = new HeardClient(gateway.url);
  await heard.isLive('sse');
  const stream = count(gateway.url);
  await goOn(heard, stream);
  for (const [profile, transport] of [
    ['WEBSOCKET', 'websocket'],
    ['SSE', 'sse'],
  ] as const) {
    const { status } = await requestJson('PUT', `${gateway.url}/api/admin/profile`, { profile });
    expect(status).toBe(200);
    await heard.isLive(transport);
    await goOn(heard, stream);
  }
  await hasAll(heard, stream, gateway.url);
  // Told before they were closed: nobody waited, and nothing was lost.
  expect(heard.states.map(({ code }) => code)).toContain('profile_changed');
  expect(heard.states.filter(({ retryInMs }) => retryInMs !== null)).toEqual([]);
});

it('has more rooms than fit into a handshake, and misses nothing in any of them', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET', MAX_ROOMS_PER_SESSION: '1000' });
  const proxy = await proxyTo(gateway.port);
  const rooms = Array.from({ length: 1000 }, (_, n) => `a-room-with-a-rather-long-name-${String(n)}`);
  const heard = new HeardClient(proxy.url, { rooms });
  await heard.isLive('websocket');
  expect([...heard.client.rooms].sort()).toEqual([...rooms].sort());
  const published: string[] = [];
  const publishTo = async (room: string | undefined, count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      const { json } = await requestJson('POST', `${gateway.url}/api/events`, { type: 'n', room, data: n });
      published.push(...(json as { ids: string[] }).ids);
    }
  };
  for (const room of [rooms[0], rooms.at(-1)]) await publishTo(room, 3);
  await heard.has(published.at(-1));
  for (let cut = 1; cut <= 3; cut += 1) {
    proxy.cut();
    for (const room of [rooms[0], rooms.at(-1)]) await publishTo(room, 20);
    await heard.has(published.at(-1));
  }
  expect(heard.ids('n').toSorted()).toEqual(published.toSorted());
  expect(heard.gaps).toEqual([]);
  expect(heard.welcomes.slice(1).every(({ resumed }) => resumed)).toBe(true);
});

it('survives cuts and silence, over both transports', async () => {
  await Promise.all(TRANSPORTS.map(survivesCuts));
});

async function survivesCuts(transport: Transport): Promise<void> {
  const gateway = await launchGateway({ APP_PROFILE: 'HYBRID', PING_INTERVAL: '1' });
  const proxy = await proxyTo(gateway.port);
  const heard = new HeardClient(proxy.url, { prefer: transport });
  await heard.isLive(transport);
  const stream = count(gateway.url);
  for (let n = 0; n < 3; n += 1) {
    await goOn(heard, stream);
    if (n < 2) proxy.cut();
    else proxy.freeze();
    await waitUntil(() => heard.client.state === 'reconnecting', 'the loss to be noticed');
    await heard.isLive(transport);
  }
  await goOn(heard, stream);
  await hasAll(heard, stream, gateway.url);
}

it('moves to the other transport where both are on', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'HYBRID' });
  const heard = new HeardClient(gateway.url);
  await heard.isLive('sse');
  const stream = count(gateway.url);
  for (const transport of ['websocket', 'sse'] as const) {
    await goOn(heard, stream);
    heard.client.use(transport);
    await heard.isLive(transport);
  }
  await goOn(heard, stream);
  await hasAll(heard, stream, gateway.url);
  await untilSessions(gateway.url, 1);
});

it('goes on at the next node when its own is killed, over both transports', async () => {
  await Promise.all(TRANSPORTS.map(survivesKill));
});

async function survivesKill(prefer: Transport): Promise<void> {
  const variables = { ...sharedLog(), APP_PROFILE: 'HYBRID' };
  const [one, other] = await Promise.all([launchGateway(variables), launchGateway(variables)]);
  const heard = new HeardClient([one.url, other.url], { prefer });
  await heard.isLive(prefer);
  const stream = count(other.url);
  await goOn(heard, stream);
  await one.kill();
  await goOn(heard, stream);
  await hasAll(heard, stream, other.url);
}

it('goes on from a cursor that was kept, and tells of a gap where that is none', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
  const first = new HeardClient(gateway.url);
  await first.isLive();
  const [one] = await publish(gateway.url, { type: 'counted', data: 1 });
  await first.has(one);
  await waitUntil(() => first.client.cursor !== null, 'a cursor');
  const cursor = first.client.cursor ?? '';
  first.client.close();
  const [two] = await publish(gateway.url, { type: 'counted', data: 2 });
  const second = new HeardClient(gateway.url, { cursor });
  const third = new HeardClient(gateway.url, { cursor: 'no-cursor' });
  await second.has(two);
  expect(second.ids('counted')).toEqual([two]);
  await waitUntil(() => third.gaps.length > 0, 'the gap');
  expect(third.gaps[0]?.reason).toBe('unknown_cursor');
});

it('stays away where it is told to', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'HYBRID' });
  for (const prefer of TRANSPORTS) {
    const heard = new HeardClient(gateway.url, { prefer, rooms: ['no room'] });
    await waitUntil(() => heard.client.state === 'closed', 'the client to give up');
    expect(heard.states.at(-1)).toMatchObject({ code: 'invalid_room', retryInMs: null });
    await expect(heard.client.join('a')).rejects.toMatchObject({ code: 'closed' });
  }
});

it('is had from a stream alone', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
  const proxy = await proxyTo(gateway.port);
  const stream = closedLater(new EventStream(`${proxy.url}/api/events/stream`, { rooms: ['a'] }));
  const got: unknown[] = [];
  stream.on('kb_update', ({ data }) => got.push(data));
  await waitUntil(() => stream.state === 'live', 'the stream');
  await publish(gateway.url, { type: 'kb_update', room: 'a', data: 1 });
  await waitUntil(() => got.length === 1, 'the first event');
  proxy.cut();
  await publish(gateway.url, { type: 'kb_update', room: 'a', data: 2 });
  await waitUntil(() => got.length === 2, 'the second event');
  expect(got).toEqual([1, 2]);
});

it('has its own stream where there are no shared workers, and says so', async () => {
  const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
  const heard = new HeardClient(gateway.url, { shared: true });
  await heard.isLive('sse');
  expect(heard.states.at(-1)?.reason).toMatch(
    /^not shared: there are no shared workers outside of browsers$/,
  );
  // It is known at once: no attempt is lost to it.
  expect(heard.states.map(({ state }) => state)).not.toContain('reconnecting');
  const [id] = await heard.client.publish({ type: 'counted', data: 1 });
  await heard.has(id);
});
