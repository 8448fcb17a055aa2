import { CLIENT_KINDS, type ClientKind, followsProfile, forEachKind } from './core/delivery/client-kind.js';
import type { FlipClients, MovedSessions } from './core/flip/flip-report.js';
import type { FlipsReport } from './core/flip/flips.js';

/** The text for a flip that is done and disconnected nobody. */
const NOBODY = ', nobody had to move';
/** The names of the kinds of clients. */
const KIND_NAMES: Readonly<Record<ClientKind, string>> = {
  sdk: 'SDK',
  bundle: 'bundle',
  eventsource: 'EventSource',
  stock: 'stock',
};

/** How a flip goes on, as a line for people; `all`: of all nodes. */
export function describeReport({ profile, flip, rollout }: FlipsReport, all: boolean): string {
  if (all && rollout !== null) {
    if (rollout.state === 'done' && rollout.nodes.every(({ state }) => state === 'same')) {
      return `all ${String(rollout.nodes.length)} nodes serve ${rollout.to} already; nothing to do`;
    }
    const nodes = rollout.nodes.map(
      ({ id, host, state, sessions, error }) =>
        `${host}/${id} ${state}${sessions === null ? '' : disconnected(sessions)}${error === null ? '' : ` (${error.message})`}`,
    );
    const told = rollout.state === 'done' ? describeEnd(sessionsOf(rollout.nodes)) : '';
    return `${rollout.to}: ${rollout.state}${told}; ${nodes.join(', ')}`;
  }
  if (flip === null || flip.to !== profile) return `${profile} is served`;
  const told = flip.state === 'done' ? describeEnd(flip.sessions) : disconnected(flip.sessions);
  return `${flip.from} → ${flip.to}: ${flip.state}${told}`;
}

/** The clients of the newest flip, or of all nodes': moved, back, cut off, gone; null where that is not told. */
export function clientsOf({ flip, rollout }: FlipsReport, all: boolean): FlipClients | null {
  if (all && rollout !== null) return sessionsOf(rollout.nodes).clients;
  return flip?.sessions.clients ?? null;
}

/** How far it is, before it is over. */
function disconnected({ total, left }: MovedSessions): string {
  return total === 0 ? '' : `, ${String(total - left)} of ${String(total)} clients disconnected`;
}

function describeEnd(sessions: MovedSessions): string {
  const { total, clients } = sessions;
  if (total === 0) return NOBODY;
  if (clients === null) return disconnected(sessions);
  const { moved, returned, cutOff, gone, byKind } = clients;
  const kinds = CLIENT_KINDS.filter((kind) => !followsProfile(kind) && byKind[kind].ended > 0)
    .map((kind) => `${String(byKind[kind].ended)} ${KIND_NAMES[kind]}`)
    .join(', ');
  const parts = [
    moved > 0 ? `${countOf(moved, 'SDK client')} moved, ${String(returned)} came back` : '',
    cutOff > 0 ? `${countOf(cutOff, 'client')} cut off (${kinds})` : '',
    gone > 0 ? `${countOf(gone, 'client')} left by ${gone === 1 ? 'itself' : 'themselves'}` : '',
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `; ${part}`)
    .join('');
}

/** All sessions of these nodes; of clients only as far as all nodes tell them apart. */
function sessionsOf(nodes: readonly { readonly sessions: MovedSessions | null }[]): MovedSessions {
  const known = nodes.flatMap(({ sessions }) => (sessions === null ? [] : [sessions]));
  const clients = known.flatMap((one) => (one.clients === null ? [] : [one.clients]));
  return {
    total: sum(known, ({ total }) => total),
    left: sum(known, ({ left }) => left),
    clients: clients.length < known.length ? null : addUp(clients),
  };
}

function addUp(all: readonly FlipClients[]): FlipClients {
  return {
    moved: sum(all, ({ moved }) => moved),
    returned: sum(all, ({ returned }) => returned),
    cutOff: sum(all, ({ cutOff }) => cutOff),
    gone: sum(all, ({ gone }) => gone),
    byKind: forEachKind((kind) => ({
      total: sum(all, ({ byKind }) => byKind[kind].total),
      left: sum(all, ({ byKind }) => byKind[kind].left),
      ended: sum(all, ({ byKind }) => byKind[kind].ended),
    })),
  };
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}

function countOf(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? '' : 's'}`;
}
