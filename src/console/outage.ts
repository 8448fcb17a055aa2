import type { Fields } from './fields.js';

/** An outage of a gateway, for people. */
export interface Outage {
  /** The part that is away, in a few words. */
  readonly what: string;
  /** Why, as the gateway says; empty where it does not. */
  readonly why: string;
  /** The things that do not work meanwhile, a sentence each. */
  readonly effects: readonly string[];
  /** Epoch ms; undefined where the gateway does not tell. */
  readonly since: number | undefined;
}

/** Facts that the page knows beside a status. */
export interface OutageClues {
  /** Code that the list of commands was refused with last; undefined where it was answered. */
  readonly commands: string | undefined;
  /** Epoch ms. */
  readonly now: number;
}

const NO_EVENTS = [
  'Publishing is refused (503 log_unavailable).',
  'New events do not arrive: neither those of this node nor those of others. Clients stay connected, and are brought up to date, or told of a gap, once it is back.',
];
const NO_COMMANDS =
  'Commands are refused (503 queue_unavailable), except those that this node executes by itself.';
const NO_NODES =
  'The other nodes can not be reached: their figures are old, and a flip of all nodes is refused (503 node_unavailable).';

/** The outage that a status tells of; undefined where all works. */
export function outageIn(status: Fields, { commands, now }: OutageClues): Outage | undefined {
  const log = status.fields('log');
  const cluster = status.fields('cluster');
  const isLogAway = log.text('state') === 'unavailable' || log.text('state') === 'starting';
  const areNodesAway = cluster.flag('reachable') === false;
  const areCommandsAway = commands === 'queue_unavailable';
  if (!isLogAway && !areNodesAway && !areCommandsAway) return undefined;
  const ageMs = cluster.number('ageMs');
  const nodesSince = areNodesAway && ageMs !== undefined ? now - ageMs : undefined;
  return {
    what: isLogAway ? describeLog(log.text('kind'), log.text('state')) : whatElse(areNodesAway),
    why: log.text('reason') ?? '',
    effects: [
      ...(isLogAway ? NO_EVENTS : []),
      ...(areCommandsAway ? [NO_COMMANDS] : []),
      ...(areNodesAway ? [NO_NODES] : []),
    ],
    since: isLogAway ? log.number('since') : nodesSince,
  };
}

/** The same by the answer of `/readyz`, which is all that a page without the right to the status is told. */
export function outageInReadiness(readiness: Fields): Outage | undefined {
  const log = readiness.text('log');
  if (readiness.flag('ready') !== false || log === undefined || log === 'ready') return undefined;
  return {
    what: describeLog(undefined, log),
    why: readiness.text('reason') ?? '',
    effects: NO_EVENTS,
    since: readiness.number('since'),
  };
}

function describeLog(kind: string | undefined, state: string | undefined): string {
  const log = kind === 'redis' ? 'The event log in Redis' : 'The event log';
  return state === 'starting' ? `${log} has not been read yet` : `${log} is unavailable`;
}

function whatElse(areNodesAway: boolean): string {
  return areNodesAway ? 'The other nodes can not be reached' : 'The queue of commands can not be reached';
}
