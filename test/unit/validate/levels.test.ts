import { describe, expect, test } from '@jest/globals';
import { failedLevels, levelsOf, type Measured } from '../../../src/validate/levels.js';
import type { Level } from '../../../src/validate/validation-result.js';
import { kindFigures, loadFigures, TARGETS } from '../../support/validation-result.js';

const BASELINE = loadFigures({ cpuPerSecond: 1, points: [] });

function levels(changes: Partial<Measured> = {}, targets = {}): Level[] {
  const measured = {
    profile: 'SSE' as const,
    gateway: loadFigures(),
    baseline: BASELINE,
    why: '',
    rate: 105,
  };
  return levelsOf({ ...measured, ...changes }, { ...TARGETS, ...targets });
}

/** What the level says of the loop's lag where the status said these. */
function lagOf(points: readonly (readonly [at: number, lagMs: number | null])[]): number | null | undefined {
  const told = points.map(([at, lagMs]) => ({ at, lagMs, backlogSeconds: 0 }));
  return levels({ gateway: loadFigures({ points: told }) }).find(({ what }) =>
    what.startsWith('event-loop lag'),
  )?.figure;
}

function statusOf(of: readonly Level[], what: string): string | undefined {
  return of.find((level) => level.what.startsWith(what))?.status;
}

describe('the levels', () => {
  test('hold where every figure is as demanded', () => {
    expect(levels().map(({ what, figure, status }) => [what, figure, status])).toEqual([
      ['p95 latency, SSE clients', 80, 'PASS'],
      ['event-loop lag, p99', 6, 'PASS'],
      ['CPU below one emit per event', 90, 'PASS'],
      ['backlog, oldest event awaited', 0.2, 'PASS'],
      ['clients that lack something', 0, 'PASS'],
      ['load that was taken', 100, 'PASS'],
    ]);
    expect(failedLevels(levels(), false)).toEqual([]);
  });

  test.each([
    ['p95 latency', {}, { p95Ms: 80 }],
    ['p95 latency', { gateway: loadFigures({ kinds: [kindFigures({ p95: 0 })] }) }, { p95Ms: 0 }],
    ['event-loop lag', {}, { lagMs: 6 }],
    ['CPU', {}, { cpuSavingPercent: 90.1 }],
    ['CPU', { gateway: loadFigures({ cpuPerSecond: 1.2 }) }, { cpuSavingPercent: 0 }],
    ['backlog', {}, { backlogSeconds: 0.2 }],
    ['clients that lack', { gateway: loadFigures({ kinds: [kindFigures({ lacking: 1, missing: 3 })] }) }, {}],
    ['load', { gateway: loadFigures({ taken: 99 }) }, {}],
  ])('of %s fail where the figure is not below, or not above what is demanded', (what, changes, targets) => {
    const all = levels(changes, targets);
    expect(statusOf(all, what)).toBe('FAIL');
    expect(all.filter(({ status }) => status === 'FAIL')).toHaveLength(1);
    expect(failedLevels(all, true)).toHaveLength(1);
  });

  test('are told with figure, target and what stands behind them', () => {
    const gateway = loadFigures({ cpuPerSecond: 0.9, kinds: [kindFigures({ kind: 'legacy', p95: 151 })] });
    expect(failedLevels(levels({ gateway }), false)).toEqual([
      'SSE: p95 latency, legacy clients: 151 ms, must be < 150 ms',
      'SSE: CPU below one emit per event: 10 %, must be ≥ 30 % (0.900 against 1.000 CPU s per s of load)',
    ]);
  });

  test('of latency are one for each kind of client', () => {
    const kinds = [kindFigures({ kind: 'legacy' }), kindFigures({ kind: 'bundle', p95: 999 })];
    const all = levels({ gateway: loadFigures({ kinds }) });
    expect(all.slice(0, 2).map(({ what, status }) => [what, status])).toEqual([
      ['p95 latency, legacy clients', 'PASS'],
      ['p95 latency, bundle clients', 'FAIL'],
    ]);
  });

  test('of lag look at readings that are of the load: from 5 s on, or the last of a shorter one', () => {
    expect(lagOf([[0, null]])).toBeNull();
  });

  test('that can not be measured say why, and fail unless that is allowed', () => {
    const forbidden = 'GET /api/admin/status: forbidden';
    const gateway = loadFigures({
      points: [],
      statusNote: forbidden,
      cpuSeconds: null,
      cpuPerSecond: null,
      cpuNote: forbidden,
    });
    const all = levels({ gateway });
    const open = all.filter(({ status }) => status === 'NOT MEASURED');
    expect(open.map(({ what, note }) => [what, note])).toEqual([
      ['event-loop lag, p99', forbidden],
      ['CPU below one emit per event', forbidden],
      ['backlog, oldest event awaited', forbidden],
    ]);
    expect(failedLevels(all, false)).toContain(`SSE: event-loop lag, p99: not measured (${forbidden})`);
    expect(failedLevels(all, false)).toHaveLength(3);
    expect(failedLevels(all, true)).toEqual([]);
  });

  test('are not measured where nothing arrived, or the load was never put on', () => {
    const silent = loadFigures({ kinds: [kindFigures({ p95: null, arrivals: 0 })] });
    expect(statusOf(levels({ gateway: silent }), 'p95 latency')).toBe('NOT MEASURED');
    const none = levels({ gateway: null, baseline: null, why: 'it ended' });
    expect(none.map(({ status, note }) => [status, note])).toEqual(
      none.map(() => ['NOT MEASURED', 'it ended']),
    );
    expect(statusOf(levels({ baseline: null, why: 'it ended' }), 'CPU')).toBe('NOT MEASURED');
    expect(statusOf(levels({ baseline: loadFigures({ cpuPerSecond: 0 }) }), 'CPU')).toBe('NOT MEASURED');
  });
});
