import { publish } from './publish.js';
import type { RawEvent } from './raw-client.js';

/** Type of the numbered events, which are all to be delivered. */
const APPEND = 'fact_added';
/** Type of the values of keys, of which the newest is to be delivered. */
const LATEST = 'kb_update';
/** Most bytes of padding in one publication. */
const POST_BYTES = 1_000_000;

/** What a {@link NumberedLoad} is made of. */
export interface LoadOptions {
  /** None: the default rooms. */
  readonly room?: string;
  /** Bytes of padding in each event; default 0. */
  readonly bytes?: number;
  /** Every so many events the next value of one of three keys goes between; default: never. */
  readonly valueEvery?: number;
}

/** Publishes events numbered from 0 on, and, between them, values of keys; knows what a client must have got. */
export class NumberedLoad {
  /** Numbered events published so far. */
  published = 0;
  /** The newest value of each key. */
  readonly values = new Map<string, number>();
  readonly #url: string;
  readonly #room: string | undefined;
  readonly #pad: string;
  readonly #valueEvery: number | undefined;

  constructor(url: string, { room, bytes = 0, valueEvery }: LoadOptions = {}) {
    this.#url = url;
    this.#room = room;
    this.#pad = 'x'.repeat(bytes);
    this.#valueEvery = valueEvery;
  }

  /** Publishes the next `count` numbered events, one publication after the other. */
  async publish(count: number): Promise<void> {
    const most = Math.max(1, Math.min(500, Math.floor(POST_BYTES / Math.max(1, this.#pad.length))));
    for (let left = count; left > 0; left -= most) {
      await publish(this.#url, this.#next(Math.min(left, most)));
    }
  }

  #next(count: number): object[] {
    const room = this.#room;
    return Array.from({ length: count }, () => {
      const n = this.published++;
      const event = { type: APPEND, room, data: { n, pad: this.#pad } };
      if (this.#valueEvery === undefined || n % this.#valueEvery !== 0) return [event];
      const key = `key-${String((n / this.#valueEvery) % 3)}`;
      this.values.set(key, n);
      return [event, { type: LATEST, room, key, data: { key, n } }];
    }).flat();
  }
}

/** Forgets the padding, which would fill the memory of the test. */
export function withoutPadding(event: RawEvent): RawEvent {
  return event.type === APPEND ? { ...event, data: { n: (event.data as { n: number }).n } } : event;
}

/** The numbers among the events, as they came. */
export function numbersOf(events: readonly RawEvent[]): number[] {
  return events.filter(({ type }) => type === APPEND).map(({ data }) => (data as { n: number }).n);
}

/** The last value of each key among the events. */
export function valuesOf(events: readonly RawEvent[]): Map<string, number> {
  const values = events.filter(({ type }) => type === LATEST).map(({ data }) => data);
  return new Map((values as { key: string; n: number }[]).map(({ key, n }) => [key, n]));
}

/** The numbers from `first` up to, and without, `end`. */
export function numbers(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}
