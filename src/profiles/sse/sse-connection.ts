import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientKind } from '../../core/delivery/client-kind.js';
import { type Gap, NOTICES, type Outlet, type Welcome } from '../../core/delivery/outlet.js';
import type { Session } from '../../core/delivery/session.js';
import type { Slice } from '../../core/delivery/slice.js';
import type { ErrorCode } from '../../core/errors.js';
import { formatSseBlock } from './sse-frame.js';
import { chunkedWires, plainWires, type SseWires } from './sse-wire.js';

/**
 * Headers of every stream. Source: WHATWG HTML, section 9.2; `X-Accel-Buffering` is for nginx. The end of a stream closes
 * its connection: a client that keeps a pool and was not told would send its next request into it, and get no answer.
 */
const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
  Connection: 'close',
} as const;

/** How long a client that takes nothing of the last words may keep its socket, ms. */
const GOODBYE_MS = 5000;

/**
 * One stream: writes what core says as Server-Sent Events. The HTTP layer writes the head; what follows goes to the
 * socket under it as ready-made chunks, and the end of the stream ends the connection.
 */
export class SseConnection implements Outlet {
  readonly unbundled = false;
  readonly client: ClientKind;
  /** Whose stream it is, once core has taken it in. */
  session: Session | undefined;
  /** Let go of once the head is written: there are thousands of streams, and they are long. */
  #res: ServerResponse | undefined;
  readonly #socket: Socket;
  readonly #retryMs: number;
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
    this.#block(formatSseBlock({ retry: this.#retryMs }));
  }

  welcome(welcome: Welcome): void {
    this.#block(formatSseBlock({ event: 'welcome', data: JSON.stringify(welcome) }));
  }

  deliver(slices: readonly Slice[], cursor: string | null): number {
    const { part, last } = this.#wires;
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
    this.#block(formatSseBlock({ event: 'gap', data: JSON.stringify(gap) }));
  }

  /** Its client was answered by HTTP. */
  roomsChanged(): void {}

  end(reason: ErrorCode): void {
    // A client that takes nothing any more can't be told, and must not keep what waits for it in memory.
    if (!this.writable) return void this.#socket.destroy();
    const notice = NOTICES[reason];
    if (notice !== undefined) {
      this.#block(formatSseBlock({ event: notice, data: JSON.stringify({ reason }) }));
    }
    // What waits may wait for a reader that has stopped.
    this.#socket.setTimeout(GOODBYE_MS, destroyThis);
    this.#socket.end(this.#wires.end);
    this.#socket.destroySoon();
  }

  /** Shows that the connection lives; `cursor`, where there is one, moves the client's along. */
  ping(cursor: string | null): void {
    this.#block(formatSseBlock({ comment: 'ping', ...(cursor === null ? {} : { id: cursor }) }));
  }

  #block(text: string): void {
    this.#write(this.#wires.block(text));
  }

  #write(bytes: Buffer): number {
    this.#looks = 0;
    // What a false return asks for is done by asking `writable` before the next write.
    this.#socket.write(bytes);
    return bytes.length;
  }
}

function destroyThis(this: Socket): void {
  this.destroy();
}
