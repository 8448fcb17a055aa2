// Clients that cost little: bare sockets that throw the bytes away. Runs as a process of its own (fork).
import net from 'node:net';
import process from 'node:process';

const sockets = new Set();
let bytes = 0;

const SSE_PATH = '/api/events/stream';
const WEBSOCKET_PATH = '/socket.io/?EIO=4&transport=websocket';

function request(kind) {
  if (kind === 'sse')
    return `GET ${SSE_PATH} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;
  return (
    `GET ${WEBSOCKET_PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  );
}

/** A masked text frame, as clients must send them. Source: RFC 6455, section 5.2. */
function textFrame(text) {
  const payload = Buffer.from(text);
  const mask = Buffer.from([1, 2, 3, 4]);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index % 4])]);
}

function connect(port, kind) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    sockets.add(socket);
    let opened = false;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('connect', () => socket.write(request(kind)));
    socket.on('data', (data) => {
      bytes += data.length;
      if (!opened) {
        if (kind === 'sse') {
          opened = true;
          resolve();
        } else if (data.includes('pingInterval')) {
          opened = true;
          const auth = kind === 'bundle' ? '{"bundle":true}' : '';
          socket.write(textFrame(`40${auth}`));
          resolve();
        }
      } else if (kind !== 'sse' && data.length === 3 && data[2] === 0x32) {
        socket.write(textFrame('3'));
      }
    });
  });
}

process.on('message', async (message) => {
  if (message.connect !== undefined) {
    const { port, kind, count } = message.connect;
    for (let done = 0; done < count; done += 100) {
      await Promise.all(Array.from({ length: Math.min(100, count - done) }, () => connect(port, kind)));
    }
    process.send({ connected: sockets.size });
  }
  if (message.stall !== undefined) {
    let left = message.stall;
    for (const socket of sockets) if (left-- > 0) socket.pause();
    process.send({ stalled: message.stall });
  }
  if (message.bytes === true) process.send({ bytes });
});
process.on('disconnect', () => process.exit(0));
