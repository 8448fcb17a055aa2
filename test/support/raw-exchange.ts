import net from 'node:net';

/** Bytes sent to a port by hand, and what came back. */
export interface RawExchange {
  /** All that came so far. */
  text(): string;
  /** Whether the other side has ended the connection. */
  ended(): boolean;
  close(): void;
}

/** Connects, sends the lines of a request (with CR LF, and the empty line at the end) and listens. */
export function exchangeRaw(port: number, lines: readonly string[]): RawExchange {
  let text = '';
  let ended = false;
  const socket = net.connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
  });
  return { text: () => text, ended: () => ended, close: () => void socket.destroy() };
}

/** A websocket upgrade at a path, with more headers. */
export function upgradeLines(path: string, ...headers: readonly string[]): string[] {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  ];
}
