import { Histogram } from './histogram.js';

/** Actions that are told apart; what comes beyond counts as {@link OTHER}. */
const MAX_ACTIONS = 100;
/** What actions count as that this process does not know, or that are too many. */
const OTHER = 'other';

/** How long commands of one action took that ended one way. */
export interface CommandDurations {
  /** The action, or `other`. */
  readonly action: string;
  readonly status: 'succeeded' | 'failed';
  /** From being taken until the end, the wait in the queue included, ms. */
  readonly durationMs: Histogram;
}

/**
 * How many commands ended, how, and how long they took, since the process started. With Redis, names of actions may come
 * from anybody who puts a job into a queue, so only those are told apart that this process knows, at most 100.
 */
export class CommandFigures {
  readonly #known: ReadonlySet<string>;
  readonly #durations = new Map<string, CommandDurations>();

  /** `actions` are those that clients may ask for. */
  constructor(actions: readonly string[]) {
    this.#known = new Set(actions.slice(0, MAX_ACTIONS));
  }

  /** A command ended, `ms` after it was taken. */
  ended(action: string, status: CommandDurations['status'], ms: number): void {
    const name = this.#known.has(action) ? action : OTHER;
    const key = `${status} ${name}`;
    let durations = this.#durations.get(key);
    if (durations === undefined) {
      this.#durations.set(key, (durations = { action: name, status, durationMs: new Histogram() }));
    }
    durations.durationMs.add(ms);
  }

  /** By action and status; those that came so far. */
  durations(): readonly CommandDurations[] {
    return [...this.#durations.values()];
  }
}
