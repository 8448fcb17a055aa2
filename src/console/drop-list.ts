import { Fields } from './fields.js';
import { Rows } from './rows.js';

/** Counters that tell of something a client did not get, or was not let in, and what each is for people. */
const DROPS: readonly (readonly [name: string, words: string])[] = [
  ['events_dropped', 'Events dropped'],
  ['gaps', 'Gaps announced'],
  ['events_refused', 'Events refused'],
  ['sessions_refused', 'Sessions refused'],
  ['sessions_ended', 'Sessions closed'],
  ['snapshot_values_forgotten', 'Newest values forgotten'],
  ['snapshots_skipped', 'Snapshots skipped'],
  ['room_changes_refused', 'Room changes refused'],
  ['requests_refused', 'Requests refused'],
  ['command_refusals', 'Commands refused'],
  ['node_requests_refused', 'Requests to nodes refused'],
];
/** Sessions that were closed for these reasons were moved, and may be elsewhere. */
const MOVED: readonly string[] = ['transport_disabled', 'shutting_down'];
/** How long a count that has grown is marked, ms. */
const FRESH_MS = 10_000;

/** The elements of the table of drops. */
export interface DropListParts {
  readonly body: HTMLElement;
  /** Shown while nothing was dropped. */
  readonly none: HTMLElement;
}

/** Drops and refusals by reason; those that have just grown are marked. */
export class DropList {
  readonly #parts: DropListParts;
  readonly #rows: Rows;
  readonly #known = new Map<string, { readonly count: number; readonly grownAt: number }>();
  #isFirst = true;

  constructor(parts: DropListParts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.body);
  }

  /** Shows what a status says, heard at `elapsedMs`, by a clock that never goes back. */
  take(status: Fields, elapsedMs: number): void {
    const drops = dropsIn(status.fields('counters'));
    for (const { words, reason, count } of drops) {
      const name = `${words} ${reason}`;
      const known = this.#known.get(name);
      if (known?.count === count) continue;
      this.#known.set(name, { count, grownAt: this.#isFirst ? -Infinity : elapsedMs });
    }
    this.#isFirst = false;
    this.#parts.none.hidden = drops.length > 0;
    this.#rows.draw(
      drops.map(({ words, reason, count }) => {
        const grownAt = this.#known.get(`${words} ${reason}`)?.grownAt ?? -Infinity;
        const isFresh = elapsedMs - grownAt < FRESH_MS;
        return [words, reason, { text: String(count), className: isFresh ? 'number fresh' : 'number' }];
      }),
    );
  }
}

/** A reason for which something was dropped, and how often. */
export interface Drop {
  readonly words: string;
  /** Empty where there is only one. */
  readonly reason: string;
  readonly count: number;
}

/** What the counters `{name: {reason: count}}` say of drops; most first within each kind. */
export function dropsIn(counters: Fields): readonly Drop[] {
  return DROPS.flatMap(([name, words]) =>
    new Fields(counters.value(name))
      .entries()
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
      .filter(([reason]) => !(name === 'sessions_ended' && MOVED.includes(reason)))
      .sort(([, one], [, other]) => other - one)
      .map(([reason, count]) => ({ words, reason: reason === 'all' ? '' : reason, count })),
  );
}
