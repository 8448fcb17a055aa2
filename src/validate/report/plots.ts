import { escapeText, px } from '../../report/markup.js';
import { niceScale } from '../../report/nice-scale.js';
import { bottomAxis, grid, limitLine, linear, type PlotArea, plotTitle } from '../../report/plot.js';
import type { Targets } from '../validate-options.js';
import type { KindFigures, LatencyPoint, LoadFigures } from '../validation-result.js';

const WIDTH = 580;
const HEIGHT = 230;
const AREA: PlotArea = { left: 52, right: WIDTH - 26, top: 34, height: 156 };
/** The longest latencies are few, and would leave no room to see the others: so many percent are drawn. */
const DRAWN_PERCENT = 99.5;

/** The p95 (and, thinner, the p50) of latencies while the load lasted, by kind of client. */
export function latencyPlot({ kinds, seconds }: LoadFigures, { p95Ms }: Targets): string {
  const highest = Math.max(
    p95Ms * 1.1,
    ...kinds.flatMap(({ overTime }) => overTime.map(({ p95 }) => p95 ?? 0)),
  );
  const { x, y, scale } = scales(seconds, highest);
  const lineOf = (points: readonly LatencyPoint[], value: (point: LatencyPoint) => number | null): string =>
    polyline(
      points.flatMap((point) => at(point.at, value(point))),
      x,
      y,
    );
  return plot('latency over time, p95 and p50, ms', [
    ...grid(AREA, scale, y),
    limitLine(AREA, y(p95Ms)),
    ...kinds.flatMap(({ kind, overTime }) => [
      `<polyline class="line thin ${kind}" points="${lineOf(overTime, ({ p50 }) => p50)}"/>`,
      `<polyline class="line ${kind}" points="${lineOf(overTime, ({ p95 }) => p95)}"/>`,
    ]),
    bottomAxis(AREA, seconds, x, { steps: 6, unit: 's' }),
  ]);
}

/** Which part of the events had arrived after how long, by kind of client. */
export function spreadPlot({ kinds }: LoadFigures, { p95Ms }: Targets): string {
  const longest = Math.max(p95Ms * 1.1, ...kinds.map((kind) => quantileOf(kind, DRAWN_PERCENT / 100)));
  const { x, y } = scales(longest, 100);
  const limit = px(x(p95Ms));
  return plot('how many had arrived after so many ms, %', [
    ...grid(AREA, [0, 25, 50, 75, 100], y),
    `<line class="grid strong" x1="${px(AREA.left)}" x2="${px(AREA.right)}" y1="${px(y(95))}" y2="${px(y(95))}"/>`,
    `<line class="limit" x1="${limit}" x2="${limit}" y1="${px(AREA.top)}" y2="${px(AREA.top + AREA.height)}"/>`,
    ...kinds.map((kind) => {
      const points = cumulative(kind).filter(([ms]) => ms <= longest);
      return `<polyline class="line ${kind.kind}" points="${polyline(points, x, y)}"/>`;
    }),
    bottomAxis(AREA, longest, x, { steps: 6, unit: 'ms' }),
  ]);
}

/** CPU seconds for a second of load: the gateway, the server with one emit per event, and what is demanded. */
export function cpuPlot(
  gateway: LoadFigures,
  baseline: LoadFigures | null,
  { cpuSavingPercent }: Targets,
): string {
  const used = gateway.cpuPerSecond;
  const others = baseline?.cpuPerSecond ?? null;
  const largest = niceScale(Math.max(used ?? 0, others ?? 0, 0.001), 4).at(-1) ?? 1;
  const x = (value: number): number => AREA.left + (value / largest) * (AREA.right - AREA.left);
  const bar = (value: number | null, name: string, row: number): string => {
    const top = AREA.top + 22 + row * 68;
    const text = value === null ? `${name}: not measured` : `${name}: ${value.toFixed(3)}`;
    return (
      `<text class="label" x="${px(AREA.left)}" y="${px(top - 7)}">${escapeText(text)}</text>` +
      `<rect class="bar ${row === 0 ? 'gateway' : 'baseline'}" x="${px(AREA.left)}" y="${px(top)}" rx="4" width="${px(Math.max(0, x(value ?? 0) - AREA.left))}" height="30"/>`
    );
  };
  const allowed = others === null ? undefined : px(x(Math.max(0, others * (1 - cpuSavingPercent / 100))));
  return plot('CPU seconds for a second of load', [
    bar(used, 'flipgate', 0),
    bar(others, 'one emit per event', 1),
    allowed === undefined
      ? ''
      : `<line class="limit" x1="${allowed}" x2="${allowed}" y1="${px(AREA.top)}" y2="${px(AREA.top + AREA.height)}"/>`,
    bottomAxis(AREA, largest, x, { steps: 4, unit: '' }),
  ]);
}

/** The event loop's lag while the load lasted. */
export function lagPlot({ points, seconds }: LoadFigures, { lagMs }: Targets): string {
  const highest = Math.max(lagMs * 1.1, ...points.map((point) => point.lagMs ?? 0));
  const { x, y, scale } = scales(seconds, highest);
  const line = polyline(
    points.flatMap((point) => at(Math.min(point.at, seconds), point.lagMs)),
    x,
    y,
  );
  return plot('event-loop lag, p99 of the 5 to 10 s before, ms', [
    ...grid(AREA, scale, y),
    limitLine(AREA, y(lagMs)),
    `<polyline class="line gateway" points="${line}"/>`,
    bottomAxis(AREA, seconds, x, { steps: 6, unit: 's' }),
  ]);
}

function plot(title: string, parts: readonly string[]): string {
  return [
    `<svg class="plot" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img" aria-label="${escapeText(title)}">`,
    plotTitle(title, AREA),
    ...parts,
    '</svg>',
  ].join('\n');
}

function scales(
  widest: number,
  highest: number,
): { x: (value: number) => number; y: (value: number) => number; scale: readonly number[] } {
  const scale = niceScale(highest, 4);
  return {
    x: (value) => AREA.left + (value / Math.max(widest, 0.001)) * (AREA.right - AREA.left),
    y: linear(AREA, scale.at(-1) ?? 1),
    scale,
  };
}

function at(x: number, y: number | null): (readonly [number, number])[] {
  return y === null ? [] : [[x, y]];
}

function polyline(
  points: readonly (readonly [number, number])[],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  return points.map(([along, up]) => `${px(x(along))},${px(y(up))}`).join(' ');
}

function cumulative({ distribution }: KindFigures): (readonly [ms: number, percent: number])[] {
  const all = distribution.reduce((sum, [, times]) => sum + times, 0);
  let seen = 0;
  return distribution.map(([ms, times]) => {
    seen += times;
    return [ms, (seen / all) * 100];
  });
}

function quantileOf(kind: KindFigures, share: number): number {
  return cumulative(kind).find(([, percent]) => percent >= share * 100)?.[0] ?? 0;
}
