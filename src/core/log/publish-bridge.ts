import type { Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import { type NewEvent, parseEvent } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { EventLog } from './event-log.js';
import { connectRedis } from './redis-connection.js';
import { RefusedEvents } from './refused-events.js';

/** Events appended at once. */
const BATCH_SIZE = 500;
/** Messages that may wait for the log; beyond that the newest are dropped and counted. */
const MAX_WAITING = 100_000;
/** Bytes that may wait for the log. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** What a {@link PublishBridge} listens to. */
export interface BridgeSettings {
  readonly url: string;
  /** Channels, and patterns with a `*` (such as `events:*`), whose tail names the room. */
  readonly channels: readonly string[];
  readonly maxDataBytes: number;
}

/** What a {@link PublishBridge} works with. */
export interface BridgeParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** Copies what existing publishers `PUBLISH` on Redis channels into the log, in order. */
export class PublishBridge {
  readonly #settings: BridgeSettings;
  readonly #parts: BridgeParts;
  readonly #subscriber: Redis;
  #waiting: { readonly event: NewEvent; readonly bytes: number }[] = [];
  #waitingBytes = 0;
  readonly #refused: RefusedEvents;
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(settings: BridgeSettings, parts: BridgeParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#refused = new RefusedEvents('PUBLISH', parts);
    this.#subscriber = connectRedis(settings.url, 'wait', parts.logger);
  }

  /** Begins to listen; goes on by itself after a lost connection. What is published meanwhile, Redis drops. */
  start(): void {
    const patterns = this.#settings.channels.filter((channel) => channel.includes('*'));
    const plain = this.#settings.channels.filter((channel) => !channel.includes('*'));
    this.#subscriber.on('message', (_channel: string, text: string) => {
      this.#take(text, undefined);
    });
    this.#subscriber.on('pmessage', (pattern: string, channel: string, text: string) => {
      this.#take(text, channel.slice(pattern.indexOf('*')));
    });
    const failed = (error: unknown): void => {
      if (!this.#closed) this.#parts.logger.error('subscribing failed', { reason: String(error) });
    };
    const subscribe = (): void => {
      if (plain.length > 0) this.#subscriber.subscribe(...plain).catch(failed);
      if (patterns.length > 0) this.#subscriber.psubscribe(...patterns).catch(failed);
    };
    // At every connection: ioredis itself renews only what Redis had confirmed.
    this.#subscriber.on('ready', subscribe);
    if (this.#subscriber.status === 'ready') subscribe();
  }

  /** Stops listening, then gives what waits to the log, as far as the log takes it. */
  async close(): Promise<void> {
    if (!this.#closed) this.#subscriber.disconnect();
    this.#closed = true;
    await this.#draining;
  }

  #take(text: string, room: string | undefined): void {
    const event = this.#parse(text, room);
    if (event instanceof Refusal) {
      this.#refused.note(event);
      return;
    }
    const bytes = event.dataJson.length;
    if (this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#parts.counters.add('events_dropped', 'bridge_full');
      return;
    }
    this.#waiting.push({ event, bytes });
    this.#waitingBytes += bytes;
    this.#draining ??= this.#drain();
  }

  #parse(text: string, room: string | undefined): NewEvent | Refusal {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return new Refusal('invalid_json', 'a published message must be a JSON object');
    }
    if (room !== undefined && typeof message === 'object' && message !== null && !Array.isArray(message)) {
      message = { room, ...message };
    }
    return parseEvent(message, {
      maxDataBytes: this.#settings.maxDataBytes,
      nowMs: this.#parts.clock.now(),
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_SIZE);
      const ids = await this.#parts.log.append(batch.map(({ event }) => event));
      if (!(ids instanceof Refusal)) {
        this.#waiting = this.#waiting.slice(batch.length);
        for (const { bytes } of batch) this.#waitingBytes -= bytes;
      } else if (this.#closed) {
        this.#parts.counters.add('events_dropped', 'bridge_closed', this.#waiting.length);
        break;
      } else {
        await new Promise<void>((resolve) => {
          this.#parts.clock.after(ids.retryAfterMs ?? 1000, resolve);
        });
      }
    }
    this.#draining = null;
  }
}
