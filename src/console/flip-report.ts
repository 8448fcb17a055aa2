import { Fields } from './fields.js';

/** How far a flip, or a node of a rollout, is: what the gateway calls it. */
export type FlipState =
  | 'waiting'
  | 'switching'
  | 'draining'
  | 'running'
  | 'done'
  | 'same'
  | 'gone'
  | 'failed'
  | 'superseded'
  | 'unknown';

const STATES: readonly FlipState[] = [
  'waiting',
  'switching',
  'draining',
  'running',
  'done',
  'same',
  'gone',
  'failed',
  'superseded',
];

/** Sessions that are moved. */
export interface Moved {
  readonly total: number;
  readonly left: number;
}

/** The newest flip of this node. */
export interface FlipView {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly via: string;
  /** Epoch ms. */
  readonly startedAt: number | undefined;
  readonly state: FlipState;
  readonly sessions: Moved;
  /** `code: message`; undefined unless it failed. */
  readonly error: string | undefined;
}

/** A node of a flip of all nodes. */
export interface RolloutNodeView {
  /** Where it is, or what it is called. */
  readonly name: string;
  readonly state: FlipState;
  readonly sessions: Moved | undefined;
  readonly error: string | undefined;
}

/** A flip of all nodes. */
export interface RolloutView {
  readonly id: number;
  readonly to: string;
  readonly startedAt: number | undefined;
  readonly state: FlipState;
  readonly nodes: readonly RolloutNodeView[];
}

/** What a gateway says of its flips. */
export interface FlipReportView {
  /** The node that says so; undefined of a gateway that does not tell. */
  readonly node: string | undefined;
  readonly profile: string | undefined;
  readonly flip: FlipView | undefined;
  readonly rollout: RolloutView | undefined;
}

/** Reads the answer of `/api/admin/profile`. */
export function readFlipReport(report: Fields): FlipReportView {
  return {
    node: report.text('node'),
    profile: report.text('profile'),
    flip: report.fields('flip').number('id') === undefined ? undefined : readFlip(report.fields('flip')),
    rollout:
      report.fields('rollout').number('id') === undefined ? undefined : readRollout(report.fields('rollout')),
  };
}

/** True while it goes on by itself. */
export function isUnderWay(state: FlipState | undefined): boolean {
  return state === 'switching' || state === 'draining' || state === 'running' || state === 'waiting';
}

/** All sessions of a rollout's nodes, as far as they are known. */
export function movedInAll(nodes: readonly RolloutNodeView[]): Moved {
  const known = nodes.map(({ sessions }) => sessions ?? { total: 0, left: 0 });
  return {
    total: known.reduce((sum, { total }) => sum + total, 0),
    left: known.reduce((sum, { left }) => sum + left, 0),
  };
}

function readFlip(flip: Fields): FlipView {
  return {
    id: flip.number('id') ?? 0,
    from: flip.text('from') ?? '',
    to: flip.text('to') ?? '',
    by: flip.text('by') ?? '',
    via: flip.text('via') ?? '',
    startedAt: flip.number('startedAt'),
    state: readState(flip),
    sessions: readMoved(flip),
    error: readError(flip),
  };
}

function readRollout(rollout: Fields): RolloutView {
  const nodes = rollout.value('nodes');
  return {
    id: rollout.number('id') ?? 0,
    to: rollout.text('to') ?? '',
    startedAt: rollout.number('startedAt'),
    state: readState(rollout),
    nodes: (Array.isArray(nodes) ? nodes : []).map((one: unknown) => {
      const node = new Fields(one);
      return {
        name: addressOf(node.text('url')) ?? node.text('host') ?? node.text('id') ?? '',
        state: readState(node),
        sessions: node.fields('sessions').number('total') === undefined ? undefined : readMoved(node),
        error: readError(node),
      };
    }),
  };
}

/** A URL without what all of them have: there is little room. */
function addressOf(url: string | undefined): string | undefined {
  return url?.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

function readState(fields: Fields): FlipState {
  return STATES.find((state) => state === fields.text('state')) ?? 'unknown';
}

function readMoved(fields: Fields): Moved {
  const sessions = fields.fields('sessions');
  return { total: sessions.number('total') ?? 0, left: sessions.number('left') ?? 0 };
}

function readError(fields: Fields): string | undefined {
  const error = fields.fields('error');
  const code = error.text('code');
  return code === undefined ? undefined : `${code}: ${error.text('message') ?? ''}`;
}
