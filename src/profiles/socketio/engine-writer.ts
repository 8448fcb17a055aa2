import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import type { SocketIoFrame } from './socketio-wire.js';

/** Not compressed: frames are shared by many sessions, and compression would be done for each. */
const OPTIONS = { compress: false } as const;

/**
 * Writes frames to one client's engine connection. Over a websocket they go to the socket under it as ready-made bytes,
 * past the engine, which would take each apart and frame it again; over polling, and while a connection is being
 * upgraded, as packets through the engine. Nothing overtakes what the engine itself has buffered.
 * Source: https://socket.io/docs/v4/engine-io-server/ (events `packetCreate`, `drain` and `upgrade`).
 */
export class EngineWriter {
  readonly #conn: EngineSocket;
  readonly #websocketOf: () => Duplex | undefined;
  readonly #onDrain: () => void;
  #websocket: Duplex | undefined;
  #buffered = false;

  /**
   * `websocketOf` tells the socket under the connection's websocket, once it has one. `onDrain` is called when it
   * became writable again.
   */
  constructor(conn: EngineSocket, websocketOf: () => Duplex | undefined, onDrain: () => void) {
    this.#conn = conn;
    this.#websocketOf = websocketOf;
    this.#onDrain = onDrain;
    conn.on('packetCreate', () => {
      this.#buffered = true;
    });
    conn.on('drain', () => {
      this.#buffered = false;
      onDrain();
    });
    conn.on('upgrade', () => {
      this.#attach();
    });
    this.#attach();
  }

  /** False while the connection holds bytes that its transport, or the socket under it, could not take. */
  get writable(): boolean {
    return !this.#buffered && this.#conn.readyState === 'open' && this.#websocket?.writableNeedDrain !== true;
  }

  /** Sends a frame. */
  write(frame: SocketIoFrame): void {
    if (this.#websocket !== undefined && !this.#buffered && this.#conn.readyState === 'open') {
      // What a false return asks for is done by asking `writable` before the next write.
      this.#websocket.write(frame.bytes);
    } else {
      for (const packet of frame.packets) this.#conn.send(packet, OPTIONS);
    }
  }

  /**
   * Closes at the engine, which a stock client takes for a lost connection and comes back by itself; after
   * `socket.disconnect()` it would not. What a client does not take any more is thrown away.
   */
  close(): void {
    this.#conn.close(!this.writable);
  }

  #attach(): void {
    if (this.#conn.transport.name !== 'websocket') return;
    this.#websocket = this.#websocketOf();
    this.#websocket?.on('drain', this.#onDrain);
  }
}
