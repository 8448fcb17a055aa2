import type { Slice, Wire } from '../../core/delivery/slice.js';
import { eventToJson } from '../../core/event.js';
import { formatSseBlock } from './sse-frame.js';

/**
 * Most bytes in one block of the stream, its empty line included, unless a single event is larger. Some readers take blocks of
 * up to 64 KiB, and never get past a larger one.
 */
export const MAX_BLOCK_BYTES = 60 * 1024;

/** `data: []`, its line end, and the empty line. */
const FRAME_BYTES = 10;
/** Replaces a line end in the data: LF, and `data: ` at the start of the next line. */
const LINE_END_BYTES = 7;

/**
 * How messages go to the socket itself, past the HTTP layer, which would copy and frame them again for each client:
 * as ready-made chunks (HTTP/1.1), or as they are (HTTP/1.0, where the end of the connection ends the answer).
 */
export interface SseWires {
  /** A slice as messages, JSON arrays of events, that say nothing of the cursor: more is to come. */
  readonly part: Wire<Buffer>;
  /** A slice as the last messages of a flush: the very last one has the slice's own cursor. */
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
    part: { name, encode: (slice) => block(messagesOf(slice)) },
    last: { name: `${name}, with id`, encode: (slice) => block(messagesOf(slice, slice.cursor)) },
    block,
  };
}

/** A slice as blocks of at most {@link MAX_BLOCK_BYTES}; the last one has the id. */
function messagesOf(slice: Slice, id?: string): string {
  const whole = formatMessage(slice.json, id);
  if (Buffer.byteLength(whole) <= MAX_BLOCK_BYTES || slice.events.length < 2) return whole;
  const room = MAX_BLOCK_BYTES - FRAME_BYTES - (id === undefined ? 0 : Buffer.byteLength(`id: ${id}\n`));
  let text = '';
  let events: string[] = [];
  let bytes = 0;
  for (const event of slice.events) {
    const json = eventToJson(event);
    const size = bytesInMessage(json);
    // A comma stands between two events.
    if (events.length > 0 && bytes + 1 + size > room) {
      text += formatMessage(events.join(','));
      events = [];
      bytes = 0;
    }
    bytes += size + (events.length > 0 ? 1 : 0);
    events.push(json);
  }
  return text + formatMessage(events.join(','), id);
}

function formatMessage(json: string, id?: string): string {
  return formatSseBlock({ ...(id === undefined ? {} : { id }), data: `[${json}]` });
}

function bytesInMessage(json: string): number {
  const lineEnds = json.match(/\r\n|\r|\n/g) ?? [];
  return lineEnds.reduce((sum, { length }) => sum + LINE_END_BYTES - length, Buffer.byteLength(json));
}

function chunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
