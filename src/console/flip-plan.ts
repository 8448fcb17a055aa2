import {
  addKinds,
  CLIENT_KINDS,
  describeKinds,
  followsProfile,
  type KindCounts,
  readKinds,
} from './client-kinds.js';
import type { Fields } from './fields.js';
import { nodesOf } from './node-list.js';
import { TRANSPORT_NAMES, type Transport } from './transport-names.js';

/** What is known of a flip before it is asked for. */
export interface FlipPlan {
  readonly from: string;
  readonly to: string;
  /** Nodes that flip, one after the other. */
  readonly nodes: number;
  /** Transports that are opened. */
  readonly coming: readonly Transport[];
  /** Transports that are served then. */
  readonly staying: readonly Transport[];
  /** Transports that are closed. */
  readonly going: readonly GoingTransport[];
  /** About how long clients are moved on each node, s. */
  readonly seconds: number;
}

/** A transport that is closed, and the sessions it has now. */
interface GoingTransport {
  readonly transport: Transport;
  readonly sessions: number;
  /** Their clients by kind; undefined where a node does not tell. */
  readonly clients: KindCounts | undefined;
}

const TRANSPORTS: readonly Transport[] = ['sse', 'websocket'];
/** Where there are few clients, they leave so quickly, ms each. */
const LONGEST_PAUSE_MS = 10;

/** What a flip to `to`, of this node or of `all`, would do, by what the newest status says. */
export function planFlip(status: Fields, to: string, all: boolean): FlipPlan {
  const now = status.fields('transports');
  const then = status.fields('profiles').fields(to);
  const nodes = all ? nodesOf(status) : [];
  const counted = nodes.length === 0 ? [status] : nodes;
  const sessionsOf = (transport: Transport): number =>
    counted.reduce((sum, node) => sum + (node.fields('sessions').number(transport) ?? 0), 0);
  const clientsOf = (transport: Transport): KindCounts | undefined =>
    addKinds(counted.map((node) => readKinds(node.fields('clients').fields(transport))));
  const going = TRANSPORTS.filter((transport) => !isOn(then, transport))
    .filter((transport) => isOn(now, transport) || sessionsOf(transport) > 0)
    .map((transport) => ({
      transport,
      sessions: sessionsOf(transport),
      clients: clientsOf(transport),
    }));
  const leaving = going.reduce((sum, { sessions }) => sum + sessions, 0) / Math.max(1, nodes.length);
  const drainMs = status.number('drainMs') ?? 0;
  return {
    from: status.text('profile') ?? '',
    to,
    nodes: Math.max(1, nodes.length),
    staying: TRANSPORTS.filter((transport) => isOn(then, transport)),
    coming: TRANSPORTS.filter((transport) => isOn(then, transport) && !isOn(now, transport)),
    going,
    seconds: Math.min(drainMs, leaving * LONGEST_PAUSE_MS) / 1000,
  };
}

/** What a flip to `to` would do, a sentence each; what only a status tells is left out where there is but a profile. */
export function describeFlip(status: Fields, to: string, all: boolean): string[] {
  if (status.value('sessions') !== undefined) return describePlan(planFlip(status, to, all));
  return [
    `This node will serve ${to} instead of ${status.text('profile') ?? 'what it serves now'}.`,
    'How many sessions have to move is not known here: that needs the right “status”.',
  ];
}

/** What will happen, a sentence each, for who has to say yes to it. */
export function describePlan({ from, to, nodes, coming, going, staying, seconds }: FlipPlan): string[] {
  const where =
    nodes === 1
      ? 'This node'
      : `All ${String(nodes)} nodes, one after the other, each once the one before has moved its clients,`;
  const sentences = [`${where} will serve ${to}${nodes === 1 ? ` instead of ${from}` : ''}.`];
  if (coming.length > 0) sentences.push(`${namesOf(coming)} is served at once.`);
  const over = `${durationOf(seconds)}${nodes === 1 ? '' : ' on each node'}`;
  for (const one of going) sentences.push(...describeGoing(one, namesOf(staying), over));
  if (going.length === 0) sentences.push('No client has to move.');
  else sentences.push('This page is a client, too: where it has to, it moves along.');
  sentences.push('The event log, rooms, publishers and workers notice nothing.');
  return sentences;
}

/** Says how a flip treats the clients of a transport that is closed; `over`: in which time. */
function describeGoing(
  { transport, sessions, clients }: GoingTransport,
  staying: string,
  over: string,
): string[] {
  const name = TRANSPORT_NAMES[transport];
  if (sessions === 0) return [`${name} takes no clients any more; none is connected by it now.`];
  const closed = `${name} takes no clients any more, and ${countOf(sessions)} that ${sessions === 1 ? 'is' : 'are'} connected by it will be closed over ${over}.`;
  if (clients === undefined) {
    return [
      `${closed} Those that follow the profile come back over ${staying}, and miss nothing.`,
      `Clients that only know ${name} can not follow: they get nothing until ${name} is served again.`,
    ];
  }
  const cut = CLIENT_KINDS.filter((kind) => !followsProfile(kind));
  const cutOff = cut.reduce((sum, kind) => sum + clients[kind], 0);
  const sentences = [closed];
  if (clients.sdk > 0) {
    sentences.push(
      `${clients.sdk === 1 ? 'The SDK client among them comes' : `The ${String(clients.sdk)} SDK clients among them come`} back over ${staying}, and ${clients.sdk === 1 ? 'misses' : 'miss'} nothing.`,
    );
  }
  if (cutOff > 0) {
    sentences.push(
      `Cut off: ${describeKinds(clients, cut)}. They are not known to speak another transport: they get nothing until ${name} is served again, and some do not try that long.`,
    );
  }
  return sentences;
}

function isOn(transports: Fields, transport: Transport): boolean {
  return transports.flag(transport) === true;
}

function namesOf(transports: readonly Transport[]): string {
  return transports.map((transport) => TRANSPORT_NAMES[transport]).join(' and ');
}

function countOf(sessions: number): string {
  return sessions === 1 ? 'the one session' : `the ${String(sessions)} sessions`;
}

function durationOf(seconds: number): string {
  return seconds < 1 ? 'less than a second' : `about ${String(Math.round(seconds))} s`;
}
