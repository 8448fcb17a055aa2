import type { NewEvent } from '../event.js';
import type { PlacedEvent } from './bridge-ledger.js';
import { isBefore, type Place } from './place.js';

/** Messages that may wait; … */
const MAX_WAITING = 100_000;
/** … and their bytes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Published messages that may still have to be copied into the log, in the order of their places; bounded. */
export class PlacedQueue {
  #waiting: PlacedEvent[] = [];
  #start = 0;
  #bytes = 0;

  /** Messages that wait. */
  get length(): number {
    return this.#waiting.length - this.#start;
  }

  /** Adds a message, later than all there are; false when there is no room for it. */
  push(event: NewEvent, { mark, count }: Place): boolean {
    const bytes = event.dataJson.length;
    if (this.length >= MAX_WAITING || (this.length > 0 && this.#bytes + bytes > MAX_WAITING_BYTES))
      return false;
    this.#waiting.push({ event, mark, count });
    this.#bytes += bytes;
    return true;
  }

  /** The first `count` messages. */
  first(count: number): readonly PlacedEvent[] {
    return this.#waiting.slice(this.#start, this.#start + count);
  }

  /** Takes the first `count` messages out. */
  drop(count: number): void {
    for (const { event } of this.first(count)) this.#bytes -= event.dataJson.length;
    this.#start += Math.min(count, this.length);
    if (this.#start * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#start);
    this.#start = 0;
  }

  /** Takes the messages out that are not beyond `place`. */
  dropUpTo(place: Place): void {
    let passed = 0;
    for (let index = this.#start; index < this.#waiting.length; index += 1) {
      if (isBefore(place, this.#waiting[index] as PlacedEvent)) break;
      passed += 1;
    }
    this.drop(passed);
  }
}
