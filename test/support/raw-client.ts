import net from 'node:net';
import type { Gap, Welcome } from '../../src/core/delivery/outlet.js';
import { upgradeLines } from './raw-exchange.js';
import type { RawReader } from './raw-reader.js';
import { SocketIoReader } from './socketio-reader.js';
import { SseReader } from './sse-reader.js';
import { waitUntil } from './wait-until.js';

/** How a raw client is served: a stream, a Socket.IO client that asks for bundles, one that knows of nothing. */
export type RawWire = 'sse' | 'bundle' | 'legacy';

/** All of them. */
export const RAW_WIRES: readonly RawWire[] = ['sse', 'bundle', 'legacy'];

/** The same by the transport that serves them, for `test.each`. */
export const TRANSPORTS: readonly { readonly wire: string; readonly wires: RawWire[] }[] = [
  { wire: 'SSE', wires: ['sse'] },
  { wire: 'Socket.IO', wires: ['bundle', 'legacy'] },
];

/** What may stay in the gateway's heap of a client that has gone, bytes. */
export const LEFT_BYTES = 1000;

/** An event as it came; a legacy client gets its type and data alone. */
export interface RawEvent {
  readonly type: string;
  readonly data: unknown;
  readonly id?: string;
  readonly key?: string;
}

/** How a raw client connects. */
export interface RawOptions {
  /** None: the default rooms, which are all a legacy client has. */
  readonly rooms?: readonly string[];
  readonly cursor?: string | null;
  /** What it shows of itself; default: nothing. */
  readonly token?: string;
  /** True: from its first event on it reads a byte with each {@link RawClient.sip}, and nothing else. */
  readonly sips?: boolean;
  /** What to keep of an event; default all. */
  readonly keep?: (event: RawEvent) => RawEvent;
}

const connected = new Set<RawClient>();

/** A client on a bare socket, whose reading a test has in its hands. */
export class RawClient {
  readonly wire: RawWire;
  /** What it was sent, over this connection, in order. */
  readonly events: RawEvent[] = [];
  readonly gaps: Gap[] = [];
  readonly welcomes: Welcome[] = [];
  /** Names of what told it to come back. */
  readonly notices: string[] = [];
  /** What it may resume from; null while it was told nothing. */
  cursor: string | null;
  /** True once it is a session. */
  isOpen = false;
  isClosed = false;
  /** What its socket failed with; undefined while it did not. */
  failure: Error | undefined;
  readonly #keep: (event: RawEvent) => RawEvent;
  readonly #socket: net.Socket;
  readonly #reader: RawReader;

  constructor(port: number, wire: RawWire, options: RawOptions = {}) {
    this.wire = wire;
    this.cursor = options.cursor ?? null;
    this.#keep = options.keep ?? ((event) => event);
    this.#socket = this.#connect(port, options.sips ?? false);
    this.#socket.on('error', (error) => {
      this.failure = error;
    });
    this.#socket.on('close', () => {
      this.isClosed = true;
      connected.delete(this);
    });
    connected.add(this);
    this.#reader = wire === 'sse' ? this.#askForStream(options) : this.#askForWebsocket(options);
  }

  /** Resolves once it is a session. */
  static async open(port: number, wire: RawWire, options: RawOptions = {}): Promise<RawClient> {
    const client = new RawClient(port, wire, options);
    await waitUntil(() => client.isOpen, `the ${wire} client to be welcomed`);
    return client;
  }

  /** What a test left connected goes: one that does not read would not even learn that the gateway is gone. */
  static leaveAll(): void {
    for (const client of connected) client.leave();
  }

  /** Reads no more; the connection stays. */
  stall(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  goOn(): void {
    this.#socket.resume();
  }

  /** Reads one byte, when there is one. */
  sip(): void {
    this.#socket.resume();
  }

  /** Goes without a word. */
  leave(): void {
    this.#socket.destroy();
  }

  #connect(port: number, sips: boolean): net.Socket {
    const to = { port, host: '127.0.0.1' };
    if (!sips) return net.connect(to).on('data', (bytes: Buffer) => this.#reader.feed(bytes));
    const callback = (_count: number, bytes: Uint8Array): boolean => {
      this.#reader.feed(Buffer.from(bytes));
      return this.events.length === 0;
    };
    return net.connect({ ...to, onread: { buffer: Buffer.alloc(1), callback } });
  }

  #askForStream({ rooms, cursor, token }: RawOptions): RawReader {
    const query = new URLSearchParams(rooms === undefined ? {} : { rooms: rooms.join(',') });
    if (token !== undefined) query.set('access_token', token);
    if (typeof cursor === 'string') query.set('lastEventId', cursor);
    this.#socket.write(`GET /api/events/stream?${String(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    return new SseReader((name, content, at) => {
      this.#take(name, content, at);
    });
  }

  #askForWebsocket({ rooms, cursor, token }: RawOptions): RawReader {
    this.#socket.write(`${upgradeLines('/socket.io/?EIO=4&transport=websocket').join('\r\n')}\r\n\r\n`);
    const isLegacy = this.wire === 'legacy';
    return new SocketIoReader({
      auth: isLegacy ? undefined : { bundle: true, rooms, lastEventId: cursor ?? undefined, token },
      send: (bytes) => void this.#socket.write(bytes),
      onConnect: () => {
        this.isOpen ||= isLegacy;
      },
      onEvent: (name, [content, at]) => {
        if (isLegacy) this.#add({ type: name, data: content });
        else this.#take(name, content, typeof at === 'string' ? at : null);
      },
    });
  }

  #take(name: string, content: unknown, cursor: string | null): void {
    if (name === 'welcome') {
      this.welcomes.push(content as Welcome);
      this.isOpen = true;
    } else if (name === 'gap') this.gaps.push(content as Gap);
    else if (name === 'draining' || name === 'profile_changed') this.notices.push(name);
    else if (name === 'events') for (const event of (content ?? []) as RawEvent[]) this.#add(event);
    if (cursor !== null) this.cursor = cursor;
  }

  #add(event: RawEvent): void {
    this.events.push(this.#keep(event));
  }
}
