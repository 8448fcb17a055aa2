import { HttpBody } from './http-body.js';
import type { RawReader } from './raw-reader.js';
import { maskedFrame, takeFrame } from './websocket-frames.js';

/** What a {@link SocketIoReader} works with. */
export interface SocketIoReaderParts {
  /** Sent as the namespace is asked for; undefined: nothing, as legacy clients do. */
  readonly auth: object | undefined;
  readonly send: (bytes: Buffer) => void;
  /** The namespace was granted. */
  readonly onConnect: () => void;
  readonly onEvent: (name: string, args: readonly unknown[]) => void;
}

/** The client's side of Socket.IO over a websocket: joins the namespace, answers pings, reads events. */
export class SocketIoReader implements RawReader {
  readonly #parts: SocketIoReaderParts;
  readonly #body = new HttpBody();
  #pending: Buffer = Buffer.alloc(0);

  constructor(parts: SocketIoReaderParts) {
    this.#parts = parts;
  }

  feed(bytes: Buffer): void {
    const part = Buffer.concat(this.#body.feed(bytes));
    this.#pending = this.#pending.length === 0 ? part : Buffer.concat([this.#pending, part]);
    for (let frame = takeFrame(this.#pending); frame !== undefined; frame = takeFrame(this.#pending)) {
      this.#pending = frame.rest;
      if (frame.isText) this.#read(frame.text);
    }
  }

  /** Source: https://socket.io/docs/v4/socket-io-protocol/ */
  #read(packet: string): void {
    const { auth, send, onConnect, onEvent } = this.#parts;
    if (packet === '2') send(maskedFrame('3'));
    else if (packet.startsWith('0')) send(maskedFrame(`40${auth === undefined ? '' : JSON.stringify(auth)}`));
    else if (packet.startsWith('40')) onConnect();
    else if (packet.startsWith('42')) {
      const [name, ...args] = JSON.parse(packet.slice(2)) as [string, ...unknown[]];
      onEvent(name, args);
    }
  }
}
