import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.js';
import type { Outcome } from '../../command.js';

/** Somebody waits for a command to end. */
interface Awaited {
  readonly outcome: Promise<Outcome>;
  readonly settle: (outcome: Outcome) => void;
  /** How many wait. */
  waiting: number;
}

const MAX_AWAITED = 10_000;
const TTL_MS = 3_600_000;

/** Commands whose end this process wants to hear of: the newest 10,000 of the last hour. */
export class AwaitedOutcomes {
  readonly #awaited: LRUCache<string, Awaited>;

  constructor(clock: Clock) {
    this.#awaited = new LRUCache({
      max: MAX_AWAITED,
      ttl: TTL_MS,
      ttlResolution: 0,
      perf: { now: () => clock.elapsed() },
    });
  }

  /** How many have not ended. */
  get size(): number {
    return this.#awaited.size;
  }

  /** How the command with this id ends; never resolves when nobody tells. */
  of(id: string): Promise<Outcome> {
    const known = this.#awaited.get(id);
    if (known !== undefined) {
      known.waiting += 1;
      return known.outcome;
    }
    const pending: { settle?: (outcome: Outcome) => void } = {};
    const outcome = new Promise<Outcome>((resolve) => {
      pending.settle = resolve;
    });
    this.#awaited.set(id, { outcome, settle: (told) => pending.settle?.(told), waiting: 1 });
    return outcome;
  }

  /** Tells whoever waits for it how a command ended. */
  settle(id: string, outcome: Outcome): void {
    this.#awaited.get(id)?.settle(outcome);
    this.#awaited.delete(id);
  }

  /** One less waits for this one. */
  forget(id: string): void {
    const known = this.#awaited.get(id);
    if (known === undefined) return;
    known.waiting -= 1;
    if (known.waiting === 0) this.#awaited.delete(id);
  }
}
