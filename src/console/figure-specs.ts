import type { Fields } from './fields.js';
import {
  formatBytes,
  formatBytesCompact,
  formatCompact,
  formatMilliseconds,
  formatNumber,
} from './quantity.js';

/** One line of a figure. */
export interface SeriesSpec {
  /** What it is called beside its value. */
  readonly name: string;
  /** For tests. */
  readonly testId: string;
  /** Its value in a status; undefined when that says nothing of it. */
  readonly of: (status: Fields) => number | undefined;
  /** True for a count that only grows: what is shown is how much it grows in a second. */
  readonly isCount?: boolean;
}

/** A figure: its lines, and how values are written. */
export interface FigureSpec {
  readonly title: string;
  readonly format: (value: number | undefined) => string;
  /** At the axis; default: as `format`. */
  readonly formatTick?: (value: number) => string;
  /** True for bytes. */
  readonly isBinary?: boolean;
  readonly series: readonly SeriesSpec[];
  /** A word more, of the newest status. */
  readonly note?: (status: Fields) => string;
}

const recent = (status: Fields): Fields => status.fields('figures').fields('recent');
const traffic = (status: Fields, transport: string): Fields =>
  recent(status).fields('traffic').fields(transport);

const perSecond = (value: number | undefined): string => `${formatCompact(value)} /s`;
const seconds = (value: number | undefined): string => `${formatCompact(value)} s`;

function latency(name: 'p50' | 'p95' | 'p99'): SeriesSpec {
  return {
    name,
    testId: `latency-${name}`,
    of: (status) => recent(status).fields('latencyMs').number(name),
  };
}

function lag(name: 'p50' | 'p99'): SeriesSpec {
  return { name, testId: `lag-${name}`, of: (status) => recent(status).fields('loopLagMs').number(name) };
}

/** The same of each transport. */
function byTransport(
  id: string,
  of: (status: Fields, transport: 'sse' | 'websocket') => number | undefined,
): readonly SeriesSpec[] {
  return [
    { name: 'SSE', testId: `${id}-sse`, of: (status) => of(status, 'sse') },
    { name: 'Socket.IO', testId: `${id}-websocket`, of: (status) => of(status, 'websocket') },
  ];
}

function memory(name: string, testId: string, field: string): SeriesSpec {
  return { name, testId, of: (status) => status.fields('figures').fields('memory').number(field) };
}

/** Counters together, each all of its reasons or one; 0 where they never counted. */
function counted(status: Fields, names: readonly (readonly [name: string, reason?: string])[]): number {
  return names.reduce((sum, [name, reason]) => {
    const reasons = status.fields('counters').fields(name);
    if (reason !== undefined) return sum + (reasons.number(reason) ?? 0);
    return reasons.entries().reduce((all, [, count]) => all + (typeof count === 'number' ? count : 0), sum);
  }, 0);
}

function behind(status: Fields): string {
  const sessions = status.fields('backlog').number('sessionsBehind') ?? 0;
  return sessions === 0 ? '' : `${String(sessions)} behind`;
}

/** What the page plots, in this order. */
export const FIGURES: readonly FigureSpec[] = [
  {
    title: 'Sessions',
    format: (value) => formatNumber(value, 0),
    formatTick: formatCompact,
    series: byTransport('sessions', (status, transport) => status.fields('sessions').number(transport)),
  },
  {
    title: 'Events in',
    format: perSecond,
    formatTick: formatCompact,
    series: [{ name: 'in', testId: 'events-in', of: (status) => recent(status).number('eventsInPerSecond') }],
  },
  {
    title: 'Writes out',
    format: perSecond,
    formatTick: formatCompact,
    series: byTransport('writes', (status, transport) =>
      traffic(status, transport).number('writesPerSecond'),
    ),
  },
  {
    title: 'Bytes out',
    format: (value) => `${formatBytes(value)}/s`,
    formatTick: formatBytesCompact,
    isBinary: true,
    series: byTransport('bytes', (status, transport) => traffic(status, transport).number('bytesPerSecond')),
  },
  {
    title: 'Coalescing',
    format: (value) => formatNumber(value, 1),
    formatTick: formatCompact,
    series: [
      { name: 'events as one', testId: 'coalescing', of: (status) => recent(status).number('coalescing') },
    ],
  },
  {
    title: 'Window',
    format: formatMilliseconds,
    formatTick: formatCompact,
    series: [{ name: 'width', testId: 'window-width', of: (status) => status.number('windowMs') }],
  },
  {
    title: 'Latency',
    format: formatMilliseconds,
    formatTick: formatCompact,
    series: [latency('p50'), latency('p95'), latency('p99')],
  },
  {
    title: 'Loop lag',
    format: formatMilliseconds,
    formatTick: formatCompact,
    series: [lag('p50'), lag('p99')],
  },
  {
    title: 'CPU',
    format: (value) => `${formatNumber(value, 0)} %`,
    series: [
      {
        name: 'of a core',
        testId: 'process-cpu',
        of: (status) => {
          const cpu = recent(status).number('cpu');
          return cpu === undefined ? undefined : cpu * 100;
        },
      },
    ],
  },
  {
    title: 'Memory',
    format: formatBytes,
    formatTick: formatBytesCompact,
    isBinary: true,
    series: [memory('process', 'memory-rss', 'rssBytes'), memory('heap', 'memory-heap', 'heapUsedBytes')],
  },
  {
    title: 'Backlog',
    format: seconds,
    formatTick: formatCompact,
    series: [
      {
        name: 'oldest',
        testId: 'backlog-age',
        of: (status) => status.fields('backlog').number('oldestSeconds'),
      },
    ],
    note: behind,
  },
  {
    title: 'Drops',
    format: perSecond,
    formatTick: formatCompact,
    series: [
      {
        name: 'dropped',
        testId: 'drops-rate',
        isCount: true,
        of: (status) => counted(status, [['events_dropped'], ['sessions_ended', 'slow_consumer']]),
      },
      {
        name: 'refused',
        testId: 'refusals-rate',
        isCount: true,
        of: (status) => counted(status, [['events_refused'], ['sessions_refused'], ['command_refusals']]),
      },
    ],
  },
];
