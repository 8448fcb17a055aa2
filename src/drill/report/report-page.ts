import { factList, failuresCard, htmlPage, reportHead } from '../../report/html-page.js';
import { escapeText } from '../../report/markup.js';
import type { DrillResult, DrillTarget, KindResult, StepResult } from '../drill-result.js';
import { DRILL_STYLE } from './drill-style.js';
import { FAULTS, FIGURES, figuresOf, milliseconds } from './step-figures.js';
import { lagLines, publishedLine, refusalLines } from './step-table.js';
import { timelineSvg } from './timeline-svg.js';

/** The report of a drill: one page of HTML that needs nothing beside it. */
export function reportPage(result: DrillResult): string {
  const { passed, startedAt, failures, seconds } = result;
  return htmlPage({
    title: `flipgate drill: ${passed ? 'passed' : 'failed'}`,
    style: DRILL_STYLE,
    main: `${reportHead('flipgate drill', passed, startedAt, seconds)}
${failuresCard(failures)}
<section class="tiles">${tilesOf(result)}</section>
<section class="card">
<h2>Over time</h2>
<p class="legend"><span style="--of: var(--sse)">SDK over SSE</span><span style="--of: var(--websocket)">SDK over Socket.IO</span><span style="--of: var(--legacy)">stock Socket.IO clients</span><span class="round" style="--of: var(--ink)">interruption of an SDK client</span><span class="round" style="--of: var(--legacy)">of a stock client</span></p>
<div class="scroll">${timelineSvg(result)}</div>
</section>
<section class="card"><h2>Step by step</h2><div class="scroll">${tableOf(result)}</div>${reasonsOf(result)}</section>
<div class="two">
<section class="card"><h2>Targets</h2><ul class="targets">${result.targets.map(targetOf).join('')}</ul></section>
<section class="card"><h2>Where and how</h2>${surroundingsOf(result)}</section>
</div>`,
  });
}

function tilesOf({ steps, timeline, options }: DrillResult): string {
  const kinds = steps.flatMap(({ sdk, legacy }) => [sdk, legacy]);
  const sum = (value: (kind: KindResult) => number): number =>
    kinds.reduce((total, one) => total + value(one), 0);
  const delivered = timeline.points.reduce((total, one) => total + (one.sdkRate + one.legacyRate) / 4, 0);
  const flips = steps.filter(({ kind }) => kind === 'flip').flatMap(({ sdk }) => sdk.interruptions.p95 ?? []);
  const worst = flips.length === 0 ? null : Math.max(...flips);
  const faults: [string, number][] = [
    ['lost', sum(({ lost }) => lost)],
    ['doubled', sum(({ doubled }) => doubled)],
    ['out of order', sum(({ outOfOrder }) => outOfOrder)],
    ['gaps', sum(({ gaps }) => gaps)],
  ];
  return [
    ...faults.map(([what, count]) => tile(String(count), what, count === 0 ? 'pass' : 'fail')),
    tile(
      milliseconds(worst),
      'p95 interruption at a flip',
      (worst ?? 0) <= options.maxInterruptionMs ? 'pass' : 'fail',
    ),
    tile(compact(delivered), 'events delivered', ''),
    tile(String(sum(({ interruptions }) => interruptions.count)), 'connections moved', ''),
  ].join('');
}

function tile(value: string, what: string, kind: string): string {
  return `<div class="card tile"><b class="${kind}">${value}</b><span class="muted">${what}</span></div>`;
}

function tableOf({ steps }: DrillResult): string {
  const heads = ['step', 'clients', ...FIGURES, 'done in', 'all back in'];
  const rows = steps.flatMap((step) => [rowOf(step, 'SDK'), rowOf(step, 'legacy')]);
  return `<table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function reasonsOf({ steps }: DrillResult): string {
  const lines = [publishedLine(steps), ...refusalLines(steps), ...lagLines(steps)].map(
    (line) => `<p class="muted">${escapeText(line)}</p>`,
  );
  return `<div class="reasons">${lines.join('')}</div>`;
}

function rowOf(step: StepResult, who: 'SDK' | 'legacy'): string {
  const isSdk = who === 'SDK';
  const figures = figuresOf(step, who);
  const cells = [
    `<td class="step">${isSdk ? escapeText(step.name) : ''}</td>`,
    `<td>${who}${isSdk || step.servesLegacy ? '' : ' <span class="note">not served</span>'}</td>`,
    ...figures.slice(0, FAULTS).map(faultCell),
    ...figures.slice(FAULTS).map(plainCell),
    plainCell(isSdk ? `${step.actedIn.toFixed(1)} s` : ''),
    plainCell(isSdk ? `${step.backIn.toFixed(1)} s` : ''),
  ];
  return `<tr${isSdk ? ' class="first"' : ''}>${cells.join('')}</tr>`;
}

function faultCell(count: string): string {
  return `<td class="${count === '0' ? 'zero' : 'bad'}">${count}</td>`;
}

function plainCell(text: string): string {
  return `<td${text === '0' || text === '–' ? ' class="zero"' : ''}>${text}</td>`;
}

function targetOf({ what, value, limit, unit, passed }: DrillTarget): string {
  const shown = value === null ? 'none' : String(value);
  return `<li><b class="${passed ? 'pass' : 'fail'}">${passed ? 'PASS' : 'FAIL'}</b>${escapeText(what)}: ${shown} <span class="muted">(at most ${String(limit)} ${unit})</span></li>`;
}

function surroundingsOf({ options, surroundings, steps }: DrillResult): string {
  const { clients, legacy, rate, drainMs, processes, nginx } = options;
  const cores = averageCores(steps);
  const lag = Math.max(0, ...steps.map(({ loadLagMs }) => loadLagMs));
  const facts: [string, string][] = [
    ['flipgate', surroundings.flipgate],
    ['Node.js', surroundings.node],
    ['Redis', surroundings.redis],
    ['machine', `${String(surroundings.cores)} cores, ${surroundings.cpu}; ${surroundings.system}`],
    ['gateways', `2${nginx === undefined ? '' : ', behind nginx'}, DRAIN_MS ${String(drainMs)}`],
    [
      'clients',
      `${String(clients)} of the SDK, ${String(legacy)} stock Socket.IO, in ${String(processes)} processes`,
    ],
    ['append events a second', String(rate)],
    [
      'cores in use',
      Object.entries(cores)
        .map(([group, used]) => `${group} ${used.toFixed(2)}`)
        .join(', ') || 'not told',
    ],
    ['longest wait in a client process', milliseconds(lag)],
  ];
  return factList(facts);
}

/** Cores in use over the whole drill, by group of processes. */
function averageCores(steps: readonly StepResult[]): Record<string, number> {
  const whole = steps.reduce((sum, { from, to }) => sum + to - from, 0);
  const averages: Record<string, number> = {};
  for (const { cores, from, to } of steps) {
    for (const [group, used] of Object.entries(cores)) {
      averages[group] = (averages[group] ?? 0) + (used * (to - from)) / Math.max(0.001, whole);
    }
  }
  return averages;
}

function compact(count: number): string {
  if (count < 1000) return String(Math.round(count));
  return count < 1e6 ? `${(count / 1000).toFixed(0)}k` : `${(count / 1e6).toFixed(2)}M`;
}
