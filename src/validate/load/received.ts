import type { Arrivals } from './arrivals.js';
import { eventAt, type LoadShape, type Owed } from './load-shape.js';

/** The payload of each event: of which run it is, and which event. */
export interface LoadData {
  readonly run: string;
  readonly n: number;
  readonly text: string;
}

/** What one client was given. */
export class Received {
  /** Number of its room. */
  readonly room: number;
  readonly #run: string;
  readonly #shape: LoadShape;
  readonly #arrivals: Arrivals;
  readonly #newest: Int32Array;
  #appends = 0;
  #lastAppend = -1;

  constructor(room: number, run: string, shape: LoadShape, arrivals: Arrivals) {
    this.room = room;
    this.#run = run;
    this.#shape = shape;
    this.#arrivals = arrivals;
    this.#newest = new Int32Array(shape.keys).fill(-1);
  }

  /** An event's data came, just now. What is of another run is nothing. */
  take(data: unknown): void {
    const { run, n } = (data ?? {}) as Partial<LoadData>;
    if (run !== this.#run || typeof n !== 'number') return;
    this.#arrivals.note(n, Date.now());
    const { key, appended } = eventAt(this.#shape, n);
    if (key !== null) {
      this.#newest[key] = Math.max(this.#newest[key] ?? -1, n);
    } else if (appended > this.#lastAppend) {
      // Within a room they come in order.
      this.#lastAppend = appended;
      this.#appends += 1;
    }
  }

  /** How much of what is owed to a client of its room has not come: keys without their final value, and events. */
  lacks({ values, appends }: Owed): number {
    let missing = Math.max(0, appends - this.#appends);
    for (const [key, newest] of values.entries()) if ((this.#newest[key] ?? -1) < newest) missing += 1;
    return missing;
  }
}
