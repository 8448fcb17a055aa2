import { absolute } from './addresses.js';
import type { TokenSource } from './http.js';
import { openSse } from './sse-connection.js';
import { Stream } from './stream.js';
import { Subscriber } from './subscriber.js';

/** What an {@link EventStream} may be told. */
export interface EventStreamOptions {
  /** Default: the gateway's default rooms. */
  readonly rooms?: readonly string[];
  /** Sent as `Authorization: Bearer`; a function is asked anew for each connection. */
  readonly token?: TokenSource;
  /** Goes on from there. */
  readonly cursor?: string;
}

/** What a stream that is known by its address alone is served by. */
const STREAM_ALONE = {
  profile: 'SSE',
  transports: { sse: { path: '' }, websocket: null },
  control: null,
  reconnect: { minMs: 1000, maxMs: 30_000 },
};

/**
 * An EventSource that does not give up: one stream of a gateway's Server-Sent Events, by its address alone. It comes back
 * with its cursor, after exponential waits with full jitter, and drops what it has had already.
 */
export class EventStream extends Subscriber {
  protected override readonly source: Stream;

  /** Connects at once. `url` of the stream, such as `https://gateway.example/api/events/stream`. */
  constructor(url: string, options: EventStreamOptions = {}) {
    super();
    this.source = new Stream({
      ...options,
      urls: [absolute(url)],
      openers: { sse: openSse },
      profile: STREAM_ALONE,
      news: this.news,
    });
  }
}
