// What strangers and single callers cost: CPU of what is refused beside what is served, memory before sign-in, and how long
// a probe waits while one caller does its worst.
import net from 'node:net';
import http from 'node:http';
import { cpuMicros, rssBytes } from '../lib/accounting.mjs';
import { startFlipgate } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const GOOD = 'a-good-key-1234';
const POWERLESS = 'powerless-key-1234';
const WRONG = 'a-wrong-key-1234';
const API_KEYS = JSON.stringify([
  { id: 'good', key: GOOD, subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] },
  { id: 'powerless', key: POWERLESS },
]);
const UPGRADE =
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** Rows of three kinds: refused beside served, memory, and the probe's wait. */
export async function hostile({ quick }) {
  const server = await startFlipgate({ APP_PROFILE: 'HYBRID', AUTH_MODE: 'token', API_KEYS });
  const times = quick ? 300 : 3000;
  const rows = [...(await refusals(server, times)), ...(await probes(server, quick ? 2 : 8))];
  await server.stop();
  return [...rows, ...(await memory(quick ? 200 : 1000))];
}

async function refusals(server, times) {
  const small = JSON.stringify({ type: 'update', data: 'x'.repeat(400) });
  const large = JSON.stringify({ type: 'update', data: 'x'.repeat(1_000_000) });
  const few = Math.ceil(times / 30);
  const cases = [
    ['GET /api/me, wrong key', times, ['GET', '/api/me', WRONG], ['GET', '/api/me', GOOD]],
    ['the same of a script tag', times, ['GET', '/api/me', GOOD, '', 'no-cors'], ['GET', '/api/me', GOOD]],
    [
      'POST /api/events of 400 B, no right',
      times,
      ['POST', '/api/events', POWERLESS, small],
      ['POST', '/api/events', GOOD, small],
    ],
    [
      'POST /api/events of 1 MB, no right',
      few,
      ['POST', '/api/events', POWERLESS, large],
      ['POST', '/api/events', GOOD, large],
    ],
    [
      'history of a room, no right',
      times,
      ['GET', '/api/rooms/default/events', POWERLESS],
      ['GET', '/api/rooms/default/events?limit=10', GOOD],
    ],
  ];
  const rows = [];
  for (const [what, count, refused, served] of cases) {
    await each(server, refused, few);
    await each(server, served, few);
    rows.push(
      rowOf(
        what,
        await cost(server, () => each(server, refused, count), count),
        await cost(server, () => each(server, served, count), count),
      ),
    );
  }
  const joins = Math.ceil(times / 3);
  const connect = (key) => cost(server, () => signIns(server.port, key, joins), joins);
  await connect(GOOD);
  rows.push(rowOf('a websocket that signs in, wrong key', await connect(WRONG), await connect(GOOD)));
  return rows;
}

const rowOf = (what, refused, served) => ({
  what,
  'µs refused': refused.toFixed(0),
  'µs served': served.toFixed(0),
  ratio: (refused / served).toFixed(2),
  target: '< 1',
});

async function cost(server, run, times) {
  const before = cpuMicros(server.pid);
  await run();
  await sleep(100);
  return (cpuMicros(server.pid) - before) / times;
}

/** So many requests, eight at a time, each on a connection of its own: a refused one ends it. */
async function each({ port }, [method, path, key, body = '', mode = 'cors'], times) {
  const headers = { 'X-API-Key': key, 'Content-Type': 'application/json', 'Sec-Fetch-Mode': mode };
  let left = times;
  const lane = async () => {
    while (left-- > 0) {
      await new Promise((resolve) => {
        const req = http.request({ port, method, path, headers, agent: false }, (res) =>
          res.resume().on('close', resolve),
        );
        req.on('error', resolve).end(body);
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

/** A masked text frame; masked with zeros, the payload stays what it is. */
function textFrame(text, isLast = true, said = Buffer.byteLength(text)) {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(said));
  return Buffer.concat([
    Buffer.from([(isLast ? 0x80 : 0) | 1, 0x80 | 127]),
    size,
    Buffer.alloc(4),
    Buffer.from(text),
  ]);
}

function openWebsocket(port, first) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(UPGRADE));
    socket.on('error', () => undefined).on('close', () => resolve(socket));
    socket.on('data', (data) => {
      if (data.includes('pingInterval')) resolve(socket);
      if (data.includes('pingInterval') && first !== undefined) socket.write(first);
    });
  });
}

async function signIns(port, key, times) {
  const auth = textFrame(`40${JSON.stringify({ token: key, bundle: true, rooms: ['default'] })}`);
  let left = times;
  const lane = async () => {
    while (left-- > 0) {
      const socket = await openWebsocket(port, auth);
      await new Promise((resolve) => {
        socket.once('data', resolve).once('close', resolve);
      });
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

/** The longest time that a probe waits while one caller does something for so many seconds. */
async function probes(server, seconds) {
  const { port } = server;
  const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
  const fill = Array.from({ length: 100 }, () => ({ type: 'n', room: 'large', data: 'x'.repeat(10_000) }));
  for (let n = 0; n < 10; n += 1) await each(server, ['POST', '/api/events', GOOD, JSON.stringify(fill)], 1);
  const rooms = Array.from({ length: 99 }, (_, n) => `r${String(n)}`);
  const join = ['join', 'leave'].map((what) => textFrame(`42${JSON.stringify([what, rooms])}`));
  const member = await openWebsocket(port, textFrame(`40${JSON.stringify({ token: GOOD, bundle: true })}`));
  await sleep(200);
  const attacks = [
    ['nothing', () => sleep(20)],
    [
      'strangers, 2 MB of brackets each',
      async () => (await openWebsocket(port, textFrame(`40{"a":${deep}}`))).destroy(),
    ],
    [
      'a key without rights, 2 MB of brackets each',
      () => each(server, ['POST', '/api/control', POWERLESS, `{"action":"x","data":${deep}}`], 1),
    ],
    [
      'a member that joins and leaves 99 rooms 1500 times a second',
      async () => {
        for (let n = 0; n < 30; n += 1) member.write(join[n % 2]);
        await sleep(20);
      },
    ],
    [
      'a reader that takes none of its history',
      async () => {
        const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
        socket.pause();
        socket.write(
          `GET /api/rooms/large/events?limit=1000 HTTP/1.1\r\nHost: x\r\nX-API-Key: ${GOOD}\r\n\r\n`,
        );
        await sleep(20);
      },
    ],
    ['a guesser of keys', () => each(server, ['GET', '/api/me', `guess-${String(Math.random())}`], 8)],
  ];
  const rows = [];
  for (const [what, once] of attacks) {
    const stop = new AbortController();
    const attack = (async () => {
      while (!stop.signal.aborted) await once();
    })();
    let longest = 0;
    for (const until = performance.now() + seconds * 1000; performance.now() < until; await sleep(20)) {
      const asked = performance.now();
      await each(server, ['GET', '/healthz', GOOD], 1);
      longest = Math.max(longest, performance.now() - asked);
    }
    stop.abort();
    await attack;
    rows.push({
      what: `/healthz beside ${String(what)}`,
      'longest ms': longest.toFixed(0),
      target: '100 more than beside nothing',
    });
  }
  member.destroy();
  return rows;
}

/** Memory of a connection of somebody who has not signed in, by what it has sent. */
async function memory(count) {
  const rows = [];
  for (const [what, first] of [
    ['a websocket that says nothing', undefined],
    ['one with 16 KB of an unfinished message', textFrame('x'.repeat(16_000), false, 2_000_000)],
  ]) {
    const server = await startFlipgate({ APP_PROFILE: 'WEBSOCKET', AUTH_MODE: 'token', API_KEYS });
    await server.heap();
    const before = rssBytes(server.pid);
    const sockets = [];
    for (let n = 0; n < count; n += 50) {
      sockets.push(
        ...(await Promise.all(Array.from({ length: 50 }, () => openWebsocket(server.port, first)))),
      );
    }
    await sleep(500);
    await server.heap();
    await sleep(500);
    const held = (rssBytes(server.pid) - before) / count / 1000;
    await until(async () => sockets.every(({ destroyed }) => destroyed), 20_000);
    rows.push({ what, 'RSS KB each': held.toFixed(1), target: 'the bare connection and 16' });
    await server.stop();
  }
  return rows;
}
