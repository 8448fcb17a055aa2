import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { WholeSpans } from '../../../../src/core/log/whole-spans.js';

/** A node that hears messages 1, 2, 3, … of which some are marks, and whose subscription breaks now and then. */
const heard = fc.array(fc.record({ isMark: fc.boolean(), isHeard: fc.boolean() }), { maxLength: 60 });

test('what it says to be whole was heard, every message of it', () => {
  fc.assert(
    fc.property(heard, fc.nat(70), (messages, copied) => {
      const spans = new WholeSpans();
      const places: { readonly mark: number; readonly count: number; readonly isHeard: boolean }[] = [];
      let mark = 0;
      let count = 0;
      let listens = false;
      for (const { isMark, isHeard } of messages) {
        const before = { mark, count };
        if (isMark) mark += 1;
        count = isMark ? 0 : count + 1;
        if (!isHeard && listens) spans.end(before);
        if (!isHeard) listens = false;
        // From a mark on it listens again; what it hears before one has no place.
        if (isHeard && isMark && !listens) {
          spans.begin(mark);
          listens = true;
        }
        places.push({ mark, count, isHeard: listens });
      }
      const copiedTo = places[copied];
      if (copiedTo === undefined || copiedTo.mark === 0) return;
      spans.forget(copiedTo);
      const span = spans.at(copiedTo);
      if (span === undefined) return;
      const isIn = (place: { mark: number; count: number }): boolean =>
        span.to === null ||
        place.mark < span.to.mark ||
        (place.mark === span.to.mark && place.count <= span.to.count);
      for (const place of places.slice(copied + 1)) {
        if (!isIn(place)) break;
        expect(place.isHeard).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
