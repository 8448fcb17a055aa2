import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { forBatches, HostileRig, KEYS } from '../support/hostile-rig.js';
import { killLaunched } from '../support/launched-gateway.js';
import { brokenJson, nastyFields, nastyJson, nastyText } from '../support/nasty.js';
import { PollingSession } from '../support/polling-session.js';
import { waitUntil } from '../support/wait-until.js';
import { type FrameShape, frameOf, WebsocketAttacker } from '../support/websocket-attacker.js';

let rig: HostileRig;
/** Connections that say nothing after their handshake. */
let silent: readonly WebsocketAttacker[];

beforeAll(async () => {
  rig = await HostileRig.open({
    PING_INTERVAL: '2',
    PING_TIMEOUT: '2',
    MAX_CONNECTIONS_PER_ADDRESS: '150',
    MAX_HTTP_BUFFER_SIZE: '1048576',
    // What is refused for a rate says nothing of rights.
    MAX_ROOM_CHANGES_PER_SECOND: '0',
  });
});

afterAll(killLaunched);

const CONNECT = `40${JSON.stringify({ token: KEYS.limited, bundle: true })}`;

/** A client that has a session by the rights an attacker may have. */
async function session(): Promise<WebsocketAttacker> {
  const attacker = await WebsocketAttacker.open(rig.port);
  await attacker.send(CONNECT);
  await waitUntil(() => attacker.text.includes('welcome'), 'the welcome');
  return attacker;
}

const name = fc.oneof(
  fc.constantFrom(
    'join',
    'leave',
    'control',
    'canary.run',
    'team.echo',
    'connect',
    'disconnect',
    'disconnecting',
    'error',
  ),
  fc.constantFrom(
    'newListener',
    'removeListener',
    'kb_update',
    'request_initial_data',
    'events',
    'welcome',
    'get_status',
  ),
  nastyText,
);
const ROOMS = ['team.a', 'canary', 'canary ', 'team.*', '*', 'team.b', '__proto__'];
const argument = fc.oneof(
  nastyFields({
    rooms: [ROOMS, 'canary', ['team.a'], { length: 1, 0: 'canary' }],
    room: ['canary', 'team.c'],
  }),
  nastyFields({
    action: ['canary.run', 'team.echo', ['canary.run'], 'canary.run\0', 'CANARY.RUN'],
    data: [1, { apiKey: KEYS.nobody }, { apiKey: 'wrong' }],
    idempotencyKey: ['a', 1, '\r\n'],
  }),
  fc.constantFrom('"canary"', '["canary"]', '["team.a","canary"]', '{"_placeholder":true,"num":0}'),
  nastyJson,
);
const id = fc.constantFrom('', '', '0', '1', '00', '999999999999999999999', '-1', '1e3', '١');
const namespace = fc.constantFrom(
  '',
  '',
  '',
  '',
  '/,',
  '/admin,',
  '//[,',
  '/?token=x,',
  `/${'x'.repeat(500)},`,
);
const event = fc
  .tuple(namespace, id, name, fc.array(argument, { maxLength: 3 }))
  .map(([of, ack, called, sent]) => `42${of}${ack}[${[JSON.stringify(called), ...sent].join()}]`);
const handshake = fc
  .tuple(
    namespace,
    nastyFields({
      token: [KEYS.limited, KEYS.nobody, 'x'],
      rooms: [ROOMS, ['canary']],
      bundle: [true, 1],
      lastEventId: ['0-0', 'x'],
    }),
  )
  .map(([of, auth]) => `40${of}${auth}`);
/** Engine.IO's types before Socket.IO's: of most packets, one is wrong. */
const packet = fc.oneof(
  { weight: 8, arbitrary: event },
  { weight: 2, arbitrary: handshake },
  fc
    .tuple(
      fc.constantFrom('40', '41', '43', '44', '45', '46', '47', '4', '4x', '49'),
      namespace,
      id,
      brokenJson,
    )
    .map((all) => all.join('')),
  fc
    .tuple(
      fc.constantFrom('5999999999-', '51-', '510-', '511-', '5-', '5x-', '61-', '50-', '5-1-'),
      namespace,
      id,
      argument,
    )
    .map(([count, of, ack, sent]) => `4${count}${of}${ack}["join",${sent},{"_placeholder":true,"num":9}]`),
  fc.constantFrom('0', '1', '2', '3', '5', '6', '2probe', '3probe', '7', 'b', 'bAAAA', '', '0{"sid":"x"}'),
  nastyText,
);
const frame: fc.Arbitrary<FrameShape | string> = fc.oneof(
  { weight: 6, arbitrary: packet },
  fc.record({
    payload: packet.map((text) => Buffer.from(text)),
    opcode: fc.constantFrom(0, 1, 2, 3, 7, 8, 9, 10, 11, 15),
    isLast: fc.boolean(),
    isMasked: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    reserved: fc.constantFrom(0, 0, 0, 4, 1),
    length: fc.oneof(fc.constant(undefined as never), fc.constantFrom(0, 5, 70_000, 2 ** 31, 2 ** 52)),
  }),
  fc.constantFrom(
    { payload: Buffer.from([0xff, 0xfe, 0xc0]) },
    { payload: Buffer.alloc(126), opcode: 9 },
    { payload: Buffer.from([0]), opcode: 8 },
    { payload: Buffer.from([3, 232, 0xff]), opcode: 8 },
    { payload: Buffer.from([0xff, 0xff]), opcode: 8 },
  ),
);

/** Makes attacks one after the other on `lanes` connections; a connection that is cut is opened again. */
async function attackBy(
  lanes: number,
  all: readonly (FrameShape | string)[],
  open: () => Promise<WebsocketAttacker>,
): Promise<void> {
  const waiting = [...all];
  const lane = async (): Promise<void> => {
    let attacker: WebsocketAttacker | undefined;
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (attacker?.isClosed !== false) attacker = await open();
      const before = attacker.text;
      await attacker.send(next);
      // What is wrong is cut at once, and what is asked with an ack is answered: a few go without awaiting either.
      await new Promise((resolve) => setImmediate(resolve));
      rig.inspect(before, next);
    }
    await attacker?.heard(50);
    rig.inspect(attacker?.text ?? '', 'the last of them');
    attacker?.close();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

describe('websockets', () => {
  test('packets of any kind, of those who have a session', async () => {
    await forBatches(event, { size: 150, runs: 1 }, (batch) => attackBy(10, batch, session));
    await rig.settle();
    silent = await Promise.all(Array.from({ length: 20 }, () => WebsocketAttacker.open(rig.port)));
    await forBatches(packet, { size: 500, runs: 6 }, async (batch) => {
      await attackBy(20, batch, session);
      rig.count('packets with a session', batch.length);
      await rig.check();
    });
  });

  test('packets and frames of any kind, of those who have none', async () => {
    await forBatches(frame, { size: 300, runs: 6 }, async (batch) => {
      await attackBy(20, batch, () => WebsocketAttacker.open(rig.port));
      rig.count('frames without a session', batch.length);
      await rig.check();
    });
  });

  test('one connection is one session, however often it asks at once', async () => {
    const attacker = await WebsocketAttacker.open(rig.port);
    await attacker.send(...Array.from({ length: 500 }, () => CONNECT));
    await waitUntil(() => attacker.text.includes('welcome') || attacker.isClosed, 'an answer');
    expect((await rig.status()).sessions.websocket).toBeLessThanOrEqual(2);
    rig.count('packets with a session', 500);
    attacker.close();
  });

  test('what is asked right before the end leaves nothing behind', async () => {
    for (let n = 0; n < 20; n += 1) {
      const attacker = await session();
      // Whoever connects twice is cut, at once; what came before waits for its turn.
      await attacker.send(`42["join",["team.late.${String(n)}"]]`, CONNECT);
      attacker.close();
    }
    rig.count('packets with a session', 20);
    await rig.check();
  });

  test('large and deep ones', async () => {
    const deep = '['.repeat(200_000);
    const attacks = [
      `42["join",${deep}`,
      `42["join",${deep}${']'.repeat(200_000)}]`,
      `420["team.echo",${deep}${']'.repeat(200_000)}]`,
    ];
    for (const attack of attacks) await attackBy(1, [attack], session);
    await attackBy(1, [{ payload: Buffer.alloc(1_100_000, 'x') }], session);
    const fragment = { payload: Buffer.from('x'), isLast: false };
    const attacker = await session();
    await attacker.send(fragment, ...Array.from({ length: 30_000 }, () => ({ ...fragment, opcode: 0 })));
    await waitUntil(() => attacker.isClosed, 'the end of one who sends a message in pieces');
    rig.count('large packets', 5);
    await rig.check();
  });
});

describe('floods', () => {
  test.each([
    [
      'joins and leaves',
      Array.from(
        { length: 20_000 },
        (_, n) => `42${String(n)}["${n % 2 === 0 ? 'join' : 'leave'}",["team.${String(n >> 1)}"]]`,
      ),
    ],
    [
      'pings of websockets',
      Array.from({ length: 20_000 }, () => ({ payload: Buffer.alloc(125), opcode: 9 })),
    ],
    ['unknown events', Array.from({ length: 20_000 }, () => '42["x"]')],
    ['connects', Array.from({ length: 20_000 }, () => CONNECT)],
  ])('of %s: who sends them is cut, others are served', async (what, frames) => {
    const attacker = await session();
    if (what.startsWith('pings')) attacker.stall();
    const bytes = Buffer.concat(frames.map(frameOf));
    for (let at = 0; at < bytes.length && !attacker.isClosed; at += 65_536) {
      await attacker.sendBytes(bytes.subarray(at, at + 65_536));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (what.startsWith('pings'))
      await waitUntil(async () => (await rig.status()).sessions.websocket === 1, 'it to be cut');
    else await waitUntil(() => attacker.isClosed, 'it to be cut');
    attacker.close();
    rig.count('floods', 1);
    await rig.check();
    expect((await rig.status()).counters['connections_cut']?.['rate_limited']).toBeGreaterThan(0);
  });

  test('who joins and leaves as fast as is allowed leaves nothing behind', async () => {
    const attacker = await session();
    for (let n = 0; n < 1500; n += 1) {
      await attacker.send(
        `42${String(2 * n)}["join",["team.${String(n)}"]]`,
        ...(n % 50 === 49
          ? [
              `42["leave",${JSON.stringify(Array.from({ length: 50 }, (_, back) => `team.${String(n - back)}`))}]`,
            ]
          : []),
      );
      if (n % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(attacker.isClosed).toBe(false);
    rig.count('joins', 1500);
    attacker.close();
    await rig.check();
  });
});

describe('polling', () => {
  test('payloads of any packets', async () => {
    const payload = fc.array(packet, { minLength: 1, maxLength: 10 });
    await forBatches(payload, { size: 40, runs: 6 }, async (batch) => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, lane) => {
          for (const packets of batch.filter((_one, index) => index % 20 === lane)) {
            const one = await PollingSession.open(rig.gateway.url);
            await one.send(CONNECT);
            await one.send([...packets, '429["x"]'].join('\x1e'));
            rig.inspect((await one.receive()).join(), packets);
            await one.send('1');
          }
        }),
      );
      rig.count('polling', batch.flat().length);
      await rig.check();
    });
  });

  test('a payload of as many packets as it can hold does not hold up others', async () => {
    for (const one of ['42["x"]', `42["join",["team.a"]]`, '2', CONNECT]) {
      const polling = await PollingSession.open(rig.gateway.url);
      await polling.send(CONNECT);
      await polling.send(
        Array.from({ length: Math.floor(1_000_000 / (one.length + 1)) }, () => one).join('\x1e'),
      );
    }
    rig.count('polling', 4);
    await rig.check();
  });

  test('handshakes that nobody goes on with are bounded for each address', async () => {
    const get = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n';
    await rig.attack(
      'handshakes',
      Array.from({ length: 20 }, () => ({ bytes: get.repeat(25), answers: 25 })),
    );
    expect((await rig.status()).counters['connections_cut']?.['displaced']).toBeGreaterThan(300);
    await rig.check();
  });
});

describe('handshakes and upgrades', () => {
  const query = fc
    .array(
      fc.tuple(
        fc.constantFrom('EIO', 'transport', 'sid', 't', 'b64', 'j', '__proto__', 'apiKey', 'access_token'),
        fc.oneof(
          fc.constantFrom('3', '4', '5', 'polling', 'websocket', 'webtransport', '__proto__', KEYS.limited),
          nastyText,
        ),
      ),
      { maxLength: 6 },
    )
    .map((all) => new URLSearchParams(all.map(([key, value]) => [key, value])).toString().slice(0, 4000));
  const upgrade = fc
    .tuple(
      fc.constantFrom('GET', 'GET', 'POST', 'HEAD', 'CONNECT'),
      query,
      fc.constantFrom('websocket', 'WebSocket', 'h2c', 'websocket, h2c', ''),
      fc.constantFrom('13', '8', '0', 'x', ''),
      fc.constantFrom('dGhlIHNhbXBsZSBub25jZQ==', 'x', '', 'A'.repeat(1000)),
      fc.constantFrom(
        '',
        'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99',
        'Sec-WebSocket-Protocol: ,,',
        'Origin: \u00e9',
        'Content-Length: 3',
      ),
    )
    .map(([method, search, to, version, key, more]) => ({
      bytes:
        `${method} /socket.io/?${search} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n` +
        `Sec-WebSocket-Version: ${version}\r\nSec-WebSocket-Key: ${key}\r\n${more === '' ? '' : `${more}\r\n`}\r\n`,
    }));

  test('of any kind', async () => {
    await waitUntil(async () => (await rig.status()).sessions.websocket === 1, 'the others to be gone');
    await forBatches(upgrade, { size: 200, runs: 4 }, async (batch) => {
      await rig.attack('upgrades', batch);
      await rig.check();
    });
  });

  test('two upgrades of one session at once, and a websocket that only probes', async () => {
    const text = await (await fetch(`${rig.gateway.url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(text.slice(1)) as { sid: string };
    const search = `EIO=4&transport=websocket&sid=${sid}`;
    const [one, two] = await Promise.all([
      WebsocketAttacker.open(rig.port, search),
      WebsocketAttacker.open(rig.port, search),
    ]);
    for (const attacker of [one, two])
      await attacker.send(...Array.from({ length: 5000 }, () => '2probe'), '5', CONNECT);
    await Promise.all([one.heard(500), two.heard(500)]);
    for (const attacker of [one, two]) attacker.close();
    rig.count('upgrades', 2);
    await rig.check();
  });
});

test('who never says what it wants is cut after 10 s', async () => {
  await waitUntil(() => silent.every(({ isClosed }) => isClosed), 'silent connections to be cut', 20_000);
  rig.count('silent connections', silent.length);
  const late = net.connect(rig.port, '127.0.0.1');
  late.destroy();
});

test('nothing is left', () => rig.finish(7000));
