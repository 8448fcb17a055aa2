import net from 'node:net';

/**
 * A Socket.IO session (protocol 5, Engine.IO 4) over polling, written by hand: it can send what no client library
 * would. Source: https://socket.io/docs/v4/socket-io-protocol/
 */
export class PollingSession {
  readonly #address: string;

  private constructor(address: string) {
    this.#address = address;
  }

  /** Shakes hands with the engine; the namespace is not asked for yet. */
  static async open(url: string): Promise<PollingSession> {
    const address = `${url}/socket.io/?EIO=4&transport=polling`;
    const text = await (await fetch(address)).text();
    return new PollingSession(`${address}&sid=${(JSON.parse(text.slice(1)) as { sid: string }).sid}`);
  }

  /** Sends a packet as it is; resolves to the HTTP status. */
  async send(packet: string): Promise<number> {
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    const response = await fetch(this.#address, { method: 'POST', headers, body: packet });
    await response.text();
    return response.status;
  }

  /** Polls once; resolves to the packets that were waiting. */
  async receive(): Promise<string[]> {
    return (await (await fetch(this.#address)).text()).split('\x1e');
  }

  /** Polls once; resolves to the HTTP status. */
  async status(): Promise<number> {
    const response = await fetch(this.#address);
    await response.text();
    return response.status;
  }

  /** Polls, and never reads the answer; returns the connection. */
  pollWithoutReading(): net.Socket {
    const { port, pathname, search, host } = new URL(this.#address);
    const socket = net.connect(Number(port), '127.0.0.1');
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return socket;
  }
}
