import type { Wire } from '../../core/delivery/slice.js';
import { formatSseBlock } from './sse-frame.js';

/**
 * How messages go to the socket itself, past the HTTP layer, which would copy and frame them again for each client:
 * as ready-made chunks (HTTP/1.1), or as they are (HTTP/1.0, where the end of the connection ends the answer).
 */
export interface SseWires {
  /** A slice as one message, a JSON array of events, that says nothing of the cursor: more is to come. */
  readonly part: Wire<Buffer>;
  /** A slice as the last message of a flush: with the slice's own cursor. */
  readonly last: Wire<Buffer>;
  /** Any other block. */
  readonly block: (text: string) => Buffer;
}

/** For HTTP/1.1. Source: RFC 9112, section 7.1, chunked transfer coding. */
export const chunkedWires: SseWires = wires('sse, chunked', chunk);

/** For HTTP/1.0. */
export const plainWires: SseWires = wires('sse', (text) => Buffer.from(text));

function wires(name: string, block: (text: string) => Buffer): SseWires {
  return {
    part: { name, encode: (slice) => block(formatSseBlock({ data: `[${slice.json}]` })) },
    last: {
      name: `${name}, with id`,
      encode: (slice) => block(formatSseBlock({ id: slice.cursor, data: `[${slice.json}]` })),
    },
    block,
  };
}

function chunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
