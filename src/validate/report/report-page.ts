import { factList, failuresCard, htmlPage, reportHead } from '../../report/html-page.js';
import { escapeText } from '../../report/markup.js';
import { figureText, targetText } from '../levels.js';
import type { Level, ProfileResult, ValidationResult } from '../validation-result.js';
import { busyLines, crowdLine, refusalLines } from './level-table.js';
import { cpuPlot, lagPlot, latencyPlot, spreadPlot } from './plots.js';
import { VALIDATE_STYLE } from './validate-style.js';

/** The report of a validation: one page of HTML that needs nothing beside it. */
export function reportPage(result: ValidationResult): string {
  const { passed, failures, startedAt, seconds, profiles, method } = result;
  return htmlPage({
    title: `flipgate validate: ${passed ? 'passed' : 'failed'}`,
    style: VALIDATE_STYLE,
    main: `${reportHead('flipgate validate', passed, startedAt, seconds)}
${failuresCard(failures)}
<section class="tiles">${tilesOf(profiles)}</section>
<section class="card"><h2>Service levels</h2><div class="scroll">${tableOf(profiles)}</div>${notesOf(result)}</section>
${profiles.map((profile) => profileCard(profile, result)).join('\n')}
<div class="two">
<section class="card"><h2>How it was measured</h2><ul class="method">${method.map((one) => `<li>${escapeText(one)}</li>`).join('')}</ul></section>
<section class="card"><h2>Where and how</h2>${surroundingsOf(result)}</section>
</div>`,
  });
}

/** The levels that matter most, each by its worst figure. */
function tilesOf(profiles: readonly ProfileResult[]): string {
  const levels = profiles.flatMap((one) => one.levels);
  const tile = (name: string, begins: string): string => {
    const known = levels.filter(({ what, figure }) => what.startsWith(begins) && figure !== null);
    const worst = known.reduce<Level | undefined>((found, one) => {
      const isWorse = (one.figure ?? 0) > (found?.figure ?? -Infinity) === (one.must !== 'at least');
      return found === undefined || isWorse ? one : found;
    }, undefined);
    if (worst === undefined) return `<div class="card tile"><b>–</b><span class="muted">${name}</span></div>`;
    const kind = known.some(({ status }) => status === 'FAIL') ? 'fail' : 'pass';
    return (
      `<div class="card tile"><b class="${kind}">${escapeText(figureText(worst))}</b>` +
      `<span class="muted">${name}<span class="target">demanded: ${escapeText(targetText(worst))}</span></span></div>`
    );
  };
  return [
    tile('p95 from ingest to client, worst', 'p95 latency'),
    tile('event-loop lag p99, worst', 'event-loop lag'),
    tile('CPU below one emit per event, least', 'CPU below'),
    tile('oldest event awaited', 'backlog'),
    tile('clients that lack something, most', 'clients that lack'),
  ].join('');
}

/** A row for each level, a column for each profile. */
function tableOf(profiles: readonly ProfileResult[]): string {
  const levels = profiles.flatMap((one) => one.levels);
  const names = [...new Set(levels.map(({ what }) => what))].sort(
    (one, other) => rankOf(one) - rankOf(other),
  );
  const rows = names.map((name) => {
    const cells = profiles.map((profile) => cellOf(profile.levels.find(({ what }) => what === name)));
    const target = levels.find(({ what }) => what === name);
    return `<tr><td>${escapeText(name)}</td>${cells.join('')}<td class="zero">${target === undefined ? '' : escapeText(targetText(target))}</td></tr>`;
  });
  const heads = profiles.map(({ profile }) => `<th>${profile}</th>`).join('');
  return `<table class="levels"><thead><tr><th>level</th>${heads}<th>target</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** Latencies first, of whichever clients; what else there is, as every profile tells it. */
function rankOf(name: string): number {
  return name.startsWith('p95 latency') ? 0 : 1;
}

function cellOf(level: Level | undefined): string {
  if (level === undefined) return '<td class="zero">–</td>';
  const kind = { PASS: 'pass', FAIL: 'fail', 'NOT MEASURED': 'open' }[level.status];
  return `<td title="${escapeText(level.note)}"><b>${escapeText(figureText(level))}</b><span class="badge ${kind}">${level.status}</span></td>`;
}

function notesOf({ profiles }: ValidationResult): string {
  const told = profiles.flatMap(({ levels, trouble }) =>
    levels
      .filter(({ status, note }) => status === 'NOT MEASURED' && note !== '' && trouble === null)
      .map(({ profile, what, note }) => `${profile}: ${what} was not measured: ${note}`),
  );
  const lines = [...told, ...refusalLines(profiles), ...busyLines(profiles)];
  if (lines.length === 0) return '';
  return `<div class="notes">${lines.map((line) => `<p class="muted">${escapeText(line)}</p>`).join('')}</div>`;
}

function profileCard(profile: ProfileResult, { options }: ValidationResult): string {
  const { gateway, baseline, trouble } = profile;
  const head = `<h2>${profile.profile}</h2><p class="muted">${escapeText(trouble ?? crowdLine(profile))}</p>`;
  if (gateway === null) return `<section class="card">${head}</section>`;
  const { targets } = options;
  const plots = [
    latencyPlot(gateway, targets),
    spreadPlot(gateway, targets),
    cpuPlot(gateway, baseline, targets),
    lagPlot(gateway, targets),
  ];
  return `<section class="card">${head}
<p class="legend">${gateway.kinds.map(({ kind }) => LEGEND[kind]).join('')}<span style="--of: var(--bad)">what is demanded</span></p>
<div class="plots">${plots.join('\n')}</div></section>`;
}

const LEGEND = {
  legacy: '<span style="--of: var(--legacy)">legacy clients</span>',
  bundle: '<span style="--of: var(--websocket)">bundle clients</span>',
  sse: '<span style="--of: var(--sse)">SSE clients</span>',
};

function surroundingsOf({ options, machine, subject, profiles }: ValidationResult): string {
  const { clients, shape, seconds, warmUp, processes } = options;
  const lag = Math.max(0, ...profiles.map(({ gateway }) => gateway?.loadLagMs ?? 0));
  return factList([
    ['validated', subject],
    ['flipgate', machine.flipgate],
    ['Node.js', machine.node],
    ['machine', `${String(machine.cores)} cores, ${machine.cpu}; ${machine.system}`],
    ['clients', `${String(clients)} under each profile, in ${String(processes)} processes`],
    [
      'events a second',
      `${String(shape.rate)} over ${String(shape.keys)} keys, ${String(shape.append)} without a key`,
    ],
    ['payload', `${String(shape.bytes)} characters`],
    ['rooms', String(shape.rooms)],
    ['time', `${String(seconds)} s each, after ${String(warmUp)} s to warm up`],
    ['longest wait in a client process', `${lag.toFixed(0)} ms`],
  ]);
}
