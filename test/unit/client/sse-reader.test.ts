import { describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import * as fc from 'fast-check';
import { readSse, type SseBlock } from '../../../src/client/sse-reader.js';

/** The blocks of a text, read in pieces of these lengths, over and over. */
function blocksOf(text: string, lengths: readonly number[]): SseBlock[] {
  const blocks: SseBlock[] = [];
  const feed = readSse((block) => blocks.push(block));
  for (let at = 0, n = 0; at < text.length; n += 1) {
    const length = lengths[n % lengths.length] ?? 1;
    feed(text.slice(at, at + length));
    at += length;
  }
  return blocks;
}

describe('readSse', () => {
  it('tells of the blocks a gateway writes, of quiet streams’ pings too', () => {
    const text = [
      'retry: 1000\n\n',
      'event: welcome\ndata: {"a":1}\n\n',
      'id: 1-0\ndata: [1,\ndata: 2]\n\n',
      ': ping\n\n',
      ': ping\nid: 2-0\n\n',
      'id: 3-0\n\n',
      'data: cut off',
    ].join('');
    for (const lengths of [[1], [3], [1000]]) {
      expect(blocksOf(text, lengths)).toEqual([
        { event: 'welcome', data: '{"a":1}', id: null },
        { event: 'message', data: '[1,\n2]', id: '1-0' },
        { event: 'message', data: null, id: '2-0' },
        { event: 'message', data: null, id: '3-0' },
      ]);
    }
  });

  it('reads what a parser by the standard reads, whatever comes, and however it is cut', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        '',
        'data: x',
        'data:',
        'data:  two',
        'data',
        'id: 7',
        'id:7',
        'id',
        'event: gap',
        ': c',
        ':',
      ),
      fc
        .tuple(fc.constantFrom('data', 'id', 'event', 'retry', ''), fc.string())
        .map(([name, value]) => `${name}:${value}`),
      fc.string(),
    );
    const text = fc
      .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')))
      .map((lines) => lines.map((one) => one.join('')).join(''));
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(text, cuts, (text, lengths) => {
        const expected: unknown[] = [];
        const parser = createParser({
          onEvent: ({ event = 'message', data, id = null }) => expected.push({ event, data, id }),
        });
        // What it does with a CR at the end of a text is its own affair: this one waits for what follows.
        parser.feed(`${text}\n`);
        const read = blocksOf(`${text}\n`, lengths).filter(({ data }) => data !== null);
        expect(read).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
