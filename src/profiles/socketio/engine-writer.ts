import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import type { SocketIoFrame } from './socketio-wire.js';

/** Bytes that may wait in the engine before the next packet. */
const MAX_WAITING = 1024 * 1024;

/** How long an upgrade is waited for before a connection is closed, ms. */
const UPGRADE_MS = 1000;

/** Not compressed: frames are shared by many sessions, and compression would be done for each. */
const OPTIONS = { compress: false } as const;

/**
 * Writes frames to one client's engine connection. Over a websocket they go to the socket under it as ready-made bytes,
 * past the engine, which would take each apart and frame it again; over polling, and while a connection is being
 * upgraded, as packets through the engine. Nothing overtakes what the engine itself has buffered.
 * Source: https://socket.io/docs/v4/engine-io-server/ (events `packetCreate`, `drain` and `upgrade`).
 */
export class EngineWriter {
  /** Called when it became writable again. */
  onDrain: () => void = () => undefined;
  /**
   * Called, once, when more than {@link MAX_WAITING} bytes wait in the engine, which has no bound: acks, and what backends
   * emit by way of Socket.IO, ask nobody whether the connection can take them.
   */
  onOverflow: () => void = () => undefined;
  readonly #conn: EngineSocket;
  readonly #socketOf: (websocket: object) => Duplex | undefined;
  #websocket: Duplex | undefined;
  /** The same while nothing of the engine's waits before it: where nearly all frames go. */
  #direct: Duplex | undefined;
  #buffered: boolean;
  /** Bytes, about, that wait in the engine. */
  #waiting = 0;

  /** `socketOf` tells the socket under a websocket of the engine's; without one, all goes through the engine. */
  constructor(conn: EngineSocket, socketOf: (websocket: object) => Duplex | undefined) {
    this.#conn = conn;
    this.#socketOf = socketOf;
    this.#buffered = internalsOf(conn).writeBuffer.length > 0;
    conn.on('packetCreate', ({ data }: { readonly data?: string | Buffer }) => {
      this.#buffered = true;
      this.#direct = undefined;
      const before = this.#waiting;
      // Not before a packet finds so much: what is large may go, alone.
      if (before <= MAX_WAITING) this.#waiting += data?.length ?? 0;
      else if (before !== Infinity) this.#overflow();
    });
    conn.on('drain', () => {
      this.#buffered = false;
      this.#waiting = 0;
      this.#settle();
      this.onDrain();
    });
    conn.on('upgrade', () => {
      this.#attach();
    });
    conn.on('close', () => {
      this.#direct = undefined;
    });
    this.#attach();
  }

  /** False while the connection holds bytes that its transport, or the socket under it, could not take. */
  get writable(): boolean {
    if (this.#direct !== undefined) return !this.#direct.writableNeedDrain;
    return !this.#buffered && this.#conn.readyState === 'open';
  }

  /** Sends a frame; returns its bytes, also where polling frames it otherwise. */
  write(frame: SocketIoFrame): number {
    // What a false return asks for is done by asking `writable` before the next write.
    if (this.#direct !== undefined) this.#direct.write(frame.bytes);
    else this.#send(frame.packets);
    return frame.bytes.length;
  }

  /** Sends packets through the engine, which would give a waiting poll the first one alone: all of them are one payload. */
  #send(packets: readonly string[]): void {
    const { transport } = this.#conn;
    const isWritable = transport.writable;
    packets.forEach((packet, index) => {
      transport.writable = isWritable && index === packets.length - 1;
      this.#conn.send(packet, OPTIONS);
    });
  }

  /**
   * Closes at the engine, without a goodbye ({@link QuietEngine}): stock clients come back by themselves from a lost
   * connection, and not after `socket.disconnect()`. What waits is sent before, unless `discard` says to throw it away.
   *
   * A connection that is being upgraded is closed when that is done: a client that has stopped polling for the websocket, and
   * loses that, does neither poll nor come back until its ping times out.
   */
  close(discard: boolean): void {
    this.#direct = undefined;
    if (!discard && this.#conn.upgrading) return this.#closeUpgraded();
    this.#conn.close(discard);
    // Nobody takes the bytes that wait in it.
    if (discard) this.#websocket?.destroy();
  }

  #closeUpgraded(): void {
    const close = (): void => {
      clearTimeout(deadline);
      this.#conn.close();
    };
    const deadline = setTimeout(close, UPGRADE_MS);
    // Not from within the engine's own change of transports.
    this.#conn.once('upgrade', () => setImmediate(close));
    this.#conn.once('close', () => {
      clearTimeout(deadline);
    });
  }

  #overflow(): void {
    this.#waiting = Infinity;
    this.onOverflow();
  }

  #attach(): void {
    const { socket } = internalsOf(this.#conn).transport;
    this.#websocket = socket === undefined ? undefined : this.#socketOf(socket);
    this.#websocket?.on('drain', () => {
      this.onDrain();
    });
    this.#settle();
  }

  #settle(): void {
    this.#direct = this.#buffered || this.#conn.readyState !== 'open' ? undefined : this.#websocket;
  }
}

/** What the engine does not declare: its buffer, and the websocket of a transport that is one. */
interface EngineInternals {
  readonly writeBuffer: readonly unknown[];
  readonly transport: { readonly socket?: object };
}

function internalsOf(conn: EngineSocket): EngineInternals {
  return conn as unknown as EngineInternals;
}
