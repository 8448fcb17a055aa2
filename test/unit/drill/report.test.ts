import { describe, expect, test } from '@jest/globals';
import { reportPage } from '../../../src/drill/report/report-page.js';
import { milliseconds } from '../../../src/drill/report/step-figures.js';
import { stepTable } from '../../../src/drill/report/step-table.js';
import { verdictOf } from '../../../src/drill/verdict.js';
import { niceScale } from '../../../src/report/nice-scale.js';
import { drillOptions, drillResult, kindResult, stepResult } from '../../support/drill-result.js';

const STEPS = [
  stepResult({ name: 'WEBSOCKET → HYBRID', to: 8 }),
  stepResult({
    from: 8,
    to: 20,
    servesLegacy: false,
    sdk: kindResult({ lost: 31, clients: 2, examples: ['client 1: <b>'] }),
    legacy: kindResult({ missed: 77, refused: { ECONNREFUSED: 4, 'HTTP 503': 2 } }),
  }),
];
const RESULT = drillResult(STEPS, {
  ...verdictOf(STEPS, 2, drillOptions()),
  timeline: {
    points: [0, 5, 10, 15].map((at) => ({
      at,
      sse: at,
      websocket: 10,
      legacy: 5,
      sdkRate: 1000,
      legacyRate: 50,
    })),
    interruptions: [
      { at: 9, kind: 'sdk', ms: 90 },
      { at: 9, kind: 'legacy', ms: 4000 },
    ],
    marks: [
      { at: 8, label: 'node 1 → SSE' },
      { at: 19, label: 'node 2 SIGKILL' },
    ],
  },
});

describe('the table', () => {
  test('has a row for each kind of client, in columns, and says what failed', () => {
    const lines = stepTable(RESULT).split('\n');
    const rows = lines.slice(0, 5);
    expect(rows[3]).toMatch(/^HYBRID → SSE +SDK +31 +0 +0 +0 +0 +10 +40 ms +120 ms +1\.80 s +0 +0 +–$/);
    expect(rows[4]).toMatch(/^ +legacy \(not served\) +0 .* 6 +0 +77$/);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    expect(lines[5]).toBe('2000 append events published, all acknowledged');
    expect(lines).toContain('HYBRID → SSE, refused to legacy clients: 4 ECONNREFUSED, 2 HTTP 503');
    expect(lines).toContain('FAIL  HYBRID → SSE: refused connections: 6 (at most 0 attempts)');
    expect(lines).toContain('FAILED');
    expect(lines.at(-2)).toContain('31 lost at 2 SDK clients');
  });

  test('says that it passed', () => {
    expect(
      stepTable(drillResult([stepResult()]))
        .split('\n')
        .at(-1),
    ).toBe('PASSED');
  });

  test.each([
    [null, '–'],
    [0.4, '0 ms'],
    [999.4, '999 ms'],
    [1234, '1.23 s'],
  ])('writes %p ms as %s', (ms, text) => {
    expect(milliseconds(ms)).toBe(text);
  });
});

describe('the report', () => {
  const page = reportPage(RESULT);

  test('is one page that needs nothing beside it, and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|\ssrc=|@import|url\(/);
    expect(page.match(/https?:\/\//g)).toBeNull();
  });

  test('escapes what it is told', () => {
    expect(page).toContain('client 1: &#60;b&#62;');
    expect(page).not.toContain('<b>');
  });

  test('draws the steps, what was done, who was connected, and each interruption', () => {
    expect(page.match(/class="band /g)).toHaveLength(2);
    expect(page.match(/class="mark do"/g)).toHaveLength(1);
    expect(page.match(/class="mark kill"/g)).toHaveLength(1);
    expect(page.match(/class="area /g)).toHaveLength(3);
    expect(page.match(/class="dot sdk"/g)).toHaveLength(1);
    expect(page.match(/class="dot legacy"/g)).toHaveLength(1);
    expect(page).toContain('class="limit"');
    expect(page).not.toContain('NaN');
  });

  test('shows what failed', () => {
    expect(page).toContain('<span class="verdict fail">FAILED</span>');
    expect(page).toContain('<td class="bad">31</td>');
    expect(page).toContain('refused to legacy clients: 4 ECONNREFUSED, 2 HTTP 503');
  });

  test('is drawn of a drill that ended before it began, too', () => {
    const empty = reportPage(drillResult([], { passed: false, failures: ['6 steps were not reached'] }));
    expect(empty).toContain('6 steps were not reached');
    expect(empty).not.toContain('NaN');
  });
});

test('an axis has round values up to beyond the largest', () => {
  expect(niceScale(54, 10)).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(niceScale(500, 4)).toEqual([0, 200, 400, 600]);
  expect(niceScale(0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(niceScale(0, 4)).toEqual([0, 1]);
});
