import { describe, expect, test } from '@jest/globals';
import { failedLevels, levelsOf } from '../../../src/validate/levels.js';
import { levelTable } from '../../../src/validate/report/level-table.js';
import { reportPage } from '../../../src/validate/report/report-page.js';
import type { LoadFigures, ProfileResult } from '../../../src/validate/validation-result.js';
import { kindFigures, loadFigures, TARGETS, validationResult } from '../../support/validation-result.js';

function profileResult(
  profile: ProfileResult['profile'],
  gateway: LoadFigures | null,
  trouble: string | null = null,
): ProfileResult {
  const baseline = gateway === null ? null : loadFigures({ cpuPerSecond: 1, points: [] });
  const measured = { profile, gateway, baseline, why: trouble ?? '', rate: 105 };
  return { profile, trouble, gateway, baseline, levels: levelsOf(measured, TARGETS) };
}

const PROFILES = [
  profileResult(
    'WEBSOCKET',
    loadFigures({ kinds: [kindFigures({ kind: 'legacy', p95: 3000 }), kindFigures({ kind: 'bundle' })] }),
  ),
  profileResult('SSE', loadFigures({ refused: { 'too_many <b>': 2 }, loadLagMs: 400 })),
  profileResult('HYBRID', null, 'the gateway under HYBRID ended by itself: <b>'),
];
const FAILURES = [
  'HYBRID: the gateway under HYBRID ended by itself: <b>',
  ...failedLevels(
    PROFILES.slice(0, 2).flatMap(({ levels }) => levels),
    false,
  ),
];
const RESULT = validationResult(PROFILES, { passed: false, failures: FAILURES });

describe('the table', () => {
  const lines = levelTable(RESULT).split('\n');

  test('has figure and target of each level, in columns', () => {
    expect(lines[1]).toMatch(/^WEBSOCKET {2}p95 latency, legacy clients +FAIL +3000 ms +< 150 ms$/);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^SSE +CPU below one emit per event +PASS +90 % +≥ 30 % 0\.100 against 1\.000 CPU s per s of load$/,
      ),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^HYBRID +event-loop lag, p99 +NOT MEASURED +– +< 30 ms$/),
    );
  });

  test('says what failed, where the machine was too busy, and that it passed', () => {
    expect(lines.slice(lines.indexOf('FAILED'))).toEqual([
      'FAILED',
      '  HYBRID: the gateway under HYBRID ended by itself: <b>',
      '  WEBSOCKET: p95 latency, legacy clients: 3000 ms, must be < 150 ms',
    ]);
    expect(lines).toContainEqual(expect.stringMatching(/^SSE: the processes of the clients .* up to 400 ms/));
    expect(
      levelTable(validationResult([profileResult('SSE', loadFigures())]))
        .split('\n')
        .at(-1),
    ).toBe('PASSED');
  });
});

describe('the report', () => {
  const page = reportPage(RESULT);

  test('is one page that needs nothing beside it, and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|\ssrc=|@import|url\(/);
    expect(page.match(/https?:\/\//g)).toBeNull();
  });

  test('escapes what it is told', () => {
    expect(page).toContain('ended by itself: &#60;b&#62;');
    expect(page).toContain('2 too_many &#60;b&#62;');
    expect(page).not.toContain(' <b>');
  });

  test('has every level once, figures beside targets', () => {
    expect(page.match(/<span class="badge /g)).toHaveLength(7 + 6 + 6);
    expect(page).toContain('<b>3000 ms</b><span class="badge fail">FAIL</span>');
    expect(page).toContain('<b>–</b><span class="badge open">NOT MEASURED</span>');
  });

  test('draws latencies, their spread, CPU and lag of each profile that was measured', () => {
    expect(page.match(/<svg class="plot"/g)).toHaveLength(8);
    expect(page.match(/<polyline class="line legacy"/g)).toHaveLength(2);
    expect(page.match(/<rect class="bar baseline"/g)).toHaveLength(2);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('is drawn of what was measured in part, or not at all, too', () => {
    const bare = loadFigures({
      kinds: [kindFigures({ p95: null, distribution: [], overTime: [] })],
      points: [],
      cpuPerSecond: null,
    });
    for (const profiles of [[], [profileResult('SSE', bare)], [profileResult('SSE', null, 'gone')]]) {
      expect(reportPage(validationResult(profiles))).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});
