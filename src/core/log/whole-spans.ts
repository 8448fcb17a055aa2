import { isBefore, type Place } from './place.js';

/** Spans kept; of more, the oldest is given up. */
const MAX_SPANS = 8;

/** A stretch of published messages of which a node has heard every one. */
export interface WholeSpan {
  /** The mark it begins with. */
  readonly from: number;
  /** The place of its last message; null while it goes on, and changed when it ends. */
  to: Place | null;
}

/** Which stretches of the published messages a node has heard: a new one begins whenever its subscription broke. */
export class WholeSpans {
  #spans: WholeSpan[] = [];

  /** Oldest first. */
  get all(): readonly WholeSpan[] {
    return this.#spans;
  }

  /** From this mark on nothing is missed. */
  begin(mark: number): void {
    this.#spans = [...this.#spans, { from: mark, to: null }].slice(-MAX_SPANS);
  }

  /** After `place`, messages may be missed. */
  end(place: Place): void {
    for (const span of this.#spans) span.to ??= place;
  }

  /** Lets go of those that are copied. */
  forget(copiedTo: Place): void {
    this.#spans = this.#spans.filter(({ to }) => to === null || isBefore(copiedTo, to));
  }

  /** The span in which copying can go on without missing any; undefined when there is none. */
  at(copiedTo: Place): WholeSpan | undefined {
    // Where nobody has ever copied, nothing is missed.
    return this.#spans.find(({ from }) => copiedTo.mark === 0 || from <= copiedTo.mark);
  }
}
