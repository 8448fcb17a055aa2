import { systemClock } from '../../core/clock.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Target } from '../load/messages.js';
import {
  BUSY,
  BUSY_ROOM,
  BUSY_TYPE,
  CALM,
  CALM_ROOM,
  CALM_TYPE,
  type DrillEvent,
  STREAMS,
  VALUE_TYPE,
  VALUES,
} from './drill-event.js';
import { HttpPublication } from './http-publication.js';
import { NumberedPublisher } from './numbered-publisher.js';
import { appendToStream, publishOnChannel } from './redis-publication.js';

/**
 * Events a second of the calm stream, and values: together below what a legacy client is given in a second, whose every
 * event is a write of its own.
 */
const CALM_RATE = 8;
const VALUE_RATE = 4;
/** Keys whose values change in turn. */
const KEYS = ['a', 'b', 'c'];

/** Where they publish. */
export interface PublishersOptions {
  /** The gateways, or what is in front of them. */
  readonly urls: readonly string[];
  readonly redis: RedisConnection;
  readonly stream: string;
  readonly channel: string;
  /** `append` events a second in the busy room, of all publishers together. */
  readonly rate: number;
}

/** How far a publisher got. */
export interface Progress {
  readonly name: string;
  readonly done: number;
  readonly unknown: readonly number[];
}

/** All that publish in a drill: over HTTP, by XADD and by PUBLISH, and the values by key. */
export class Publishers {
  readonly #all: readonly NumberedPublisher[];

  constructor({ urls, redis, stream, channel, rate }: PublishersOptions) {
    const http = new HttpPublication(urls);
    const values = new HttpPublication(urls, 1);
    const send: Readonly<Record<string, (events: readonly DrillEvent[]) => Promise<boolean>>> = {
      http: (events) => http.publish(events),
      xadd: (events) => appendToStream(redis, stream, events),
      publish: (events) => publishOnChannel(redis, channel, events),
      [CALM]: (events) => appendToStream(redis, stream, events),
      [VALUES]: (events) => values.publish(events),
    };
    const rates: Readonly<Record<string, number>> = { [CALM]: CALM_RATE, [VALUES]: VALUE_RATE };
    this.#all = [...STREAMS, VALUES].map(
      (name) =>
        new NumberedPublisher({
          name,
          rate: rates[name] ?? rate / BUSY.length,
          clock: systemClock,
          publish: (numbers) => send[name]?.(numbers.map((n) => eventOf(name, n))) ?? Promise.resolve(false),
        }),
    );
  }

  /** Begins to publish. */
  start(): void {
    for (const publisher of this.#all) publisher.start();
  }

  /** Publishes no more; resolves when all is answered. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((publisher) => publisher.stop()));
  }

  /** How far each got. */
  get progress(): readonly Progress[] {
    return this.#all;
  }

  /** What is acknowledged by now, and so has to be with every client. */
  get target(): Target {
    const upTo = Object.fromEntries(
      this.#all.map(({ name, done, unknown }) => {
        const isUnknown = new Set(unknown);
        let end = done;
        while (end > 0 && isUnknown.has(end - 1)) end -= 1;
        return [name, end];
      }),
    );
    return { upTo, values: this.#newestValues() };
  }

  /** The largest acknowledged number of each key. */
  #newestValues(): Readonly<Record<string, number>> {
    const publisher = this.#all.find(({ name }) => name === VALUES);
    if (publisher === undefined) return {};
    const unknown = new Set(publisher.unknown);
    const newest: Record<string, number> = {};
    for (let n = publisher.done - 1; n >= 0 && Object.keys(newest).length < KEYS.length; n -= 1) {
      if (!unknown.has(n)) newest[keyOf(n)] ??= n;
    }
    return newest;
  }
}

function keyOf(n: number): string {
  return KEYS[n % KEYS.length] ?? '';
}

function eventOf(name: string, n: number): DrillEvent {
  if (name === CALM) return { type: CALM_TYPE, room: CALM_ROOM, data: { by: name, n } };
  if (name !== VALUES) return { type: BUSY_TYPE, room: BUSY_ROOM, data: { by: name, n } };
  const key = keyOf(n);
  return { type: VALUE_TYPE, room: CALM_ROOM, key, data: { by: name, n, key } };
}
