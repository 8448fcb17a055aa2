import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Attack, forBatches, HostileRig, KEYS } from '../support/hostile-rig.js';
import { killLaunched } from '../support/launched-gateway.js';
import { brokenJson, nastyFields, nastyJson, nastyText } from '../support/nasty.js';
import { waitUntil } from '../support/wait-until.js';

/** Connections that send their request too slowly, and what came on each. */
const SLOW = 20;
const MAX_CONNECTIONS = 300;

let rig: HostileRig;
const slow: { readonly socket: net.Socket; text: string; ended: boolean }[] = [];
let drip: NodeJS.Timeout;

beforeAll(async () => {
  rig = await HostileRig.open({ MAX_CONNECTIONS: String(MAX_CONNECTIONS) });
  for (let index = 0; index < SLOW; index += 1) {
    const socket = net.connect(rig.port, '127.0.0.1');
    const one = { socket, text: '', ended: false };
    // Half of them never say a word.
    if (index % 2 === 0) socket.write('GET /api/profile HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    socket.setEncoding('latin1').on('data', (part: string) => {
      one.text += part;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      one.ended = true;
    });
    slow.push(one);
  }
  drip = setInterval(() => {
    for (const [index, { socket }] of slow.entries())
      if (index % 2 === 0 && socket.writable) socket.write('a');
  }, 500);
});

afterAll(async () => {
  clearInterval(drip);
  await killLaunched();
});

const PREFIXES = [
  '',
  '/',
  '//',
  '/api',
  '/api/events',
  '/api/events/stream',
  '/api/rooms',
  '/api/rooms/canary/state',
  '/api/rooms/canary/events',
  '/api/rooms/team.a/state',
  '/api/control',
  '/api/canary/control',
  '/api/sessions',
  '/api/admin/status',
  '/API/ADMIN/STATUS',
  '/api/admin/commands',
  '/api/admin/profile',
  '/api/profile',
  '/healthz',
  '/console',
  '/console/../api/admin/status',
  '/client.js',
  '/socket.io',
  '/socket.io/',
  '/socket.io/socket.io.js',
  '/metrics',
  'http://[',
  'http://[/socket.io/',
  'http://a:b:c/api/admin/status',
  'https://x@y:99999/socket.io/',
  'ftp://a/',
  '*',
];
const segment = fc.oneof(
  nastyText,
  fc.constantFrom(
    '..',
    '%2e%2e',
    '%00',
    '%zz',
    '%',
    ';',
    '\\',
    '%5c',
    '%c0%af',
    '%2f',
    '//',
    '#',
    '?',
    'state',
    'rooms',
  ),
);
const target = fc
  .tuple(
    fc.constantFrom(...PREFIXES),
    fc.array(segment, { maxLength: 3 }),
    fc.array(
      fc.tuple(
        fc.constantFrom(
          'rooms',
          'lastEventId',
          'access_token',
          'apiKey',
          'limit',
          'after',
          'sid',
          'EIO',
          'transport',
          'j',
        ),
        fc.oneof(nastyText, fc.constantFrom('polling', 'websocket', '3', '4', KEYS.limited)),
      ),
      { maxLength: 3 },
    ),
    fc.boolean(),
  )
  .map(([prefix, segments, query, isEncoded]) => {
    const asIs = (text: string): string =>
      isEncoded ? encodeURIComponent(Buffer.from(text).toString()) : text;
    const path = [prefix, ...segments.map(asIs)].join('/');
    return query.length === 0
      ? path
      : `${path}?${query.map(([name, value]) => `${name}=${asIs(value)}`).join('&')}`;
  });

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'CONNECT',
  'get',
  'G\0T',
  'PRI',
];
const header = fc.oneof(
  fc.constantFrom(
    'Content-Length: 5',
    'Content-Length: 0',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Content-Length: 5, 6',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: \tchunked',
    'Transfer-Encoding: gzip',
    'Transfer-Encoding : chunked',
    'Connection: upgrade\r\nUpgrade: h2c',
    'Connection: upgrade\r\nUpgrade: websocket',
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 99',
    'Sec-WebSocket-Key: x',
    'Expect: 100-continue',
    'Expect: miracles',
    'Host: canary',
    'Host: [',
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Content-Type: text/plain',
    'Content-Type: application/json; charset=utf-7',
    'Content-Type: application/json; charset="',
    'Range: bytes=0-1,5-2',
    'If-None-Match: *',
    'If-Match: "x"',
    'Origin: null',
    'X-HTTP-Method-Override: PUT',
    'X-Forwarded-For: 127.0.0.1',
    ' folded: line',
    'no colon',
    ': no name',
  ),
  fc
    .tuple(
      fc.constantFrom(
        'X-Any',
        'Cookie',
        'Authorization',
        'Last-Event-ID',
        'Origin',
        'Host',
        'Idempotency-Key',
        'Accept',
      ),
      fc.oneof(
        nastyText,
        nastyText.map((text) => `Bearer ${text}`),
        nastyText.map((text) => `flipgate_token=${text}`),
      ),
    )
    .map(([name, value]) => `${name}: ${value}`),
);
const shownKey = fc.constantFrom(
  '',
  `X-API-Key: ${KEYS.limited}\r\n`,
  `X-API-Key: ${KEYS.nobody}\r\n`,
  'X-API-Key: no\r\n',
);

const request: fc.Arbitrary<Attack> = fc
  .record({
    method: fc.oneof({ weight: 5, arbitrary: fc.constantFrom('GET', 'POST') }, fc.constantFrom(...METHODS)),
    target,
    version: fc.oneof(
      { weight: 9, arbitrary: fc.constant('HTTP/1.1') },
      fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''),
    ),
    host: fc.oneof({ weight: 9, arbitrary: fc.constant('Host: 127.0.0.1\r\n') }, fc.constant('')),
    key: shownKey,
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.oneof(fc.constant(''), brokenJson, nastyJson),
    end: fc.oneof({ weight: 9, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r', '', '\0')),
    encoding: fc.constantFrom('utf8' as const, 'latin1' as const),
  })
  .map(({ method, target: path, version, host, key, headers, body, end, encoding }) => {
    const lines = headers.map((one) => `${one}\r\n`).join('');
    return {
      bytes: Buffer.from(`${method} ${path} ${version}\r\n${host}${key}${lines}${end}${body}`, encoding),
    };
  });

/** A whole request with a body, that leaves the connection open for the next. */
function posted(path: string, body: string, headers = ''): string {
  const length = String(Buffer.byteLength(body));
  return `POST ${path} HTTP/1.1\r\nHost: a\r\n${headers}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

const ROOMS = ['team.a', 'canary', ' canary', 'canary\0', 'team.\n', 'canary*', '*', 'team.b'];
const event = nastyFields({
  type: ['fact_added', 'canary', 'connect', 'governor_update', '__proto__'],
  room: ROOMS,
  key: ['a', '\r\nid: 1', ''],
  data: [1, { room: 'canary' }, { __proto__: null }, 'x\n\nevent: y'],
  timestamp: [1, -1, 1e300, '1'],
});
const command = nastyFields({
  action: [
    'team.echo',
    'canary.run',
    'canary.run ',
    'CANARY.RUN',
    'team.*',
    'team.echo\ncanary.run',
    ['canary.run'],
  ],
  data: [1, null, { apiKey: KEYS.nobody }, { apiKey: {} }, { apiKey: 'canary' }],
  apiKey: [KEYS.nobody, 'wrong', 7],
});
const change = nastyFields({
  join: [ROOMS, ['canary'], 'canary', { 0: 'canary', length: 1 }],
  leave: [ROOMS, 'canary'],
});
const body = fc.oneof(
  fc.tuple(
    fc.constant('/api/events'),
    fc.oneof(
      event,
      fc.array(event, { maxLength: 5 }).map((all) => `[${all.join()}]`),
    ),
  ),
  fc.tuple(
    fc.constantFrom('/api/control', '/api/canary/control', '/api/team/control', '/api/__proto__/control'),
    command,
  ),
  fc.tuple(fc.constantFrom('/api/sessions/x/rooms', '/api/sessions/__proto__/rooms'), change),
  fc.tuple(fc.constantFrom('/api/events', '/api/control'), fc.oneof(nastyJson, brokenJson)),
);
const series = fc
  .array(fc.tuple(body, fc.constantFrom('', 'Idempotency-Key: a\r\n')), { minLength: 20, maxLength: 20 })
  .map((all): Attack => {
    const requests = all.map(([[path, text], more]) =>
      posted(path, text, `X-API-Key: ${KEYS.limited}\r\n${more}`),
    );
    return { bytes: requests.join(''), answers: requests.length };
  });

const encode = (text: string): string => encodeURIComponent(Buffer.from(text).toString());

const stream = fc
  .record({
    rooms: fc.oneof(
      fc.array(fc.oneof(fc.constantFrom(...ROOMS), nastyText), { maxLength: 5 }).map((rooms) => rooms.join()),
      fc.constantFrom(Array.from({ length: 1500 }, (_, n) => `team.${String(n)}`).join(), ','.repeat(5000)),
    ),
    cursor: fc.oneof(
      nastyText,
      fc
        .tuple(fc.constantFrom('', 'a.', '.'), fc.nat(), fc.nat())
        .map(([epoch, ms, n]) => `${epoch}${String(ms)}-${String(n)}`),
    ),
    header: fc.option(nastyText.map((text) => text.replaceAll(/[\r\n\0]/g, ' '))),
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant('GET') },
      fc.constantFrom('HEAD', 'POST', 'OPTIONS'),
    ),
    key: fc.constantFrom(KEYS.limited, KEYS.limited, KEYS.nobody, 'wrong'),
    after: fc.constantFrom('', 'GET /api/admin/status HTTP/1.1\r\nHost: a\r\n\r\n', '\0\0\0', 'data: x\n\n'),
  })
  .map(({ rooms, cursor, header: id, method, key, after }): Attack => {
    const query = `rooms=${encode(rooms)}&lastEventId=${encode(cursor)}&apiKey=${key}`;
    const more = id === null ? '' : `Last-Event-ID: ${id}\r\n`;
    return {
      bytes: `${method} /api/events/stream?${query} HTTP/1.1\r\nHost: a\r\n${more}\r\n${after}`,
      answers: 1,
    };
  });

/** The head of a publication. */
const head = (more: string, path = '/api/events') =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${KEYS.limited}\r\nContent-Type: application/json\r\n${more}\r\n\r\n`;

describe('HTTP', () => {
  test('requests of any shape', async () => {
    const toEngine = 'GET http://[/socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n';
    await rig.attack('warm-up', [
      { bytes: posted('/api/events', '{"type":"fact_added","room":"team.a"}') },
      // The first that was found: it ended the process.
      { bytes: `${toEngine}\r\n` },
      { bytes: `${toEngine}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n` },
    ]);
    await forBatches(request, { size: 150, runs: 2 }, (batch) => rig.attack('warm-up', batch));
    await rig.settle();
    await forBatches(request, { size: 300, runs: 7 }, async (batch) => {
      await rig.attack('HTTP', batch);
      await rig.check();
    });
    expect(rig.answers).toBeGreaterThan(1000);
  });

  test('bodies of any content, many to a connection', async () => {
    const before = rig.answers;
    await forBatches(series, { size: 25, runs: 8 }, async (batch) => {
      await rig.attack('HTTP bodies', batch);
      await rig.check();
    });
    expect(rig.answers - before).toBeGreaterThan(3500);
  });

  test('bodies that grow: compressed, cut, too large', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, '['));
    const gzipped = Buffer.from(head(`Content-Encoding: gzip\r\nContent-Length: ${String(bomb.length)}`));
    await rig.attack('growing bodies', [
      ...Array.from({ length: 10 }, () => ({ bytes: Buffer.concat([gzipped, bomb]) })),
      ...Array.from({ length: 10 }, () => ({ bytes: Buffer.concat([gzipped, bomb.subarray(0, 1000)]) })),
      { bytes: head('Content-Length: 99999999') + ' '.repeat(100_000) },
      { bytes: `${head('Transfer-Encoding: chunked')}ffffffff\r\n${' '.repeat(100_000)}` },
      { bytes: `${head('Transfer-Encoding: chunked')}${`1;${'x'.repeat(5000)}\r\n `.repeat(10)}` },
      { bytes: head(Array.from({ length: 3000 }, (_, n) => `a${String(n)}: b`).join('\r\n')) },
      { bytes: head(`X: ${'x'.repeat(100_000)}`) },
    ]);
    await rig.check();
  });
});

describe('SSE', () => {
  test('streams of any rooms, from any place', async () => {
    const before = rig.answers;
    await forBatches(stream, { size: 150, runs: 6 }, async (batch) => {
      await rig.attack('SSE', batch);
      await rig.check();
    });
    expect(rig.answers - before).toBeGreaterThan(500);
  });
});

describe('time', () => {
  test('who sends a request too slowly is told so and cut, soon after 10 s', async () => {
    await waitUntil(() => slow.every(({ ended }) => ended), 'slow requests to be cut', 25_000);
    for (const { text } of slow) expect(text).toContain('"code":"request_timeout"');
    rig.count('slow requests', SLOW);
    await rig.check();
  });

  test('idle connections are bounded, and do not keep others out of their sessions', async () => {
    const room = MAX_CONNECTIONS + 1000;
    const idle = Array.from({ length: room + 200 }, () => {
      const one = { socket: net.connect(rig.port, '127.0.0.1'), isClosed: false };
      one.socket.on('error', () => undefined);
      one.socket.on('close', () => {
        one.isClosed = true;
      });
      return one;
    });
    await waitUntil(
      () => idle.filter(({ isClosed }) => isClosed).length >= 190,
      'the oldest to make room for the newest',
    );
    await rig.check();
    expect(idle.at(-1)?.isClosed).toBe(false);
    for (const { socket } of idle) socket.destroy();
    rig.count('idle connections', idle.length);
  });
});

test('nothing is left', () => rig.finish(8000));
