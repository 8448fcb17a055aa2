import net from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { requestJson } from '../support/json-request.js';
import { publish } from '../support/publish.js';
import { waitUntil } from '../support/wait-until.js';

const request = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');

const STREAM = request('/api/events/stream');

/** The connection under a stream: who has it, and when it ends. */
describe('the connection of a stream', () => {
  let gateway: LaunchedGateway;
  let socket: net.Socket;
  let text: string;
  let ended: boolean;

  beforeAll(async () => {
    gateway = await launchGateway({ APP_PROFILE: 'SSE' });
  });

  afterAll(killLaunched);

  beforeEach(async () => {
    text = '';
    ended = false;
    socket = net.connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    socket.on('end', () => {
      ended = true;
    });
    socket.on('error', () => undefined);
    await waitUntil(() => socket.readyState === 'open');
  });

  afterEach(async () => {
    socket.destroy();
    await waitUntil(async () => (await sessions()) === 0);
  });

  const sessions = async (): Promise<number> => {
    const { json } = await requestJson('GET', `${gateway.url}/api/admin/status`);
    return (json as { sessions: { sse: number } }).sessions.sse;
  };

  /** Publishes, and waits until the stream brings it. */
  const expectServed = async (): Promise<void> => {
    const type = `type-${String(Math.random()).slice(2)}`;
    await publish(gateway.url, { type, data: 1 });
    await waitUntil(() => text.includes(type));
  };

  /** The data of each chunk; fails where the answer is not made of whole chunks. */
  const chunks = (): string[] => {
    let rest = text.slice(text.lastIndexOf('text/event-stream'));
    rest = rest.slice(rest.indexOf('\r\n\r\n') + 4);
    const found: string[] = [];
    while (rest !== '') {
      const line = rest.indexOf('\r\n');
      const size = Number.parseInt(rest.slice(0, line), 16);
      found.push(rest.slice(line + 2, line + 2 + size));
      expect(rest.slice(line + 2 + size, line + 4 + size)).toBe('\r\n');
      rest = rest.slice(line + 4 + size);
    }
    return found;
  };

  test('may have served other requests before', async () => {
    socket.write(request('/api/profile'));
    await waitUntil(() => text.includes('"profile"'));
    socket.write(STREAM);
    await waitUntil(() => text.includes('event: welcome'));
    await expectServed();
    expect(chunks()[0]).toMatch(/^retry: \d+\nevent: welcome\ndata: .*\n\n$/);
  });

  test('what a client sends after its request changes nothing, be it a request or none', async () => {
    socket.write(STREAM);
    await waitUntil(() => text.includes('event: welcome'));
    socket.write(request('/api/profile'));
    socket.write('\0 no HTTP at all \r\n\r\n'.repeat(1000));
    await expectServed();
    await expectServed();
    expect(chunks().join('')).not.toContain('transports');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('a request sent in one breath with the stream is not answered into it', async () => {
    socket.write(STREAM + request('/api/profile'));
    await waitUntil(() => text.includes('event: welcome'));
    await expectServed();
    expect(chunks().join('')).not.toContain('transports');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('a client that ends its side ends the stream', async () => {
    socket.write(STREAM);
    await waitUntil(() => text.includes('event: welcome'));
    socket.end();
    await waitUntil(() => ended);
    await waitUntil(async () => (await sessions()) === 0);
  });

  test('over HTTP/1.0 the bytes are the stream, and go on after the head', async () => {
    socket.write('GET /api/events/stream HTTP/1.0\r\nHost: localhost\r\n\r\n');
    await waitUntil(() => text.includes('event: welcome'));
    expect(text).not.toMatch(/transfer-encoding/i);
    await expectServed();
    expect(ended).toBe(false);
  });

  test('a client that asks for the connection to be closed keeps it while the stream lives', async () => {
    socket.write(request('/api/events/stream', 'Connection: close'));
    await waitUntil(() => text.includes('event: welcome'));
    await expectServed();
    expect([ended, chunks().length > 0]).toEqual([false, true]);
  });

  test('a node that stops lets go of streams at once, though their clients do not close', async () => {
    const other = await launchGateway({ APP_PROFILE: 'SSE' });
    let bytes = '';
    const held = net.connect({ port: other.port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      held.write(STREAM);
    });
    held.setEncoding('latin1').on('data', (part: string) => {
      bytes += part;
    });
    await waitUntil(() => bytes.includes('event: welcome'));
    let isOver = false;
    held.on('end', () => {
      isOver = true;
    });
    expect(await other.stop()).toBe(0);
    await waitUntil(() => isOver);
    // The last chunk would say that the answer is whole, which some readers take as final.
    expect(bytes).toMatch(/event: draining\ndata: \{"reason":"shutting_down"\}\n\n\r\n$/);
    held.destroy();
  });

  test('a client whose connection is full when its node stops is still given what was written, and the notice', async () => {
    const other = await launchGateway({ APP_PROFILE: 'SSE', DRAIN_MS: '100' });
    let bytes = '';
    let isOver = false;
    const late = net.connect({ port: other.port, host: '127.0.0.1' }, () => {
      late.write(STREAM);
    });
    late.setEncoding('latin1').on('data', (part: string) => {
      bytes += part;
    });
    late.on('end', () => {
      isOver = true;
    });
    await waitUntil(() => bytes.includes('event: welcome'));
    late.pause();
    const large = 'x'.repeat(1_000_000);
    // More than any system keeps for a connection.
    for (let sent = 0; sent < 20; sent += 1) await publish(other.url, { type: 'fact_added', data: large });
    await waitUntil(
      async () =>
        (await requestJson('GET', `${other.url}/api/admin/status`)).json.backlog.sessionsBehind === 1,
      'the client to be behind',
    );
    const stopped = other.stop();
    await waitUntil(
      () =>
        fetch(`${other.url}/healthz`).then(
          () => false,
          () => true,
        ),
      'the node not to listen any more',
    );
    late.resume();
    await waitUntil(() => isOver);
    expect(await stopped).toBe(0);
    expect(bytes).toMatch(
      /xxx","timestamp":[\d.]+\}\]\n\n\r\n[0-9a-f]+\r\nevent: draining\ndata: .*\n\n\r\n$/,
    );
  });
});
