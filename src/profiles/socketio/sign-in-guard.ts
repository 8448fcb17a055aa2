import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import { addressBlock } from '../../core/address-block.js';
import type { Clock } from '../../core/clock.js';
import { isLoopback } from '../../core/config/address.js';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import { type ConnectionLimitsOptions, SPARE_CONNECTIONS } from '../http/connection-limits.js';
import { PendingConnections } from '../http/pending-connections.js';
import { textFrame } from './websocket-frame.js';

/** Most bytes a connection may send before its client is admitted: a token of 8 KiB and some hundred rooms fit. */
export const MAX_INPUT_BYTES = 16_384;
/** Time in which the client of a connection must have been admitted, ms. */
export const SIGN_IN_MS = 10_000;
/** Socket.IO packets with attachments: BINARY_EVENT and BINARY_ACK. Source: socket.io-protocol, "Packet types". */
const BINARY_PACKET = /^[56]/;
/** Time for a client to read why its websocket is closed, ms, and most bytes that are read of it meanwhile. */
const LAST_WORD_MS = 2000;
const DISCARDED_BYTES = 256 * 1024;
/** A CONNECT_ERROR of Socket.IO. Source: socket.io-protocol, "Packet types". */
const TOO_LARGE = `4${JSON.stringify({
  message: 'payload_too_large',
  data: new Refusal(
    'payload_too_large',
    `a client may send ${String(MAX_INPUT_BYTES)} bytes until it is admitted: name fewer rooms, and join the others then`,
  ).toBody(),
})}`;

/** Bounds and collaborators of a {@link SignInGuard}. */
export interface SignInGuardParts extends ConnectionLimitsOptions {
  readonly clock: Clock;
  /** Counts `connections_cut`, by reason. */
  readonly counters: Counters;
  /** Most bytes of a request over polling once the client is admitted. */
  readonly maxHttpBufferBytes: number;
  /** Told of the TCP connection of a websocket whose client is admitted. */
  readonly signedIn: (socket: Duplex) => void;
}

/** A packet as the engine shows it. */
interface EnginePacket {
  readonly data?: unknown;
}

/** The engine's transport, as far as the engine does not declare it. */
interface EngineTransport {
  /** The websocket, where the transport is one. */
  readonly socket?: object;
  /** Most bytes of a request, where the transport is polling. */
  maxHttpBufferSize?: number;
}

/** What bounds one websocket. */
interface WebsocketWatch {
  readonly socket: Duplex;
  /** Bytes that came while its client was not admitted. */
  received: number;
  /** Listens to the socket while its client is not admitted. */
  readonly meter: (chunk: Buffer) => void;
  readonly cancelTimer: () => void;
}

/**
 * Bounds the connections of Socket.IO whose clients are not admitted. Each may send {@link MAX_INPUT_BYTES} and nothing
 * binary, and is destroyed after {@link SIGN_IN_MS}. There are so many in all and from one address; a new one takes the place
 * of the oldest, so that silent ones keep nobody out.
 */
export class SignInGuard {
  readonly #parts: SignInGuardParts;
  readonly #pending = new PendingConnections<EngineSocket>();
  readonly #addresses = new WeakMap<EngineSocket, string>();
  readonly #received = new WeakMap<EngineSocket, number>();
  readonly #timers = new Map<EngineSocket, () => void>();
  readonly #websockets = new WeakMap<object, WebsocketWatch>();
  /** Connections whose clients were told that a request of theirs was too large. */
  readonly #told = new WeakSet<EngineSocket>();

  constructor(parts: SignInGuardParts) {
    this.#parts = parts;
  }

  /** Whether the client of a connection is admitted. */
  isAdmitted(conn: EngineSocket): boolean {
    return !this.#pending.has(conn);
  }

  /** Watches a new connection, which comes from `address`. To be called before Socket.IO listens to it. */
  watch(conn: EngineSocket, address: string): void {
    this.#addresses.set(conn, address);
    this.#begin(conn);
    conn.on('packet', (packet: EnginePacket) => {
      if (this.#pending.has(conn)) this.#inspect(conn, packet);
    });
    conn.on('upgrade', () => {
      if (!this.#pending.has(conn)) this.#freeTransport(conn);
    });
    conn.once('close', () => {
      this.#end(conn);
    });
  }

  /**
   * Watches a new websocket over `socket`; `head` came with its request. `conn` is the connection that it is to upgrade;
   * undefined for a new one.
   */
  watchWebsocket(
    websocket: EventEmitter,
    socket: Duplex,
    head: Buffer,
    conn: EngineSocket | undefined,
  ): void {
    const meter = (chunk: Buffer): void => {
      watch.received += chunk.length;
      // What an admitted client sends right after the upgrade may come with it.
      const isMember = conn !== undefined && !this.#pending.has(conn);
      if (watch.received > MAX_INPUT_BYTES && !isMember) this.#refuseInput(websocket, socket);
    };
    const cancelTimer = this.#parts.clock.after(SIGN_IN_MS, () => {
      this.#cutSocket(socket, 'not_signed_in');
    });
    const watch: WebsocketWatch = { socket, received: head.length, meter, cancelTimer };
    this.#websockets.set(websocket, watch);
    socket.prependListener('data', meter);
    socket.once('close', cancelTimer);
  }

  /**
   * Whether a request of a connection over polling brings more than it may. Its client is told so by its poll, in the namespace, so that
   * a stock client does not try the same again: to an HTTP error it would react by coming back. Who does so all the same is cut.
   */
  isTooLarge(conn: EngineSocket, { headers }: IncomingMessage): boolean {
    const isTooLarge = this.#pending.has(conn) && Number(headers['content-length']) > MAX_INPUT_BYTES;
    if (!isTooLarge) return false;
    if (this.#told.has(conn)) this.#cut(conn, 'too_large');
    else conn.send(TOO_LARGE);
    this.#told.add(conn);
    return true;
  }

  /** The client of a connection is admitted: the bounds on strangers are off. */
  admit(conn: EngineSocket): void {
    this.#end(conn);
    boundPolling(conn, this.#parts.maxHttpBufferBytes);
    this.#freeTransport(conn);
  }

  /** The session of a connection has ended, and the connection goes on: it is a stranger's again. */
  release(conn: EngineSocket): void {
    if (conn.readyState === 'open') this.#begin(conn);
  }

  #begin(conn: EngineSocket): void {
    const address = this.#addresses.get(conn) ?? '';
    this.#makeRoomFor(address);
    this.#pending.add(conn, addressBlock(address));
    this.#received.set(conn, 0);
    boundPolling(conn, MAX_INPUT_BYTES);
    this.#meterTransport(conn);
    const cancel = this.#parts.clock.after(SIGN_IN_MS, () => {
      this.#cut(conn, 'not_signed_in');
    });
    this.#timers.set(conn, cancel);
  }

  #end(conn: EngineSocket): void {
    this.#pending.remove(conn);
    this.#timers.get(conn)?.();
    this.#timers.delete(conn);
  }

  #makeRoomFor(address: string): void {
    const { maxConnections, maxConnectionsPerAddress, maxPendingPerAddress } = this.#parts;
    const block = addressBlock(address);
    const own = [
      ...(maxConnectionsPerAddress > 0 ? [maxConnectionsPerAddress + SPARE_CONNECTIONS.perAddress] : []),
      ...(maxPendingPerAddress > 0 && !isLoopback(address) ? [maxPendingPerAddress] : []),
    ];
    const isFull = maxConnections > 0 && this.#pending.size >= maxConnections + SPARE_CONNECTIONS.inAll;
    const oldest =
      this.#pending.countOf(block) >= Math.min(...own)
        ? this.#pending.takeOldest(block)
        : isFull
          ? this.#pending.takeOldest()
          : undefined;
    if (oldest !== undefined) this.#cut(oldest, 'displaced');
  }

  #inspect(conn: EngineSocket, { data }: EnginePacket): void {
    const isText = typeof data === 'string' || data === undefined;
    const received = (this.#received.get(conn) ?? 0) + (isText ? (data?.length ?? 0) : 0);
    this.#received.set(conn, received);
    if (!isText || BINARY_PACKET.test(data ?? '')) this.#cut(conn, 'binary');
    else if (received > MAX_INPUT_BYTES) this.#cut(conn, 'too_large');
  }

  /** Closes a connection at once, and destroys the socket under it: its client may not read, or say, another word. */
  #cut(conn: EngineSocket, reason: string): void {
    this.#end(conn);
    const socket = this.#watchOf(conn)?.socket;
    // Its socket may have been cut before, in the midst of what it brought.
    if (socket?.destroyed !== true) this.#parts.counters.add('connections_cut', reason);
    conn.close(true);
    socket?.destroy();
  }

  #cutSocket(socket: Duplex, reason: string): void {
    if (socket.destroyed) return;
    this.#parts.counters.add('connections_cut', reason);
    socket.destroy();
  }

  /** Takes no more from a websocket, says why, and destroys it once that had time to arrive. */
  #refuseInput(websocket: EventEmitter, socket: Duplex): void {
    this.#parts.counters.add('connections_cut', 'too_large');
    websocket.removeAllListeners('message');
    // A connection that is closed with unread bytes is reset, and what was written to it lost.
    let discarded = 0;
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > DISCARDED_BYTES) socket.pause();
    });
    socket.end(textFrame(`4${TOO_LARGE}`));
    const cancel = this.#parts.clock.after(LAST_WORD_MS, () => {
      socket.destroy();
    });
    socket.once('close', cancel);
  }

  /** From here on the connection's time is what counts. */
  #meterTransport(conn: EngineSocket): void {
    const watch = this.#watchOf(conn);
    if (watch === undefined) return;
    watch.cancelTimer();
    if (watch.socket.listeners('data').includes(watch.meter)) return;
    watch.received = 0;
    watch.socket.prependListener('data', watch.meter);
  }

  #freeTransport(conn: EngineSocket): void {
    const watch = this.#watchOf(conn);
    if (watch === undefined) return;
    watch.cancelTimer();
    watch.socket.off('data', watch.meter);
    watch.socket.off('close', watch.cancelTimer);
    this.#parts.signedIn(watch.socket);
  }

  #watchOf(conn: EngineSocket): WebsocketWatch | undefined {
    const { socket } = transportOf(conn);
    return socket === undefined ? undefined : this.#websockets.get(socket);
  }
}

function boundPolling({ transport }: EngineSocket, bytes: number): void {
  if (transport.name === 'polling') (transport as unknown as EngineTransport).maxHttpBufferSize = bytes;
}

function transportOf(conn: EngineSocket): EngineTransport {
  return conn.transport as unknown as EngineTransport;
}
