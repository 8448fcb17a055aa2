import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientKind } from '../../core/delivery/client-kind.js';
import { type Gap, NOTICES, type Outlet, type Welcome } from '../../core/delivery/outlet.js';
import type { Session } from '../../core/delivery/session.js';
import type { Slice } from '../../core/delivery/slice.js';
import type { ErrorCode } from '../../core/errors.js';
import { formatSseBlock } from './sse-frame.js';
import { endConnection } from '../http/end-connection.js';
import { DATA_HEADERS } from '../http/security-headers.js';
import { chunkedWires, plainWires, type SseWires } from './sse-wire.js';

/**
 * Headers of every stream. Source: WHATWG HTML, section 9.2; `X-Accel-Buffering` is for nginx. The end of a stream closes
 * its connection: a client that keeps a pool and was not told would send its next request into it, and get no answer.
 */
const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
  ...DATA_HEADERS,
  Connection: 'close',
} as const;

/**
 * Between the notice that a stream ends and its end, ms: browsers lose what they read last before an answer breaks off, as
 * one without a last chunk does for them.
 */
const AFTER_NOTICE_MS = 200;

/**
 * One stream: writes what core says as Server-Sent Events. The HTTP layer writes the head; what follows goes to the
 * socket under it as ready-made chunks. The end of the stream is the end of the connection, without the last chunk that
 * would say that the answer is whole: some readers (Go's r3labs/sse) take a whole answer as final and do not come back.
 */
export class SseConnection implements Outlet {
  readonly client: ClientKind;
  readonly isTold = true;
  /** Whose stream it is, once core has taken it in. */
  session: Session | undefined;
  /** Let go of once the head is written: there are thousands of streams, and they are long. */
  #res: ServerResponse | undefined;
  readonly #socket: Socket;
  /** Told with the first block, since a block of its own is an empty message to some readers; undefined once it was. */
  #retryMs: number | undefined;
  /** The newest cursor that the client was told. */
  #cursor: string | null = null;
  #wires: SseWires = plainWires;
  /** Looks since the last write: counted, since a look at the clock at each write would cost more than this. */
  #looks = 0;

  /**
   * `res` must be the socket's own turn (no pipelined answer before it). `retryMs` is the pause before a reconnect
   * that the client is told.
   */
  constructor(res: ServerResponse, socket: Socket, retryMs: number, client: ClientKind) {
    this.client = client;
    this.#res = res;
    this.#socket = socket;
    this.#retryMs = Math.round(retryMs);
  }

  /** Counts a look at the stream; returns how many there were since something was written last. */
  look(): number {
    this.#looks += 1;
    return this.#looks;
  }

  get writable(): boolean {
    return !this.#socket.writableNeedDrain && this.#socket.writable;
  }

  accept(): void {
    if (this.#res === undefined) return;
    this.#res.writeHead(200, HEADERS);
    this.#wires = this.#res.chunkedEncoding ? chunkedWires : plainWires;
    this.#res.flushHeaders();
    this.#res = undefined;
  }

  welcome(welcome: Welcome): void {
    this.#cursor = welcome.cursor;
    this.#notify('welcome', welcome);
  }

  deliver(slices: readonly Slice[], cursor: string | null): number {
    const { part, last } = this.#wires;
    if (cursor !== null) this.#cursor = cursor;
    const [only] = slices;
    // The common case, one room at one cursor, is one buffer that all its sessions share.
    if (only !== undefined && slices.length === 1 && only.cursor === cursor)
      return this.#write(only.frame(last));
    // Some clients pass over an id without data, so the last message carries it wherever it can.
    const newest = slices[slices.length - 1];
    const carrier = newest?.cursor === cursor ? newest : undefined;
    const parts = slices.map((slice) => slice.frame(slice === carrier ? last : part));
    if (cursor !== null && carrier === undefined) {
      parts.push(this.#wires.block(formatSseBlock({ id: cursor, data: '[]' })));
    }
    return parts.length > 0 ? this.#write(Buffer.concat(parts)) : 0;
  }

  gap(gap: Gap): void {
    this.#notify('gap', gap);
  }

  /** Its client was answered by HTTP. */
  roomsChanged(): void {}

  end(reason: ErrorCode): void {
    // It takes nothing any more, and must not keep what waits for it in memory.
    if (reason === 'slow_consumer' || !this.#socket.writable) return void this.#socket.destroy();
    const notice = NOTICES[reason];
    if (notice === undefined) return endConnection(this.#socket);
    this.#notify(notice, { reason });
    endConnection(this.#socket, AFTER_NOTICE_MS);
  }

  /**
   * Shows that the connection lives. `cursor`, where there is one that the client does not have, moves the client's along: some
   * readers take an id without data for an empty message, so there are no more of them than needed.
   */
  ping(cursor: string | null): void {
    const hasMoved = cursor !== null && cursor !== this.#cursor;
    if (hasMoved) this.#cursor = cursor;
    this.#write(this.#wires.block(formatSseBlock({ comment: 'ping', ...(hasMoved ? { id: cursor } : {}) })));
  }

  #notify(event: string, notice: object): void {
    const retry = this.#retryMs;
    this.#retryMs = undefined;
    const block = { ...(retry === undefined ? {} : { retry }), event, data: JSON.stringify(notice) };
    this.#write(this.#wires.block(formatSseBlock(block)));
  }

  #write(bytes: Buffer): number {
    this.#looks = 0;
    // What a false return asks for is done by asking `writable` before the next write.
    this.#socket.write(bytes);
    return bytes.length;
  }
}
