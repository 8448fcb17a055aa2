import { escapeText, px } from '../../report/markup.js';
import { niceScale } from '../../report/nice-scale.js';
import { bottomAxis, grid, gridLine, limitLine, linear, plotTitle } from '../../report/plot.js';
import type { DrillResult, TimelinePoint } from '../drill-result.js';

const WIDTH = 1200;
/** From the left edge to the right one of everything that is drawn. */
const ACROSS = { left: 56, right: WIDTH - 16 };
/** What is drawn, from top to bottom, in px. */
const MARKS_TOP = 46;
const MARK_ROWS = 4;
const MARK_ROW = 14;
const CLIENTS = { top: 130, height: 180 };
const RATE = { top: 346, height: 110 };
const BREAKS = { top: 492, height: 120 };
const HEIGHT = 646;
/** Interruptions are drawn from 1 ms to 30 s, by their logarithm. */
const BREAK_DECADES = [10, 100, 1000, 10_000];
const SHORTEST_MS = 10;
const LONGEST_MS = 30_000;
/** Dots of the same place would only be drawn over each other. */
const MOST_DOTS = 4000;

/**
 * A drill over time, as SVG: its steps as bands, what was done as lines, who was connected over what, the events given to
 * clients, and each interruption as a dot. Colours are classes; the page gives them.
 */
export function timelineSvg({ steps, timeline, seconds, targets }: DrillResult): string {
  const x = (at: number): number =>
    ACROSS.left + (at / Math.max(seconds, 0.001)) * (ACROSS.right - ACROSS.left);
  const { points, interruptions, marks } = timeline;
  const bottom = BREAKS.top + BREAKS.height;
  const bands = steps.map(({ name, from, to }, index) => {
    const width = x(to) - x(from);
    // All of a name, or what it leads to.
    const shown = [name, name.replace(/.*→/, '→'), ''].find((text) => text.length * 7.5 < width) ?? '';
    return (
      `<g><title>${escapeText(name)}</title>` +
      `<rect class="band ${index % 2 === 0 ? 'even' : 'odd'}" x="${px(x(from))}" y="0" width="${px(width)}" height="${px(bottom)}"/>` +
      `<text class="step" x="${px((x(from) + x(to)) / 2)}" y="20" text-anchor="middle">${escapeText(shown)}</text></g>`
    );
  });
  const limit = targets.find(({ unit }) => unit === 'ms')?.limit;
  return [
    `<svg class="plot timeline" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img" aria-label="The drill over time: clients connected, events delivered, and interruptions">`,
    ...bands,
    ...markLines(marks, x, bottom),
    ...clientAreas(points, x),
    ...rateLines(points, x),
    ...interruptionDots(interruptions, x, limit),
    bottomAxis(BREAKS, seconds, x, { steps: 10, unit: 's' }),
    '</svg>',
  ].join('\n');
}

/** Flips, restarts and kills; labels that would stand in each other take turns. */
function markLines(
  marks: DrillResult['timeline']['marks'],
  x: (at: number) => number,
  bottom: number,
): string[] {
  const ends: number[] = [];
  return marks.map(({ at, label }) => {
    const left = x(at);
    const fits = ends.findIndex((end) => end < left);
    const row = fits === -1 ? ends.length : fits;
    const width = label.length * 6 + 10;
    // At the right edge a label goes to the left of its line.
    const isLast = left + width > WIDTH;
    ends[row] = left + width;
    const y = MARKS_TOP + (row % MARK_ROWS) * MARK_ROW;
    const kind = label.includes('SIGKILL') ? 'kill' : 'do';
    return (
      `<g class="mark ${kind}"><line x1="${px(left)}" x2="${px(left)}" y1="${px(y - 8)}" y2="${px(bottom)}"/>` +
      `<text x="${px(isLast ? left - 4 : left + 4)}" y="${px(y)}"${isLast ? ' text-anchor="end"' : ''}>${escapeText(label)}</text></g>`
    );
  });
}

/** Who is connected over what, one above the other. */
function clientAreas(points: readonly TimelinePoint[], x: (at: number) => number): string[] {
  const scale = niceScale(Math.max(1, ...points.map(connectedAt)), 4);
  const y = linear(CLIENTS, scale.at(-1) ?? 1);
  const layers = [
    { name: 'sse', from: () => 0, to: ({ sse }: TimelinePoint) => sse },
    {
      name: 'websocket',
      from: ({ sse }: TimelinePoint) => sse,
      to: ({ sse, websocket }: TimelinePoint) => sse + websocket,
    },
    { name: 'legacy', from: ({ sse, websocket }: TimelinePoint) => sse + websocket, to: connectedAt },
  ];
  const areas = layers.map(({ name, from, to }) => {
    const upper = points.map((point) => `${px(x(point.at))},${px(y(to(point)))}`);
    const lower = points.map((point) => `${px(x(point.at))},${px(y(from(point)))}`).toReversed();
    return points.length === 0
      ? ''
      : `<polygon class="area ${name}" points="${[...upper, ...lower].join(' ')}"/>`;
  });
  return [plotTitle('clients connected', { ...ACROSS, ...CLIENTS }), ...grid(ACROSS, scale, y), ...areas];
}

function connectedAt({ sse, websocket, legacy }: TimelinePoint): number {
  return sse + websocket + legacy;
}

/** Events given to clients, a second. */
function rateLines(points: readonly TimelinePoint[], x: (at: number) => number): string[] {
  const rates = points.map(({ sdkRate, legacyRate }) => sdkRate + legacyRate);
  const scale = niceScale(Math.max(1, ...rates), 3);
  const y = linear(RATE, scale.at(-1) ?? 1);
  const line = points.map(({ at }, index) => `${px(x(at))},${px(y(rates[index] ?? 0))}`);
  const first = points[0];
  const last = points.at(-1);
  const filled =
    first === undefined || last === undefined
      ? ''
      : `<polygon class="rate-fill" points="${px(x(first.at))},${px(y(0))} ${line.join(' ')} ${px(x(last.at))},${px(y(0))}"/>`;
  return [
    plotTitle('events delivered a second', { ...ACROSS, ...RATE }),
    ...grid(ACROSS, scale, y),
    filled,
    `<polyline class="rate" points="${line.join(' ')}"/>`,
  ];
}

/** Each interruption: when it began, and how long no events came. */
function interruptionDots(
  interruptions: DrillResult['timeline']['interruptions'],
  x: (at: number) => number,
  limit: number | undefined,
): string[] {
  const decades = Math.log10(LONGEST_MS / SHORTEST_MS);
  const y = (ms: number): number => {
    const within = Math.min(Math.max(ms, SHORTEST_MS), LONGEST_MS);
    return BREAKS.top + BREAKS.height * (1 - Math.log10(within / SHORTEST_MS) / decades);
  };
  const lines = BREAK_DECADES.map((ms) =>
    gridLine(ACROSS, y(ms), ms < 1000 ? `${String(ms)} ms` : `${String(ms / 1000)} s`),
  );
  const skip = Math.max(1, Math.ceil(interruptions.length / MOST_DOTS));
  // Those of the SDK's clients on top.
  const shown = interruptions
    .filter((_, index) => index % skip === 0)
    .toSorted((a, b) => a.kind.localeCompare(b.kind));
  const dots = shown.map(
    ({ at, kind, ms }) => `<circle class="dot ${kind}" cx="${px(x(at))}" cy="${px(y(ms))}" r="2.5"/>`,
  );
  const target = limit === undefined ? '' : limitLine(ACROSS, y(limit));
  return [
    plotTitle('interruptions: how long no event came to a client', { ...ACROSS, ...BREAKS }),
    ...lines,
    target,
    ...dots,
  ];
}
