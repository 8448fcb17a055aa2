import net from 'node:net';
import { upgradeLines } from './raw-exchange.js';

/** Frames that close, without a reason and with one. */
const GOODBYES = ['\x88\0', '\x88\x02'];

/** A frame as it should be, or not. Source: RFC 6455, section 5.2. */
export interface FrameShape {
  readonly payload: Buffer;
  /** Default 1: text. */
  readonly opcode?: number;
  /** Default: the last of its message. */
  readonly isLast?: boolean;
  /** Default: masked, as a client must. */
  readonly isMasked?: boolean;
  /** Bits that nobody has agreed on; default 0. */
  readonly reserved?: number;
  /** What it says its length is; default: what it is. */
  readonly length?: number;
}

/** The bytes of a frame. */
export function frameOf(shape: FrameShape | string): Buffer {
  const {
    payload,
    opcode = 1,
    isLast = true,
    isMasked = true,
    reserved = 0,
    length,
  }: FrameShape = typeof shape === 'string' ? { payload: Buffer.from(shape) } : shape;
  const said = length ?? payload.length;
  const first = (isLast ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = isMasked ? 0x80 : 0;
  const size = Buffer.alloc(said < 126 ? 0 : said < 65_536 ? 2 : 8);
  if (size.length === 2) size.writeUInt16BE(said);
  if (size.length === 8) size.writeBigUInt64BE(BigInt(said));
  const second = mask | (size.length === 0 ? said : size.length === 2 ? 126 : 127);
  // Masked with zeros, the payload stays what it is.
  const key = Buffer.alloc(isMasked ? 4 : 0);
  return Buffer.concat([Buffer.from([first, second]), size, key, payload]);
}

/** A client's end of a websocket that sends what no client library would. */
export class WebsocketAttacker {
  /** All that came, as text. */
  text = '';
  isClosed = false;
  readonly #socket: net.Socket;

  private constructor(port: number, query: string, headers: readonly string[]) {
    this.#socket = net.connect(port, '127.0.0.1');
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.isClosed = true;
    });
    this.#socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1');
      // A goodbye, after which the other side would wait for ours.
      if (GOODBYES.some((goodbye) => this.text.includes(goodbye))) this.#socket.destroy();
    });
    this.#socket.write(`${upgradeLines(`/socket.io/?${query}`, ...headers).join('\r\n')}\r\n\r\n`);
  }

  /** Opens one; resolves when the engine has answered, whatever. */
  static async open(
    port: number,
    query = 'EIO=4&transport=websocket',
    headers: readonly string[] = [],
  ): Promise<WebsocketAttacker> {
    const attacker = new WebsocketAttacker(port, query, headers);
    await attacker.heard();
    return attacker;
  }

  /** Sends frames, in one write. Resolves when the system has taken them, or the connection is closed. */
  async send(...frames: readonly (FrameShape | string)[]): Promise<void> {
    await this.sendBytes(Buffer.concat(frames.map(frameOf)));
  }

  /** The same, of bytes. */
  async sendBytes(bytes: Buffer): Promise<void> {
    if (this.isClosed || this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve);
      this.#socket.once('close', () => {
        resolve();
      });
    });
  }

  /** Resolves at the next bytes, at the end, or after `ms` (default 2 s) of neither. */
  async heard(ms = 2000): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#socket.off('data', done);
        this.#socket.off('close', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#socket.on('data', done);
      this.#socket.on('close', done);
    });
  }

  /** Reads no more. */
  stall(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}
