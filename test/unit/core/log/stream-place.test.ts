import { describe, expect, test } from '@jest/globals';
import {
  continuityOf,
  deletedAfter,
  floorOf,
  placeAfter,
  type StreamPlace,
} from '../../../../src/core/log/stream-place.js';
import type { StreamState } from '../../../../src/core/log/stream-state.js';

const PLACE: StreamPlace = {
  epoch: 'e',
  id: '5-0',
  anchor: '5-0',
  digest: 'five',
  added: null,
  deletedTo: '0-0',
};

/** A stream of the entries 3-0 … 5-0, to which seven were ever added. */
function stateOf(parts: Partial<StreamState> = {}): StreamState {
  return {
    epoch: 'e',
    held: 'five',
    length: 3,
    first: '3-0',
    last: '5-0',
    lastDigest: 'five',
    lastGenerated: '5-0',
    maxDeleted: '0-0',
    added: 7,
    ...parts,
  };
}

describe('continuity', () => {
  test.each<[string, Partial<StreamPlace>, Partial<StreamState>, string]>([
    ['the anchor is there', {}, {}, 'whole'],
    ['the anchor was trimmed, with all before it', {}, { held: null, first: '6-0' }, 'trimmed'],
    ['another entry has its id', {}, { held: 'other' }, 'replaced'],
    ['its digest is not known', { digest: null }, { held: 'other' }, 'whole'],
    ['nothing is left, and nothing came', {}, { held: null, first: null, length: 0 }, 'whole'],
    [
      'nothing is left, and something came',
      {},
      { held: null, first: null, length: 0, lastGenerated: '6-0' },
      'trimmed',
    ],
    ['the anchor was deleted', {}, { held: null, maxDeleted: '5-0' }, 'trimmed'],
    ['the anchor never was, while older entries are there', {}, { held: null }, 'replaced'],
    ['before Redis 7.0 the same', {}, { held: null, maxDeleted: null, added: null }, 'replaced'],
    ['ids went back', {}, { lastGenerated: '4-0' }, 'replaced'],
    [
      'it was empty, and as many came as are there',
      { anchor: null, added: 4 },
      { held: null, first: '6-0', lastGenerated: '8-0' },
      'whole',
    ],
    [
      'it was empty, and more came than are there',
      { anchor: null, added: 3 },
      { held: null, first: '7-0', lastGenerated: '9-0' },
      'trimmed',
    ],
    ['it was empty, and is', { anchor: null, added: 7 }, { held: null, length: 0, first: null }, 'whole'],
    [
      'it was empty, and something came and went',
      { anchor: null, added: 6 },
      { held: null, length: 0, first: null, lastGenerated: '6-0' },
      'trimmed',
    ],
    ['before Redis 7.0 nothing proves it', { anchor: null }, { held: null, added: null }, 'trimmed'],
  ])('%s', (_what, place, state, expected) => {
    expect(continuityOf({ ...PLACE, ...place }, stateOf(state))).toBe(expected);
  });
});

describe('the floor of what can be read', () => {
  test.each<[string, Parameters<typeof floorOf>[0], Partial<StreamState>, string | null]>([
    ['is before the first entry', { first: '3-0', last: '5-0' }, {}, '2-18446744073709551615'],
    ['is before everything where nothing ever went', { first: '3-0', last: '5-0' }, { added: 3 }, '0-0'],
    ['is the last id of an empty stream', null, { length: 0, first: null, last: null }, '5-0'],
    ['is not known where entries came since', null, {}, null],
  ])('%s', (_what, page, state, expected) => {
    expect(floorOf(page, stateOf(state))).toBe(expected);
  });
});

describe('the place after a read', () => {
  test('is anchored at the last entry read', () => {
    expect(placeAfter({ first: '6-0', last: '8-0' }, PLACE, stateOf())).toMatchObject({
      id: '8-0',
      anchor: '8-0',
      digest: null,
    });
    const state = stateOf({ last: '8-0', lastDigest: 'eight' });
    expect(placeAfter({ first: '6-0', last: '8-0' }, PLACE, state)).toMatchObject({ digest: 'eight' });
  });

  test('keeps its anchor where entries came since, else takes the newest there is', () => {
    expect(placeAfter(null, PLACE, stateOf({ last: '9-0' }))).toMatchObject({ id: '5-0', anchor: '5-0' });
    expect(placeAfter(null, PLACE, stateOf({ last: '4-0' }))).toMatchObject({ id: '5-0', anchor: '4-0' });
  });

  test('has none in an empty stream, but what was ever added', () => {
    const empty = placeAfter(null, PLACE, stateOf({ last: null }));
    expect(empty).toMatchObject({ anchor: null, digest: null, added: 7 });
    // An entry that comes between the read and the look changes nothing of that.
    expect(placeAfter(null, empty, stateOf({ last: '9-0', added: 8 }))).toEqual(empty);
  });
});

describe('deleted entries', () => {
  test.each<[string, Partial<StreamPlace>, { last: string } | null, Partial<StreamState>, string | null]>([
    ['none', {}, { last: '8-0' }, {}, null],
    ['one that was read', {}, { last: '8-0' }, { maxDeleted: '5-0' }, null],
    ['one within the page', {}, { last: '8-0' }, { maxDeleted: '7-0' }, '7-0'],
    ['one it was told of', { deletedTo: '7-0' }, { last: '8-0' }, { maxDeleted: '7-0' }, null],
    ['one after all that is there', {}, null, { maxDeleted: '9-0' }, '9-0'],
    ['one beyond entries still to be read', {}, { last: '8-0' }, { maxDeleted: '11-0', last: '12-0' }, null],
    ['one before Redis 7.0', {}, { last: '8-0' }, { maxDeleted: null }, null],
  ])('%s', (_what, place, page, state, expected) => {
    const read = page === null ? null : { first: '6-0', ...page };
    expect(deletedAfter({ ...PLACE, ...place }, read, stateOf(state))).toBe(expected);
  });
});
