import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Audit } from '../../../../src/core/audit.js';
import { systemClock } from '../../../../src/core/clock.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { Refusal } from '../../../../src/core/errors.js';
import { ClientAddresses } from '../../../../src/profiles/http/client-address.js';
import { ConnectionLimits } from '../../../../src/profiles/http/connection-limits.js';
import { Door } from '../../../../src/profiles/http/door.js';
import { HostPolicy } from '../../../../src/profiles/http/host-policy.js';
import { Listener } from '../../../../src/profiles/http/listener.js';
import { OriginPolicy } from '../../../../src/profiles/http/origin-policy.js';
import { RefusalAudit } from '../../../../src/profiles/http/refusal-audit.js';
import { exchangeRaw, type RawExchange } from '../../../support/raw-exchange.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { waitUntil } from '../../../support/wait-until.js';

let counters: Counters;
let listener: Listener;
let port: number;
/** Targets that were asked for. */
let asked: (string | undefined)[];

beforeEach(async () => {
  counters = new Counters();
  asked = [];
  const origins = new OriginPolicy([]);
  const hosts = new HostPolicy({ allowed: [], listensOn: '127.0.0.1', isLocalOnly: true });
  const options = { maxConnections: 0, maxConnectionsPerAddress: 0, maxPendingPerAddress: 0 };
  listener = new Listener({
    door: new Door(hosts, origins, counters),
    limits: new ConnectionLimits(options, new ClientAddresses([]), counters),
    origins,
    counters,
    refusals: new RefusalAudit(new Audit(systemClock, silentLogger), new ClientAddresses([])),
    // What waits for its body answers nothing until that is there.
    fallback: (req, res) => {
      asked.push(req.url);
      req.resume().on('end', () => res.end('all of it'));
    },
    refuseUpgrade: () => ({ refusal: new Refusal('not_found', ''), extra: {} }),
    times: { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 },
  });
  ({ port } = await listener.listen(0, '127.0.0.1'));
});

afterEach(() => listener.close(0));

async function answerTo(...lines: string[]): Promise<RawExchange> {
  const exchange = exchangeRaw(port, lines);
  await waitUntil(() => exchange.text().includes('\r\n\r\n'), 'an answer');
  return exchange;
}

describe('time', () => {
  test('a body that comes too slowly is told so, and cut', async () => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    let isClosed = false;
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        isClosed = true;
      });
    socket.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n');
    const drip = setInterval(() => void (socket.writable && socket.write('a')), 20);
    await waitUntil(() => isClosed, 'the end of it');
    clearInterval(drip);
    expect(asked).toEqual(['/']);
    expect(text).toMatch(/^HTTP\/1\.1 408 request_timeout\r\n/);
    expect(counters.get('http_refused', 'request_timeout')).toBe(1);
  });

  test('so is a head', async () => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (part) => {
      text += String(part);
    });
    socket.write('GET / HTTP/1.1\r\nHost: ');
    await waitUntil(() => text.includes('"request_timeout"'), 'the refusal');
    expect(asked).toEqual([]);
  });
});

describe('requests that are not as they should be', () => {
  test.each([
    ['no host', ['GET / HTTP/1.1']],
    ['an expectation', ['GET / HTTP/1.1', 'Host: 127.0.0.1', 'Expect: miracles']],
  ])('%s: refused in the one shape', async (_what, lines) => {
    const exchange = await answerTo(...lines);
    expect(exchange.text()).toContain('{"error":{"code":"bad_request"');
    expect(asked).toEqual([]);
    exchange.close();
  });

  test('a name before the path is taken off, where it is that of Host', async () => {
    for (const target of ['http://127.0.0.1/a?b', 'HTTPS://127.0.0.1:443?b']) {
      (await answerTo(`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1')).close();
    }
    for (const target of ['http://[/a?b', 'https://x:y:z/a?b', 'http://127.0.0.1:81/a?b']) {
      const refused = await answerTo(`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1');
      expect(refused.text()).toMatch(/^HTTP\/1\.1 400 /);
      refused.close();
    }
    expect(asked).toEqual(['/a?b', '/?b']);
  });
});
