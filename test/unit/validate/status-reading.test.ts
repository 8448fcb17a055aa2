import { describe, expect, test } from '@jest/globals';
import { cpuFigures, nodesNote } from '../../../src/validate/load-figures.js';
import { readingOf, type StatusReading } from '../../../src/validate/subject/status-reading.js';

const STATUS = {
  figures: { recent: { loopLagMs: { p50: 1, p99: 7.5, max: 9 } }, total: { cpuSeconds: 12.25 } },
  backlog: { oldestSeconds: 0.4, sessionsBehind: 1 },
  cluster: null,
};

/** A reading as `node` gives it, one of so many. */
function readingFrom(node: string, nodes: number): StatusReading {
  return { ...readingOf(STATUS), node, nodes };
}

describe('the status of a gateway', () => {
  test('says lag, backlog and CPU', () => {
    expect(readingOf(STATUS)).toMatchObject({
      node: '',
      nodes: 1,
      lagMs: 7.5,
      backlogSeconds: 0.4,
      cpuSeconds: 12.25,
    });
  });

  test('says which of several nodes it is of', () => {
    const cluster = { nodes: [{ id: 'b' }, { id: 'a', thisNode: true }] };
    expect(readingOf({ ...STATUS, cluster })).toMatchObject({ node: 'a', nodes: 2 });
  });

  test.each([[null], ['text'], [[]], [{}], [{ figures: 7, backlog: [], cluster: { nodes: 'x' } }]])(
    'says nothing where it is %p',
    (body) => {
      expect(readingOf(body)).toMatchObject({
        node: '',
        nodes: 1,
        lagMs: null,
        backlogSeconds: null,
        cpuSeconds: null,
      });
    },
  );
});

describe('figures', () => {
  test('of CPU are for a second of load, or say why there are none', () => {
    expect(cpuFigures(10, 13, 6)).toEqual({ cpuSeconds: 3, cpuNote: '', cpuPerSecond: 0.5 });
    expect(cpuFigures(10, { why: 'forbidden' }, 6)).toEqual({
      cpuSeconds: null,
      cpuNote: 'forbidden',
      cpuPerSecond: null,
    });
  });

  test('of one node of several say so', () => {
    expect(nodesNote([readingFrom('', 1), readingFrom('', 1)])).toBe('');
    expect(nodesNote([readingFrom('a', 2)])).toBe('of the node that answered, one of 2');
    expect(nodesNote([readingFrom('a', 2), readingFrom('b', 2)])).toContain('2 nodes that answered in turn');
  });
});
