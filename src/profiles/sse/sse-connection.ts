import type { ServerResponse } from 'node:http';
import type { Gap, Outlet, Welcome } from '../../core/delivery/outlet.js';
import type { Slice } from '../../core/delivery/slice.js';
import type { ErrorCode } from '../../core/errors.js';
import { formatSseBlock } from './sse-frame.js';
import { sseLast, ssePart } from './sse-wire.js';

/** Headers of every stream. Source: WHATWG HTML, section 9.2; the last one is for nginx. */
const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

/** One stream: writes what core says as Server-Sent Events. */
export class SseConnection implements Outlet {
  readonly #res: ServerResponse;
  readonly #retryMs: number;
  readonly #now: () => number;
  #wroteAt: number;

  /** `retryMs` is the pause before a reconnect that the client is told; `now` measures ms. */
  constructor(res: ServerResponse, retryMs: number, now: () => number) {
    this.#res = res;
    this.#retryMs = retryMs;
    this.#now = now;
    this.#wroteAt = now();
  }

  /** When something was written last, in the time of `now`. */
  get wroteAt(): number {
    return this.#wroteAt;
  }

  get writable(): boolean {
    return !this.#res.writableNeedDrain && !this.#res.destroyed;
  }

  accept(): void {
    this.#res.writeHead(200, HEADERS);
    this.#write(formatSseBlock({ retry: this.#retryMs }));
  }

  welcome(welcome: Welcome): void {
    this.#write(formatSseBlock({ event: 'welcome', data: JSON.stringify(welcome) }));
  }

  deliver(slices: readonly Slice[], cursor: string | null): void {
    // Some clients pass over an id without data, so the last message carries it wherever it can.
    const last = slices[slices.length - 1];
    const carrier = last?.cursor === cursor ? last : undefined;
    const parts = slices.map((slice) => slice.frame(slice === carrier ? sseLast : ssePart));
    if (cursor !== null && carrier === undefined) parts.push(Buffer.from(formatSseBlock({ id: cursor })));
    const [first] = parts;
    // The common case, one room at one cursor, is one buffer that all its sessions share.
    if (first !== undefined) this.#write(parts.length === 1 ? first : Buffer.concat(parts));
  }

  gap(gap: Gap): void {
    this.#write(formatSseBlock({ event: 'gap', data: JSON.stringify(gap) }));
  }

  end(reason: ErrorCode): void {
    // A client that takes nothing any more can't be told, and must not keep what waits for it in memory.
    if (!this.writable) return void this.#res.destroy();
    if (reason === 'shutting_down') {
      this.#res.write(formatSseBlock({ event: 'draining', data: JSON.stringify({ reason }) }));
    }
    this.#res.end();
  }

  /** Shows that the connection lives; `cursor`, where there is one, moves the client's along. */
  ping(cursor: string | null): void {
    this.#write(formatSseBlock({ comment: 'ping', ...(cursor === null ? {} : { id: cursor }) }));
  }

  #write(bytes: Buffer | string): void {
    this.#wroteAt = this.#now();
    // What a false return asks for is done by asking `writable` before the next write.
    this.#res.write(bytes);
  }
}
