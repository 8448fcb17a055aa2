import { CLIENT_KINDS, type ClientKind, followsProfile, forEachKind } from '../core/delivery/client-kind.js';
import type { Fields } from './fields.js';

export { CLIENT_KINDS, type ClientKind, followsProfile, forEachKind };

/** The names of the kinds of clients on the page. */
export const KIND_NAMES: Readonly<Record<ClientKind, string>> = {
  sdk: 'SDK',
  bundle: 'bundle',
  eventsource: 'EventSource',
  stock: 'stock',
};

/** Clients by kind. */
export type KindCounts = Readonly<Record<ClientKind, number>>;

/** Reads the counts of all kinds; undefined where one of them is missing, as a gateway of an older version tells none. */
export function readKinds(fields: Fields): KindCounts | undefined {
  return CLIENT_KINDS.every((kind) => fields.number(kind) !== undefined)
    ? forEachKind((kind) => fields.number(kind) ?? 0)
    : undefined;
}

/** The sums by kind; undefined where one of them is not known. */
export function addKinds(counts: readonly (KindCounts | undefined)[]): KindCounts | undefined {
  const known = counts.filter((one) => one !== undefined);
  if (known.length < counts.length) return undefined;
  return forEachKind((kind) => known.reduce((sum, one) => sum + one[kind], 0));
}

/** The kinds that there are, such as `6 SDK, 225 stock`; empty where there is nobody. */
export function describeKinds(counts: KindCounts, kinds: readonly ClientKind[] = CLIENT_KINDS): string {
  return kinds
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${String(counts[kind])} ${KIND_NAMES[kind]}`)
    .join(', ');
}

/** The clients that a status tells of, over all transports: of all nodes, where there are several. */
export function connectedKinds(status: Fields): KindCounts | undefined {
  const cluster = status.fields('cluster');
  const clients = (cluster.value('clients') === undefined ? status : cluster).fields('clients');
  return addKinds([readKinds(clients.fields('websocket')), readKinds(clients.fields('sse'))]);
}
