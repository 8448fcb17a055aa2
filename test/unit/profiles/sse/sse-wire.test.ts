import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Slice } from '../../../../src/core/delivery/slice.js';
import type { Event } from '../../../../src/core/event.js';
import { chunkedWires, MAX_BLOCK_BYTES, plainWires } from '../../../../src/profiles/sse/sse-wire.js';
import { EventStreamParser } from '../../../support/event-stream-parser.js';
import { newEvent } from '../../../support/new-event.js';

const CURSOR = '1700000000000-7';

const sliceOf = (data: readonly string[]): Slice =>
  new Slice(
    data.map(
      (dataJson, index): Event => ({
        ...newEvent({ room: 'a', dataJson }),
        id: `1700000000000-${String(index)}`,
        room: 'a',
        slot: null,
        position: index,
      }),
    ),
    0,
    CURSOR,
  );

interface Shape {
  readonly unit: string;
  readonly count: number;
  readonly lineEnd: string;
  readonly lines: number;
}

/** Any size up to some 100 KiB, characters of one to four bytes, line ends where JSON may have them. */
const anyShape: fc.Arbitrary<Shape> = fc.record({
  unit: fc.constantFrom('x', 'é', '€', '😀', '\\n'),
  count: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 4000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 25_000 }) },
  ),
  lineEnd: fc.constantFrom('', '\n', '\r', '\r\n', '\n\n\r'),
  lines: fc.integer({ min: 1, max: 300 }),
});

const jsonOf = ({ unit, count, lineEnd, lines }: Shape): string =>
  `[${lineEnd.repeat(lines)}"${unit.repeat(count)}"]`;

/** The blocks of a stream's text, each with its empty line. */
const blocksOf = (text: string): string[] => text.split(/(?<=\n\n)/);

describe('a slice as messages', () => {
  const shapes = fc.array(anyShape, { minLength: 1, maxLength: 60 });

  test.each([
    ['without an id', plainWires.part, ''],
    ['with an id', plainWires.last, CURSOR],
  ])(
    '%s: every event, in order, in blocks that any reader takes, the id in the last one alone',
    (...args) => {
      const [, wire, id] = args;
      fc.assert(
        fc.property(shapes, (all) => {
          const data = all.map(jsonOf);
          const bytes = wire.encode(sliceOf(data));
          const parser = new EventStreamParser();
          parser.feed(bytes);
          const messages = parser.messages.map((message) => JSON.parse(message.data) as { data: unknown }[]);
          expect(messages.flat().map((event) => event.data)).toEqual(data.map((json) => JSON.parse(json)));
          expect(parser.messages.map(({ lastEventId }) => lastEventId)).toEqual(
            messages.map((_events, index) => (index === messages.length - 1 ? id : '')),
          );
          const blocks = blocksOf(bytes.toString());
          expect(blocks).toHaveLength(messages.length);
          blocks.forEach((block, index) => {
            const isSingle = messages[index]?.length === 1;
            expect(isSingle || Buffer.byteLength(block) <= MAX_BLOCK_BYTES).toBe(true);
          });
          // No more of them than needed: what begins a block would not have fitted into the one before.
          for (let index = 1; index < blocks.length; index += 1) {
            const [first] = blocksOf(
              wire.encode(sliceOf([data[messages.slice(0, index).flat().length] ?? ''])).toString(),
            );
            const both = Buffer.byteLength(String(blocks[index - 1])) + Buffer.byteLength(String(first));
            expect(both).toBeGreaterThan(MAX_BLOCK_BYTES);
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  test('several blocks are one chunk', () => {
    const bytes = chunkedWires.last.encode(
      sliceOf(Array.from({ length: 400 }, () => `"${'x'.repeat(500)}"`)),
    );
    const [size = ''] = bytes.toString('latin1').split('\r\n', 1);
    expect(bytes.length).toBe(size.length + 2 + Number.parseInt(size, 16) + 2);
    expect(blocksOf(bytes.toString()).length).toBeGreaterThan(3);
  });

  test('an event that is larger than a block is a block of its own', () => {
    const large = JSON.stringify('x'.repeat(MAX_BLOCK_BYTES));
    const blocks = blocksOf(plainWires.last.encode(sliceOf(['1', large, '2'])).toString());
    expect(blocks.map((block) => block.length > MAX_BLOCK_BYTES)).toEqual([false, true, false]);
  });
});
