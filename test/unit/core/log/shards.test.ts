import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareLogIds, isLogId, MAX_SEQUENCE } from '../../../../src/core/log/log-id.js';
import { MAX_SHARDS, Shards } from '../../../../src/core/log/shards.js';

const count = fc.integer({ min: 1, max: MAX_SHARDS });
const ms = fc.nat({ max: 999_999_999_999_999 });
const sequence = fc.oneof(fc.nat(5), fc.nat({ max: 15_000_000_000_000 }));

describe('Shards', () => {
  test('a log of one shard has the ids of its store, and ids for cursors', () => {
    const shards = new Shards(1);
    expect([shards.ofRoom('a'), shards.ofId('5-3'), shards.logId(0, '5-3'), shards.storedId('5-3')]).toEqual([
      0,
      0,
      '5-3',
      '5-3',
    ]);
    expect([shards.cursorOf(['5-3']), shards.idsIn('5-3')]).toEqual(['5-3', new Map([[0, '5-3']])]);
    expect(shards.idsIn('1.5-3')).toBeUndefined();
  });

  test('rooms lie where any language finds them', () => {
    // python3 -c "import zlib; print([zlib.crc32(room.encode()) % 4 for room in ['a', 'b', 'd', 'e', 'default']])"
    const shards = new Shards(4);
    expect(['a', 'b', 'd', 'e', 'default'].map((room) => shards.ofRoom(room))).toEqual([3, 1, 0, 2, 3]);
  });

  test('ids are those of the store and back, unique over all shards, ordered within each', () => {
    fc.assert(
      fc.property(count, fc.nat(MAX_SHARDS), ms, sequence, ms, sequence, (count, nth, ms, seq, ms2, seq2) => {
        const shards = new Shards(count);
        const shard = nth % count;
        const [one, two] = [`${String(ms)}-${String(seq)}`, `${String(ms2)}-${String(seq2)}`];
        const [id, id2] = [shards.logId(shard, one), shards.logId(shard, two)];
        expect([isLogId(id), shards.storedId(id), shards.ofId(id)]).toEqual([true, one, shard]);
        expect(Math.sign(compareLogIds(id, id2))).toBe(Math.sign(compareLogIds(one, two)));
        const other = (shard + 1) % count;
        if (count > 1) expect(shards.logId(other, one)).not.toBe(id);
      }),
    );
  });

  test('what no id of the log can be is told', () => {
    const shards = new Shards(64);
    expect(shards.canHold(`1-${String(shards.maxSequence)}`)).toBe(true);
    for (const id of [`1-${String(shards.maxSequence + 1)}`, '1-18446744073709551615', 'x'])
      expect(shards.canHold(id)).toBe(false);
    const last = shards.logId(63, '1-18446744073709551615');
    expect([isLogId(last), shards.ofId(last)]).toEqual([true, 63]);
    expect(Number(last.slice(2))).toBeLessThanOrEqual(MAX_SEQUENCE);
  });

  test('a cursor gives its ids back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: MAX_SHARDS }),
        fc.uniqueArray(fc.nat(MAX_SHARDS - 1), { minLength: 1 }),
        sequence,
        (count, some, seq) => {
          const shards = new Shards(count);
          const spoken = [...new Set(some.map((shard) => shard % count))];
          const ids = spoken.map((shard) => shards.logId(shard, `1732219200123-${String(seq)}`));
          const cursor = shards.cursorOf(ids);
          expect(cursor).toBe(encodeURIComponent(cursor));
          expect(shards.idsIn(cursor)).toEqual(new Map(spoken.map((shard, nth) => [shard, ids[nth]])));
        },
      ),
    );
  });

  test('a cursor may speak of no shard at all', () => {
    const shards = new Shards(4);
    expect([shards.cursorOf([]), shards.idsIn('4.')]).toEqual(['4.', new Map()]);
  });

  test.each([
    '',
    '4',
    '.',
    '5-3',
    '1.5-3',
    '8.5-3',
    '04.5-3',
    '4.5-3.',
    '4..5-3',
    '4.5-3.6-3',
    '4.5-3.nonsense',
    '4.5-3\n',
    '4.5-3,6-0',
    `4.${'1'.repeat(40)}-1`,
    `4.${'5-3.'.repeat(100_000)}`,
  ])('"%.20s" is no cursor of a log of four shards', (cursor) => {
    expect(new Shards(4).idsIn(cursor)).toBeUndefined();
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^4[.0-9-]*$/)), (cursor) => {
        const ids = new Shards(4).idsIn(cursor);
        for (const [shard, id] of ids ?? []) expect(new Shards(4).ofId(id)).toBe(shard);
      }),
    );
  });
});
