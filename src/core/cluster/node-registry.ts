import type { Clock } from '../clock.js';
import { within } from '../within.js';
import { Refusal } from '../errors.js';
import type { Counters } from '../metrics/counters.js';
import { isNodeId } from './node-id.js';
import type { BeatAnswer, NodeRecords } from './node-records.js';
import { type NodeReport, type NodeState, parseNodeReport } from './node-report.js';

/** How often a node says that it is alive, ms. */
export const BEAT_MS = 2000;
/** A node that was not heard of for so long is gone, ms. */
export const NODE_TTL_MS = 6000;
/** Pause in ms after a beat that failed. */
const RETRY_MS = 250;
/** Shortest time between two beats, however many want to know, ms. */
const SHORTEST_MS = 100;
/** Longest time in ms that saying goodbye may take. */
const GOODBYE_MS = 1000;

/** A node as this one knows it. */
export interface KnownNode {
  readonly id: string;
  readonly report: NodeReport;
  /** How old the report is, ms. */
  readonly ageMs: number;
}

/** What is known of all nodes. */
export interface ClusterView {
  /** All that were heard of lately, when Redis was last asked. */
  readonly nodes: readonly KnownNode[];
  /** False when Redis did not answer the last time, or is late. */
  readonly reachable: boolean;
  /** How old what is known is, ms; null when nothing is known yet. */
  readonly ageMs: number | null;
}

/** What a {@link NodeRegistry} works with. */
export interface NodeRegistryParts {
  readonly records: NodeRecords;
  readonly clock: Clock;
  readonly counters: Counters;
  /** What this node has to say of itself now. */
  readonly describe: () => NodeState;
}

/** Who else is there: says every {@link BEAT_MS} that this node is, and learns of the others by the same request. */
export class NodeRegistry {
  /** Resolves once the others can know of this node. */
  readonly joined: Promise<void>;
  readonly #id: string;
  readonly #parts: NodeRegistryParts;
  #onJoined: () => void = () => undefined;
  #nodes = new Map<string, { readonly report: NodeReport; readonly ageMs: number }>();
  #reachable = false;
  /** When {@link #nodes} was read, {@link Clock.elapsed}. */
  #readAt: number | null = null;
  /** Redis' clock, less {@link Clock.elapsed}. */
  #offsetMs = 0;
  /** Until then, that a node is not known says nothing: Redis has lost what it knew, and they have to come back. */
  #settledAt = -Infinity;
  #beganAt = -Infinity;
  #beating: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #cancelNext: () => void = () => undefined;
  #closed = false;

  constructor(id: string, parts: NodeRegistryParts) {
    this.#id = id;
    this.#parts = parts;
    this.joined = new Promise((resolve) => {
      this.#onJoined = resolve;
    });
  }

  /** What is known now. */
  view(): ClusterView {
    const sinceRead = this.#readAt === null ? null : this.#parts.clock.elapsed() - this.#readAt;
    const nodes = [...this.#nodes].map(([id, { report, ageMs }]) => ({
      id,
      report,
      ageMs: ageMs + (sinceRead ?? 0),
    }));
    return { nodes, reachable: this.#reachable && !this.#isLate(), ageMs: sinceRead };
  }

  /** Redis' clock as far as this node knows it, ms: one time for all nodes, to some milliseconds. */
  sharedNow(): number {
    return this.#parts.clock.elapsed() + this.#offsetMs;
  }

  /** Whether that node is there; asks Redis when it is not known to be. A refusal when that can't be said. */
  async knows(id: string): Promise<boolean | Refusal> {
    if (this.#nodes.has(id) && this.#reachable && !this.#isLate()) return true;
    await this.beat();
    if (!this.#reachable) {
      return new Refusal('node_unavailable', 'the other gateways can not be reached: Redis is away', 1000);
    }
    if (this.#nodes.has(id)) return true;
    if (this.#parts.clock.elapsed() >= this.#settledAt) return false;
    return new Refusal('node_unavailable', 'Redis has just come back, and not all gateways have yet', 1000);
  }

  /**
   * Says that this node is there, and reads who else is, as of now or later; goes on by itself from the first time
   * on. Never rejects; many calls make one request.
   */
  beat(): Promise<void> {
    this.#next ??= this.#beating.then(async () => {
      await this.#pause(this.#beganAt + SHORTEST_MS - this.#parts.clock.elapsed());
      this.#next = undefined;
      this.#beating = this.#beat();
      return this.#beating;
    });
    return this.#next;
  }

  /** Says goodbye, so that the others know at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelNext();
    // A beat that is under way would bring the node back.
    await within(this.#parts.clock, GOODBYE_MS, this.#beating);
    await within(this.#parts.clock, GOODBYE_MS, this.#parts.records.remove(this.#id));
  }

  async #beat(): Promise<void> {
    if (this.#closed) return;
    this.#cancelNext();
    this.#beganAt = this.#parts.clock.elapsed();
    const { report, rooms } = this.#parts.describe();
    const answer = await this.#parts.records.beat(this.#id, JSON.stringify(report), JSON.stringify(rooms));
    this.#reachable = !(answer instanceof Refusal);
    if (!(answer instanceof Refusal)) this.#learn(answer);
    if (this.#closed) return;
    this.#cancelNext = this.#parts.clock.after(this.#reachable ? BEAT_MS : RETRY_MS, () => void this.beat());
  }

  #learn({ wasKnown, nowMs, nodes }: BeatAnswer): void {
    const { clock, counters } = this.#parts;
    const now = clock.elapsed();
    // Whatever made Redis forget this node has made it forget the others, who have to say again that they are there.
    if (!wasKnown && this.#readAt !== null) this.#settledAt = now + NODE_TTL_MS;
    this.#readAt = now;
    this.#offsetMs = nowMs - (this.#beganAt + now) / 2;
    this.#nodes = new Map();
    for (const { id, seenAt, text } of nodes) {
      const report = isNodeId(id) ? parseNodeReport(text) : undefined;
      if (report === undefined) counters.add('node_reports_refused');
      else this.#nodes.set(id, { report, ageMs: Math.max(0, nowMs - seenAt) });
    }
    this.#onJoined();
  }

  #isLate(): boolean {
    return this.#readAt === null || this.#parts.clock.elapsed() - this.#readAt > BEAT_MS * 1.5;
  }

  #pause(forMs: number): Promise<void> {
    if (forMs <= 0) return Promise.resolve();
    return new Promise((resolve) => void this.#parts.clock.after(forMs, resolve));
  }
}
