import { describe, expect, test } from '@jest/globals';
import { verdictOf } from '../../../src/drill/verdict.js';
import { drillOptions, kindResult, stepResult } from '../../support/drill-result.js';

const OPTIONS = drillOptions();

describe('the verdict on a drill', () => {
  test('is passed where nothing went wrong, and says what was demanded', () => {
    const verdict = verdictOf([stepResult()], 1, OPTIONS);
    expect([verdict.passed, verdict.failures]).toEqual([true, []]);
    expect(verdict.targets).toEqual([
      {
        what: 'HYBRID → SSE: p95 interruption of SDK clients',
        value: 120,
        limit: 1500,
        unit: 'ms',
        passed: true,
      },
      { what: 'HYBRID → SSE: refused connections', value: 0, limit: 0, unit: 'attempts', passed: true },
    ]);
  });

  test.each([
    ['lost', { lost: 1, clients: 1 }],
    ['doubled', { doubled: 2, clients: 1 }],
    ['out of order', { outOfOrder: 1, clients: 1 }],
    ['gaps', { gaps: 1 }],
    ['not back', { overdue: 1 }],
  ])('is failed by one client with something %s, of whichever kind', (what, fault) => {
    for (const step of [
      stepResult({ kind: 'kill', sdk: kindResult(fault) }),
      stepResult({ kind: 'kill', legacy: kindResult(fault) }),
    ]) {
      const { passed, failures } = verdictOf([step], 1, OPTIONS);
      expect(passed).toBe(false);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toContain(what);
    }
  });

  test('names examples', () => {
    const sdk = kindResult({ lost: 3, clients: 1, examples: ['client 4, http: lost 7, 8, 9'] });
    expect(verdictOf([stepResult({ sdk })], 1, OPTIONS).failures).toEqual([
      'HYBRID → SSE: 3 lost at 1 SDK clients (client 4, http: lost 7, 8, 9)',
    ]);
  });

  test('is failed by a step that could not be done, by one that was not reached, and where nothing flowed', () => {
    const steps = [stepResult({ trouble: 'the flip failed', published: 0 })];
    expect(verdictOf(steps, 3, OPTIONS).failures).toEqual([
      'HYBRID → SSE: the flip failed',
      'HYBRID → SSE: nothing was published',
      '2 steps were not reached',
    ]);
  });

  test('is failed by targets that are missed at a flip, and at no other step', () => {
    const slow = kindResult({
      interruptions: { count: 1, p50: 1600, p95: 1600, max: 1600 },
      refused: { ECONNREFUSED: 2 },
    });
    const flip = verdictOf(
      [stepResult({ sdk: slow, legacy: kindResult({ refused: { X: 1 } }) })],
      1,
      OPTIONS,
    );
    expect(flip.failures).toEqual([
      'HYBRID → SSE: p95 interruption of SDK clients: 1600 ms, more than 1500',
      'HYBRID → SSE: refused connections: 3 attempts, more than 0',
    ]);
    expect(verdictOf([stepResult({ kind: 'restart', sdk: slow })], 1, OPTIONS).passed).toBe(true);
    const lenient = drillOptions({ maxInterruptionMs: 1600, maxRefused: 2 });
    expect(verdictOf([stepResult({ sdk: slow })], 1, lenient).passed).toBe(true);
  });

  test('does not ask legacy clients back while nothing serves them', () => {
    const step = stepResult({ servesLegacy: false, legacy: kindResult({ overdue: 5, missed: 100, off: 9 }) });
    expect(verdictOf([step], 1, OPTIONS).passed).toBe(true);
  });
});
