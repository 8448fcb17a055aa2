import type { Event } from '../event.js';
import { BoundedQueue } from '../log/bounded-queue.js';
import { entrySize } from '../log/entry-size.js';

/** What one room was sent, as far as this process remembers, and the newest value of each of its slots. */
export class RoomHistory {
  /** In order of position. The timeline trims it, so it needs no bound of its own. */
  readonly #events = new BoundedQueue<Event>(Infinity, Infinity);
  /** By slot, the least recently changed first. */
  readonly #latest = new Map<string, Event>();
  /** A cursor before this position has lost events of this room. */
  #wholeFrom: number;

  constructor(wholeFrom: number) {
    this.#wholeFrom = wholeFrom;
  }

  /** A session at a position before this one has lost events of this room. */
  get wholeFrom(): number {
    return this.#wholeFrom;
  }

  /** True when nothing would be lost by forgetting this room. */
  get isEmpty(): boolean {
    return this.#events.length === 0 && this.#latest.size === 0;
  }

  /** The position after the newest event; 0 when there is none. */
  get end(): number {
    const newest = this.#events.at(this.#events.length - 1);
    return newest === undefined ? 0 : newest.position + 1;
  }

  /** The position after the newest event before `position`; where the room begins to be whole when there is none. */
  endBefore(position: number): number {
    const next = this.#events.firstIndexWhere((event) => event.position >= position);
    const before = this.#events.at(next - 1);
    return before === undefined ? this.#wholeFrom : before.position + 1;
  }

  /** The newest event of each slot, in order of position: what a newcomer is shown. */
  get latest(): readonly Event[] {
    return [...this.#latest.values()];
  }

  /** How many slots have a newest event. */
  get values(): number {
    return this.#latest.size;
  }

  /** The newest event of a slot. */
  newest(slot: string): Event | undefined {
    return this.#latest.get(slot);
  }

  /** Adds an event; returns the one whose slot it took, if any. */
  push(event: Event): Event | undefined {
    this.#events.push(event, entrySize(event), () => undefined);
    if (event.slot === null) return undefined;
    const superseded = this.#latest.get(event.slot);
    this.#latest.delete(event.slot);
    this.#latest.set(event.slot, event);
    return superseded;
  }

  /** Forgets all events before `position`; returns those that stay as the newest of their slot. */
  trim(position: number): Event[] {
    const kept: Event[] = [];
    for (let event = this.#events.at(0); event !== undefined; event = this.#events.at(0)) {
      if (event.position >= position) break;
      this.#events.shift();
      this.#wholeFrom = event.position + 1;
      if (event.slot !== null && this.#latest.get(event.slot) === event) kept.push(event);
    }
    return kept;
  }

  /** Says that events before `position` may be missing; those held must have been trimmed. */
  breakAt(position: number): void {
    this.#wholeFrom = position;
  }

  /** Forgets a slot's newest event, if it is still this one. */
  forget(event: Event): void {
    if (event.slot !== null && this.#latest.get(event.slot) === event) this.#latest.delete(event.slot);
  }

  /** How many events have positions in `[from, to)`, and their bytes. */
  weigh(from: number, to: number): { readonly events: number; readonly bytes: number } {
    const first = this.#events.firstIndexWhere((event) => event.position >= from);
    const end = this.#events.firstIndexWhere((event) => event.position >= to);
    return { events: Math.max(0, end - first), bytes: this.#events.bytesBetween(first, end) };
  }

  /** Up to `limit` events with positions in `[from, to)`, oldest first. */
  between(from: number, to: number, limit: number): readonly Event[] {
    const first = this.#events.firstIndexWhere((event) => event.position >= from);
    const end = this.#events.firstIndexWhere((event) => event.position >= to);
    return this.#events.slice(first, Math.min(end, first + limit));
  }
}
