import { describe, expect, test } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import * as fc from 'fast-check';
import { formatSseBlock, type SseBlock } from '../../../../src/profiles/sse/sse-frame.js';
import { EventStreamParser, type StreamMessage } from '../../../support/event-stream-parser.js';

/** Text that is mean to a line-based format. */
const pieces = [
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\0',
  '\uFEFF',
  '\u2028',
  '\u2029',
  '\u0085',
  '\v',
  '\f',
  ' ',
  '\t',
  ':',
  'é',
  '😀',
  '\ud800',
  '\udfff',
  'data: ',
  'id: 7\n',
  '\nid: 7\n',
  'event: x\r',
  ': ping',
  'retry: 1\n\n',
];
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...pieces),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const anyBlock: fc.Arbitrary<SseBlock> = fc.record(
  {
    comment: anyText,
    retry: fc.integer({ min: 0, max: 1e9 }),
    id: anyText,
    event: anyText,
    data: anyText,
  },
  { requiredKeys: [] },
);

/** What UTF-8 makes of a text: a lone surrogate has no bytes of its own and becomes U+FFFD. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

/** What a client has of a text that went in as data. */
const normalised = (text: string): string => wellFormed(text).replace(/\r\n|\r/g, '\n');

function parse(chunks: readonly Uint8Array[]): EventStreamParser {
  const parser = new EventStreamParser();
  for (const chunk of chunks) parser.feed(chunk);
  return parser;
}

/** What a client that follows the standard gets of these blocks. */
function expected(blocks: readonly SseBlock[]): StreamMessage[] {
  let lastEventId = '';
  return blocks.flatMap(({ id, event, data }) => {
    if (id !== undefined) lastEventId = wellFormed(id.replace(/[\r\n\0]/g, ''));
    if (data === undefined) return [];
    const type = wellFormed((event ?? '').replace(/[\r\n]/g, '')) || 'message';
    return [{ type, data: normalised(data), lastEventId }];
  });
}

/** Cuts bytes at the given places, wherever in a character or a line they fall. */
function cut(bytes: Buffer, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('formatSseBlock', () => {
  test('whatever text goes in as data comes out, its line ends normalised', () => {
    fc.assert(
      fc.property(anyText, (data) => {
        const { messages } = parse([Buffer.from(formatSseBlock({ data }))]);
        expect(messages).toEqual([{ type: 'message', data: normalised(data), lastEventId: '' }]);
      }),
      { numRuns: 1000 },
    );
  });

  test('any blocks, concatenated and cut anywhere, parse alike', () => {
    fc.assert(
      fc.property(
        fc.array(anyBlock, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (blocks, places) => {
          const bytes = Buffer.from(blocks.map(formatSseBlock).join(''));
          const { messages, lastEventId, retryMs } = parse(cut(bytes, places));
          expect(messages).toEqual(expected(blocks));
          const ids = blocks.flatMap(({ id }) => (id === undefined ? [] : [id]));
          expect(lastEventId).toBe(wellFormed((ids.at(-1) ?? '').replace(/[\r\n\0]/g, '')));
          expect(retryMs).toBe(blocks.findLast(({ retry }) => retry !== undefined)?.retry);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('the parser of the stock EventSource of Node reads the same messages', () => {
    fc.assert(
      fc.property(
        fc.array(anyBlock, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (blocks, places) => {
          const seen: EventSourceMessage[] = [];
          const errors: unknown[] = [];
          const parser = createParser({
            onEvent: (message) => seen.push(message),
            onError: (error) => errors.push(error),
          });
          const decoder = new TextDecoder();
          for (const chunk of cut(Buffer.from(blocks.map(formatSseBlock).join('')), places)) {
            parser.feed(decoder.decode(chunk, { stream: true }));
          }
          // It gives a message the id of its own block alone.
          const whole = blocks.filter(({ data }) => data !== undefined);
          expect(seen).toEqual(
            whole.map(({ id, event, data }) => ({
              id: id === undefined ? undefined : wellFormed(id.replace(/[\r\n\0]/g, '')),
              event: wellFormed((event ?? '').replace(/[\r\n]/g, '')) || undefined,
              data: normalised(data ?? ''),
            })),
          );
          expect(errors).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a comment says nothing, whatever is in it', () => {
    fc.assert(
      fc.property(anyText, (comment) => {
        const parser = parse([Buffer.from(formatSseBlock({ comment }))]);
        expect([parser.messages, parser.lastEventId, parser.retryMs]).toEqual([[], '', undefined]);
        expect(parser.comments.join('\n')).toBe(
          normalised(comment)
            .split('\n')
            .map((line) => ` ${line}`)
            .join('\n'),
        );
      }),
    );
  });

  test('a block is one string of known bytes', () => {
    expect(formatSseBlock({ retry: 1234.4 })).toBe('retry: 1234\n\n');
    expect(formatSseBlock({ comment: 'ping' })).toBe(': ping\n\n');
    expect(formatSseBlock({ id: '5-0' })).toBe('id: 5-0\n\n');
    expect(formatSseBlock({ comment: 'ping', id: '5-0' })).toBe(': ping\nid: 5-0\n\n');
    expect(formatSseBlock({ id: '5-0', event: 'gap', data: 'a\r\nb\rc\n' })).toBe(
      'id: 5-0\nevent: gap\ndata: a\ndata: b\ndata: c\ndata: \n\n',
    );
    expect(formatSseBlock({})).toBe('\n');
  });

  test('empty data is a message; a block without data is none, and yet moves the id', () => {
    const parser = parse([Buffer.from(formatSseBlock({ data: '' }) + formatSseBlock({ id: '9-1' }))]);
    expect(parser.messages).toEqual([{ type: 'message', data: '', lastEventId: '' }]);
    expect(parser.lastEventId).toBe('9-1');
  });

  test('an id that holds NUL is not lost: without the NUL it counts', () => {
    expect(parse([Buffer.from(formatSseBlock({ id: '1\0-\r\n0' }))]).lastEventId).toBe('1-0');
  });
});
