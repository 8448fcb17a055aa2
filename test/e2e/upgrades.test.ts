import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { waitUntil } from '../support/wait-until.js';

const sockets: net.Socket[] = [];
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  await killLaunched();
});

/** A raw connection that has sent `text`; `got()` is what came back so far. */
async function send(port: number, text: string): Promise<{ socket: net.Socket; got: () => string }> {
  const socket = net.connect(port, '127.0.0.1');
  sockets.push(socket);
  let got = '';
  socket.on('data', (data) => {
    got += data.toString('latin1');
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, got: () => got };
}

const upgradeRequest = (path: string, key: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** Of a session that is on no node. */
const GONE = '/socket.io/?EIO=4&sid=constructor';

describe('upgrades', () => {
  it('a rival upgrade of the same session, failed or left open, gets no events and keeps none from the client', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    for (const key of ['bad key', KEY]) {
      const client = io(gateway.url, {
        transports: ['polling', 'websocket'],
        auth: { bundle: true },
        forceNew: true,
      });
      clients.push(client);
      const facts: unknown[] = [];
      client.on('events', (events: { type: string; data: unknown }[]) => {
        facts.push(...events.filter(({ type }) => type === 'fact_added').map(({ data }) => data));
      });
      await waitUntil(
        () => client.io.engine.id !== undefined && client.io.engine.id !== null,
        'the handshake',
      );
      const rival = await send(
        gateway.port,
        upgradeRequest(`/socket.io/?EIO=4&transport=websocket&sid=${client.io.engine.id}`, key),
      );
      await waitUntil(() => client.connected, 'the connection');
      for (let fact = 0; fact < 20; fact += 1) {
        await publish(gateway.url, { type: 'fact_added', data: `${key} ${String(fact)}` });
      }
      await waitUntil(() => facts.length === 20, 'all facts');
      expect(facts).toEqual(Array.from({ length: 20 }, (_, fact) => `${key} ${String(fact)}`));
      expect(rival.got()).not.toContain('fact_added');
    }
  });

  it('a client that offers another protocol is served over HTTP/1.1', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE' });
    const offer =
      'Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
    const body = '{"type":"fact_added","data":1}';
    const get = await send(gateway.port, `GET /api/profile HTTP/1.1\r\n${offer}\r\n`);
    const stream = await send(gateway.port, `GET /api/events/stream HTTP/1.1\r\n${offer}\r\n`);
    await waitUntil(() => stream.got().includes('event: welcome'), 'the stream');
    const post = await send(
      gateway.port,
      `POST /api/events HTTP/1.1\r\n${offer}Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
    await waitUntil(() => get.got().includes('"profile":"SSE"'), 'the profile');
    await waitUntil(() => post.got().startsWith('HTTP/1.1 202'), 'the publication');
    await waitUntil(() => stream.got().includes('fact_added'), 'the event');
  });

  it('and polls of a session that is not here are told so in a way that a proxy can ask another node', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET' });
    const upgrade = await send(gateway.port, upgradeRequest(`${GONE}&transport=websocket`, KEY));
    const poll = await send(
      gateway.port,
      `GET ${GONE}&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    for (const { got } of [upgrade, poll]) {
      await waitUntil(() => got().includes('unknown_session'), 'the answer');
      expect(got()).toMatch(/^HTTP\/1\.1 404 /);
    }
  });

  it('websockets that do not answer, or were refused, do not keep the gateway from stopping', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET', CORS_ORIGINS: 'https://a.example' });
    const path = '/socket.io/?EIO=4&transport=websocket';
    const mute = await send(gateway.port, upgradeRequest(path, KEY));
    await waitUntil(() => mute.got().includes('pingInterval'), 'the websocket');
    const refused = await send(
      gateway.port,
      upgradeRequest(path, KEY).replace('Host: localhost', 'Host: localhost\r\nOrigin: https://b.example'),
    );
    await waitUntil(() => refused.got().startsWith('HTTP/1.1 403'), 'the refusal');
    const startedAt = performance.now();
    expect(await gateway.stop()).toBe(0);
    // The parts' own deadline, which ends what hangs, is six seconds.
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
