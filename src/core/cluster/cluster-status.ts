import type { Clock } from '../clock.js';
import { forEachKind } from '../delivery/client-kind.js';
import type { ClientsByTransport } from '../delivery/client-tally.js';
import { within } from '../within.js';
import { Refusal } from '../errors.js';
import type { NodeRecords } from './node-records.js';
import type { ClusterView } from './node-registry.js';
import { MAX_REPORTED_ROOMS, type NodeReport, type NodeState, parseReportedRooms } from './node-report.js';

/** How long rooms that were read are good enough, ms: nodes write theirs no more often. */
const GOOD_MS = 1000;
/** Longest time in ms that who asks for the status waits for Redis. */
const WAIT_MS = 500;

/** A node as the status shows it. */
export interface NodeStatus extends NodeReport {
  readonly id: string;
  readonly thisNode: boolean;
  /** How old these figures are, ms. */
  readonly ageMs: number;
}

/** What all nodes have together. */
export interface ClusterStatus {
  /** This node first. */
  readonly nodes: readonly NodeStatus[];
  readonly sessions: { readonly websocket: number; readonly sse: number };
  /** The same, by transport and kind of client, of the nodes that tell them apart. */
  readonly clients: ClientsByTransport;
  /** Sessions by room, the largest rooms, at most {@link MAX_REPORTED_ROOMS}; of each node its largest count. */
  readonly rooms: Readonly<Record<string, number>>;
  /** False while Redis can't be reached: then the other nodes are shown as they were. */
  readonly reachable: boolean;
  /** How old what is known of the others is, ms; null when nothing is known yet. */
  readonly ageMs: number | null;
}

/** What {@link ClusterOverview} works with. */
export interface ClusterOverviewParts {
  readonly registry: { view(): ClusterView };
  readonly records: Pick<NodeRecords, 'rooms'>;
  readonly clock: Clock;
  /** What this node has to say of itself now. */
  readonly describe: () => NodeState;
}

/** Adds up what the nodes say of themselves. */
export class ClusterOverview {
  readonly #id: string;
  readonly #parts: ClusterOverviewParts;
  #rooms = new Map<string, ReadonlyMap<string, number>>();
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(id: string, parts: ClusterOverviewParts) {
    this.#id = id;
    this.#parts = parts;
  }

  /** What all nodes have together; answers at once where Redis is away, and soon where it does not answer. */
  async status(): Promise<ClusterStatus> {
    const view = this.#parts.registry.view();
    const others = view.nodes.filter(({ id }) => id !== this.#id);
    if (view.reachable && this.#parts.clock.elapsed() - this.#readAt > GOOD_MS) {
      this.#reading ??= this.#read(others.map(({ id }) => id)).finally(() => {
        this.#reading = undefined;
      });
      await within(this.#parts.clock, WAIT_MS, this.#reading);
    }
    const own = this.#parts.describe();
    const nodes: NodeStatus[] = [
      { id: this.#id, thisNode: true, ageMs: 0, ...own.report },
      ...others.map(({ id, report, ageMs }) => ({
        id,
        thisNode: false,
        ageMs: Math.round(ageMs),
        ...report,
      })),
    ];
    const sizes = [Object.entries(own.rooms), ...others.map(({ id }) => [...(this.#rooms.get(id) ?? [])])];
    return {
      nodes,
      sessions: {
        websocket: sum(nodes.map(({ sessions }) => sessions.websocket)),
        sse: sum(nodes.map(({ sessions }) => sessions.sse)),
      },
      clients: addUpClients(nodes),
      rooms: addUp(sizes.flat()),
      reachable: view.reachable,
      ageMs: view.ageMs === null ? null : Math.round(view.ageMs),
    };
  }

  async #read(ids: readonly string[]): Promise<void> {
    const texts = await this.#parts.records.rooms(ids);
    if (texts instanceof Refusal) return;
    this.#rooms = new Map(ids.map((id, index) => [id, parseReportedRooms(texts[index] ?? '')]));
    this.#readAt = this.#parts.clock.elapsed();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function addUpClients(nodes: readonly NodeReport[]): ClientsByTransport {
  const of = (transport: keyof ClientsByTransport): ClientsByTransport['sse'] =>
    forEachKind((kind) => sum(nodes.map(({ clients }) => clients?.[transport][kind] ?? 0)));
  return { websocket: of('websocket'), sse: of('sse') };
}

function addUp(sizes: readonly (readonly [string, number])[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [room, size] of sizes) sums.set(room, (sums.get(room) ?? 0) + size);
  const largest = [...sums].sort(([, one], [, other]) => other - one);
  return Object.fromEntries(largest.slice(0, MAX_REPORTED_ROOMS));
}
