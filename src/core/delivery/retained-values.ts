import type { Event } from '../event.js';
import { entrySize } from '../log/entry-size.js';

/** Newest values kept for newcomers although their events left the log: at most so many. */
const MAX_RETAINED_EVENTS = 10_000;

/** Newest values whose events are trimmed, within bounds; the least recently trimmed go first. */
export class RetainedValues {
  readonly #sizes = new Map<Event, number>();
  readonly #maxBytes: number;
  readonly #forget: (event: Event) => void;
  #bytes = 0;

  /** @param forget Told of each value that is over a bound. */
  constructor(maxBytes: number, forget: (event: Event) => void) {
    this.#maxBytes = maxBytes;
    this.#forget = forget;
  }

  /** Counts a value in. */
  add(event: Event): void {
    const size = entrySize(event);
    this.#sizes.set(event, size);
    this.#bytes += size;
    for (const oldest of this.#sizes.keys()) {
      if (this.#sizes.size <= MAX_RETAINED_EVENTS && this.#bytes <= this.#maxBytes) break;
      this.release(oldest);
      this.#forget(oldest);
    }
  }

  /** Counts a value out, if it was in. */
  release(event: Event): void {
    const size = this.#sizes.get(event);
    if (size === undefined) return;
    this.#sizes.delete(event);
    this.#bytes -= size;
  }
}
