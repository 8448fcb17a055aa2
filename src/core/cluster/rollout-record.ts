import type { Refusal } from '../errors.js';
import type { FlipReport } from '../flip/flip-report.js';
import type { Rollout, RolloutNode } from '../flip/flips.js';
import type { KnownNode } from './node-registry.js';

/** A rollout as it goes on. */
export class RolloutRecord {
  readonly #facts: Omit<Rollout, 'state' | 'nodes'>;
  readonly #nodes: Map<string, RolloutNode>;
  /** The flip of each node that was flipped, by its id there. */
  readonly #flips = new Map<string, number>();
  #state: Rollout['state'] = 'running';

  /** `nodes` in the order in which they flip. */
  constructor(facts: Omit<Rollout, 'state' | 'nodes'>, nodes: readonly KnownNode[]) {
    this.#facts = facts;
    this.#nodes = new Map(
      nodes.map(({ id, report: { url, host, profile } }) => {
        const state = profile === facts.to ? 'same' : 'waiting';
        return [id, { id, url, host, state, sessions: null, error: null }];
      }),
    );
  }

  /** True where all nodes served the profile already. */
  get isRepeated(): boolean {
    return [...this.#nodes.values()].every(({ state }) => state === 'same');
  }

  /** True once nothing more is to be done. */
  get isOver(): boolean {
    return this.#state !== 'running';
  }

  /** The node has begun, and is so far. */
  progress(id: string, { flip }: FlipReport): void {
    const state = flip?.state === 'draining' ? 'draining' : 'switching';
    this.#change(id, { state, sessions: flip?.sessions ?? null });
  }

  /** All clients of the node have been disconnected. */
  moved(id: string, { flip }: FlipReport): void {
    if (this.#nodes.get(id)?.state === 'same') return;
    if (flip !== null) this.#flips.set(id, flip.id);
    this.#change(id, { state: 'done', sessions: flip?.sessions ?? null });
  }

  /** Takes what the node counts of its flip after that: clients go on coming back. */
  recount(id: string, { flip }: FlipReport): void {
    if (flip !== null && this.#flips.get(id) === flip.id) this.#change(id, { sessions: flip.sessions });
  }

  /** Nodes that were flipped, while fewer of their clients have come back than were moved; else none. */
  get awaiting(): readonly string[] {
    const clients = [...this.#nodes.values()].map(({ sessions }) => sessions?.clients);
    const missing = clients.reduce((sum, one) => sum + (one?.moved ?? 0) - (one?.returned ?? 0), 0);
    return missing > 0 ? [...this.#flips.keys()] : [];
  }

  /** The node could not be flipped; the others are left as they are. */
  fail(id: string, { code, message }: Refusal): void {
    if (this.isOver) return;
    this.#change(id, { state: 'failed', error: { code, message } });
    this.#state = 'failed';
  }

  /** The node ended before it had flipped; the others go on. */
  pass(id: string, { code, message }: Refusal): void {
    this.#change(id, { state: 'gone', error: { code, message } });
  }

  /** All nodes that are still there have flipped. */
  end(): void {
    if (!this.isOver) this.#state = 'done';
  }

  /** Another rollout takes its place. */
  supersede(): void {
    if (!this.isOver) this.#state = 'superseded';
  }

  /** As it is told. */
  toReport(): Rollout {
    return { ...this.#facts, state: this.#state, nodes: [...this.#nodes.values()] };
  }

  #change(id: string, change: Partial<RolloutNode>): void {
    const node = this.#nodes.get(id);
    if (node !== undefined) this.#nodes.set(id, { ...node, ...change });
  }
}
