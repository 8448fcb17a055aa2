import type { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import { entrySize } from './entry-size.js';

/** A message that is not an event, and the channel it came on. */
export interface RefusedMessage {
  readonly refusal: Refusal;
  readonly channel: string;
}

/** A published message: an event, or the reason why it is none. */
export type Published = { readonly event: NewEvent } | RefusedMessage;

/** A message that waits; `count` is its number in its interval, from 1. */
export interface Waiting {
  readonly published: Published;
  readonly count: number;
  readonly receivedAt: number;
}

/** The messages after one mark and before the next. A node receives all messages of an interval, up to a point. */
export interface Interval {
  /** The number of the mark. */
  readonly mark: number;
  /** True when this node received every message between the mark before and this one. */
  readonly continues: boolean;
  /** When the mark came, on the clock of {@link BridgeQueue.mark}. */
  readonly receivedAt: number;
  /** How far other nodes or this one copied it; undefined: not begun as far as this node knows. */
  readonly copiedTo: number | undefined;
  /** Messages beyond that, oldest first. */
  readonly messages: readonly Waiting[];
}

type OwnInterval = { -readonly [Field in keyof Interval]: Interval[Field] } & { messages: Waiting[] };

/** Messages and intervals that may wait; … */
const MAX_WAITING = 100_000;
/** … and their bytes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Bytes that a refused message counts for. */
const REFUSED_SIZE = 200;

/**
 * Published messages that may still have to be copied into the log, by interval, oldest first; bounded. When it is full
 * it takes nothing until the next mark: an interval has no holes.
 */
export class BridgeQueue {
  readonly #intervals: OwnInterval[] = [];
  /** The interval that messages are added to; undefined while they have no place. */
  #current: OwnInterval | undefined;
  /** True from a message for which there was no room to the next mark. */
  #isOverfull = false;
  #count = 0;
  #waiting = 0;
  #bytes = 0;

  /** Messages that wait. */
  get length(): number {
    return this.#waiting;
  }

  /** The intervals that are not copied, or still go on, oldest first. */
  get intervals(): readonly Interval[] {
    return this.#intervals;
  }

  /** The first interval that has something to copy: messages, or its beginning. */
  get next(): Interval | undefined {
    return this.#intervals.find(({ copiedTo, messages }) => copiedTo === undefined || messages.length > 0);
  }

  /** A mark came: the messages after it have a place. */
  mark(mark: number, now: number): void {
    const continues = this.#current !== undefined;
    this.break();
    if (this.#waiting + this.#intervals.length >= MAX_WAITING) {
      this.#isOverfull = true;
      return;
    }
    this.#current = { mark, continues, receivedAt: now, copiedTo: undefined, messages: [] };
    this.#intervals.push(this.#current);
    this.#count = 0;
  }

  /** Messages are missed from here to the next mark. */
  break(): void {
    this.#current = undefined;
    this.#isOverfull = false;
    this.#forgetDone();
  }

  /** Adds a message. `dropped`: there was no room, or an earlier message since the last mark had none. */
  add(message: Published, now: number): 'added' | 'dropped' | 'no place' {
    if (this.#current !== undefined && this.#isFull(message)) {
      this.break();
      this.#isOverfull = true;
    }
    if (this.#current === undefined) return this.#isOverfull ? 'dropped' : 'no place';
    this.#count += 1;
    this.#current.messages.push({ published: message, count: this.#count, receivedAt: now });
    this.#waiting += 1;
    this.#bytes += sizeOf(message);
    return 'added';
  }

  /** The interval is copied up to this message: lets go of what is before. */
  copied(mark: number, count: number): void {
    for (const interval of this.#intervals) {
      if (interval.mark !== mark) continue;
      interval.copiedTo = Math.max(interval.copiedTo ?? 0, count);
      const rest = interval.messages.findIndex((message) => message.count > count);
      this.#take(interval, rest < 0 ? interval.messages.length : rest);
    }
    this.#forgetDone();
  }

  /** Lets go of an interval of which nobody can tell how far it was copied; returns how many events it had left. */
  abandon(mark: number): number {
    const index = this.#intervals.findIndex((interval) => interval.mark === mark);
    const [interval] = index < 0 ? [] : this.#intervals.splice(index, 1);
    if (interval === undefined) return 0;
    if (interval === this.#current) this.#current = undefined;
    const events = interval.messages.filter(({ published }) => 'event' in published).length;
    this.#take(interval, interval.messages.length);
    return events;
  }

  #isFull(message: Published): boolean {
    const isOver = this.#waiting >= MAX_WAITING || this.#bytes + sizeOf(message) > MAX_WAITING_BYTES;
    return isOver && this.#waiting > 0;
  }

  #take(interval: OwnInterval, count: number): void {
    const taken = interval.messages.splice(0, count);
    this.#waiting -= taken.length;
    for (const { published } of taken) this.#bytes -= sizeOf(published);
  }

  #forgetDone(): void {
    for (let first = this.#intervals[0]; first !== undefined; first = this.#intervals[0]) {
      if (first === this.#current || first.copiedTo === undefined || first.messages.length > 0) return;
      this.#intervals.shift();
    }
  }
}

function sizeOf(message: Published): number {
  return 'event' in message ? entrySize(message.event) : REFUSED_SIZE;
}
