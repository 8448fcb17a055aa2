import type { Wire } from '../../core/delivery/slice.js';
import { formatSseBlock } from './sse-frame.js';

/** A slice as one message, a JSON array of events, that says nothing of the cursor: more is to come. */
export const ssePart: Wire<Buffer> = {
  name: 'sse',
  encode: (slice) => Buffer.from(formatSseBlock({ data: `[${slice.json}]` })),
};

/** A slice as the last message of a flush: with the slice's own cursor. */
export const sseLast: Wire<Buffer> = {
  name: 'sse with id',
  encode: (slice) => Buffer.from(formatSseBlock({ id: slice.cursor, data: `[${slice.json}]` })),
};
