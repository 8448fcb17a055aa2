import { Refusal } from '../errors.js';
import type { FlipAccepted, FlipError, FlipOrigin, FlipReport, MovedSessions } from './flip-report.js';
import type { ProfileSwitch } from './profile-switch.js';

/** One node of a rollout; `same`: it served that profile already; `gone`: it ended before it had flipped, and was passed over. */
export interface RolloutNode {
  readonly id: string;
  readonly url: string | null;
  readonly host: string;
  readonly state: 'waiting' | 'switching' | 'draining' | 'done' | 'failed' | 'same' | 'gone';
  /** Sessions that are moved; null before it began. */
  readonly sessions: MovedSessions | null;
  /** Null unless it failed or is gone. */
  readonly error: FlipError | null;
}

/** A flip of all nodes, one after the other. */
export interface Rollout extends FlipOrigin {
  /** Counts the rollouts of this process, from 1. */
  readonly id: number;
  readonly to: string;
  /** ms since the epoch. */
  readonly startedAt: number;
  /** `failed`: it stopped at the node that failed; the nodes before that have flipped. `superseded`: by another rollout. */
  readonly state: 'running' | 'done' | 'failed' | 'superseded';
  readonly nodes: readonly RolloutNode[];
}

/** What this node serves, its newest flip, and the newest flip of all nodes that was asked of this one. */
export interface FlipsReport extends FlipReport {
  /** Id of the node that answers: the ids of flips and rollouts count on it alone. */
  readonly node: string;
  /** Null when there was none. */
  readonly rollout: Rollout | null;
}

/** Flips this node, or all of them. */
export interface Flips {
  /** Flips this node, as {@link ProfileSwitch.flip} does. */
  flip(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipsReport | Refusal>;
  /** Begins to flip all nodes, and resolves; {@link report} tells how it goes on. */
  flipAll(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipsReport | Refusal>;
  /** How far they are. */
  report(): FlipsReport;
}

/** Flips where this node is the only one. */
export class NodeFlips implements Flips {
  readonly #id: string;
  readonly #node: ProfileSwitch;

  /** `id` is this node's. */
  constructor(id: string, node: ProfileSwitch) {
    this.#id = id;
    this.#node = node;
  }

  async flip(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipsReport | Refusal> {
    const report = await this.#node.flip(to, origin, accepted);
    return report instanceof Refusal ? report : { ...report, node: this.#id, rollout: null };
  }

  flipAll(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipsReport | Refusal> {
    return this.flip(to, origin, accepted);
  }

  report(): FlipsReport {
    return { ...this.#node.report(), node: this.#id, rollout: null };
  }
}
