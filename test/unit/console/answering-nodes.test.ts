import { beforeEach, describe, expect, it } from '@jest/globals';
import { AnsweringNodes } from '../../../src/console/answering-nodes.js';
import { Fields } from '../../../src/console/fields.js';

let now: number;
let answering: AnsweringNodes;

/** An answer each second, each of a node that is so old, `known` being those there are; which of them are shown. */
function hear(answers: string, known = 'ab', uptimeSeconds = 900): boolean[] {
  return answers.split('').map((here) => {
    now += 1000;
    const nodes = known.split('').map((id) => ({ id, uptimeSeconds, thisNode: id === here }));
    return answering.take(new Fields({ cluster: { nodes } }));
  });
}

const shown = (): unknown[] => [answering.own, answering.areSeveral];

beforeEach(() => {
  now = 5000;
  answering = new AnsweringNodes(() => now);
});

describe('the node that a page shows', () => {
  it('is the first that answered, in whichever order they do', () => {
    expect(hear('abab')).toEqual([true, false, true, false]);
    expect(shown()).toEqual(['a', true]);
    expect(hear('bbbaab')).toEqual([false, false, false, true, true, false]);
    expect(shown()).toEqual(['a', true]);
  });

  it('is the only one that answers, however many there are', () => {
    expect(hear('aaaa', 'abc')).toEqual([true, true, true, true]);
    expect(shown()).toEqual(['a', false]);
  });

  it('is one without a cluster', () => {
    const alone = new Fields({ cluster: null });
    expect([answering.take(alone), answering.take(alone)]).toEqual([true, true]);
    expect(shown()).toEqual([undefined, false]);
  });

  it('is another when it is gone', () => {
    hear('aba');
    expect(hear('bb', 'b')).toEqual([true, true]);
    expect(shown()).toEqual(['b', false]);
    hear('b', 'bc');
    expect(hear('cb', 'bc')).toEqual([false, true]);
    expect(shown()).toEqual(['b', true]);
  });

  it('is the one that was started in the place of one that was killed, while that is known yet', () => {
    hear('a', 'a');
    now += 2000;
    expect(hear('b', 'ab', 1)).toEqual([true]);
    expect(hear('b', 'ab', 2)).toEqual([true]);
    expect(shown()).toEqual(['b', false]);
  });
});
