import { addKinds, forEachKind, type KindCounts, readKinds } from './client-kinds.js';
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

/** The clients whose transport a flip turned off: moved, back, cut off, gone. */
export interface ClientsView {
  /** SDK clients that were told to come back over another transport. */
  readonly moved: number;
  /** SDK clients that did. */
  readonly returned: number;
  /** Others that were disconnected. */
  readonly cutOff: number;
  /** Clients that left by themselves. */
  readonly gone: number;
  /** How many there were, and how many the flip has disconnected. */
  readonly total: KindCounts;
  readonly ended: KindCounts;
}

/** Sessions whose transport a flip turns off. */
export interface Moved {
  readonly total: number;
  readonly left: number;
  /** Undefined where the gateway does not tell clients apart. */
  readonly clients: ClientsView | undefined;
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

/** Where there is nobody. */
export const NOBODY: Moved = { total: 0, left: 0, clients: undefined };

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
  const known = nodes.flatMap(({ sessions }) => (sessions === undefined ? [] : [sessions]));
  const clients = known.flatMap((one) => (one.clients === undefined ? [] : [one.clients]));
  return {
    total: sumOf(known, ({ total }) => total),
    left: sumOf(known, ({ left }) => left),
    clients: clients.length < known.length ? undefined : addClients(clients),
  };
}

/** True while clients that were moved have not come back. */
export function isAwaitingReturns({ flip, rollout }: FlipReportView): boolean {
  const { clients } = rollout === undefined ? (flip?.sessions ?? NOBODY) : movedInAll(rollout.nodes);
  return clients !== undefined && clients.returned < clients.moved;
}

function addClients(all: readonly ClientsView[]): ClientsView | undefined {
  const total = addKinds(all.map((one) => one.total));
  const ended = addKinds(all.map((one) => one.ended));
  if (total === undefined || ended === undefined) return undefined;
  return {
    moved: sumOf(all, ({ moved }) => moved),
    returned: sumOf(all, ({ returned }) => returned),
    cutOff: sumOf(all, ({ cutOff }) => cutOff),
    gone: sumOf(all, ({ gone }) => gone),
    total,
    ended,
  };
}

function sumOf<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
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
  return {
    total: sessions.number('total') ?? 0,
    left: sessions.number('left') ?? 0,
    clients: readClients(sessions.fields('clients')),
  };
}

function readClients(clients: Fields): ClientsView | undefined {
  const kindsOf = (count: string): KindCounts | undefined =>
    readKinds(new Fields(forEachKind((kind) => clients.fields('byKind').fields(kind).number(count))));
  const total = kindsOf('total');
  const ended = kindsOf('ended');
  if (total === undefined || ended === undefined) return undefined;
  return {
    moved: clients.number('moved') ?? 0,
    returned: clients.number('returned') ?? 0,
    cutOff: clients.number('cutOff') ?? 0,
    gone: clients.number('gone') ?? 0,
    total,
    ended,
  };
}

function readError(fields: Fields): string | undefined {
  const error = fields.fields('error');
  const code = error.text('code');
  return code === undefined ? undefined : `${code}: ${error.text('message') ?? ''}`;
}
