import type { Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectSubscriber } from '../redis/redis-connection.js';
import { type BridgeLedger, MARK_CHANNEL_END } from './bridge-ledger.js';
import type { Place } from './place.js';

/** How often at most this node publishes a mark, by which all know that they still listen, ms. */
const MARK_MS = 2000;
/** When nothing came for so long, nobody copies who would publish marks: then every node does, ms. */
const QUIET_MS = 4000;
/** A subscription on which nothing came for so long, not even a mark, is dead, ms. */
const DEAF_MS = 7000;

/** What a {@link PlacedSubscription} listens to. */
export interface SubscriptionSettings {
  readonly url: string;
  /** Channels, and patterns with a `*` (such as `events:*`), whose tail names the room. The same on all nodes. */
  readonly channels: readonly string[];
}

/** What a {@link PlacedSubscription} works with. */
export interface SubscriptionParts {
  readonly ledger: BridgeLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** Who hears what is published. */
export interface PlacedListener {
  /** The next message, at its place; `room` is the tail of the pattern that it came by. */
  message(bytes: Buffer, room: string | undefined, place: Place): void;
  /** A mark came; the first one after it began to listen when `isFirst`. */
  marked(mark: number, isFirst: boolean): void;
  /** The subscription is gone, and messages after the last one, at `place`, may be missed. */
  lost(place: Place): void;
}

/**
 * A subscription whose messages have places, the same on all nodes: counted from marks that nodes publish. Goes on by
 * itself after a lost connection, from the next mark on.
 */
export class PlacedSubscription {
  readonly #settings: SubscriptionSettings;
  readonly #parts: SubscriptionParts;
  readonly #listener: PlacedListener;
  readonly #subscriber: Redis;
  /**
   * Number of the last mark that came; null while messages have no place, after a lost connection. At first 0: what
   * comes before the first mark is copied only if nobody has ever copied anything.
   */
  #mark: number | null = 0;
  #count = 0;
  #listens = false;
  #heardAt = 0;
  #markedAt = -Infinity;
  #closed = false;

  constructor(settings: SubscriptionSettings, parts: SubscriptionParts, listener: PlacedListener) {
    this.#settings = settings;
    this.#parts = parts;
    this.#listener = listener;
    this.#subscriber = connectSubscriber(settings.url, parts.ledger.markChannel, parts.logger);
  }

  /** True when it hears what is published. */
  get listens(): boolean {
    return this.#listens;
  }

  /** The place of the last message; null while it does not listen. */
  get place(): Place | null {
    return this.#listens && this.#mark !== null ? { mark: this.#mark, count: this.#count } : null;
  }

  /** Begins to listen. */
  start(): void {
    const { markChannel } = this.#parts.ledger;
    // As bytes, which ioredis has anyway: text that was decoded does not tell whether it was UTF-8.
    this.#subscriber.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
      this.#heardAt = this.#parts.clock.elapsed();
      if (channel.toString() === markChannel) this.#markAt(Number(bytes.toString()));
      else this.#take(bytes, undefined);
    });
    this.#subscriber.on('pmessageBuffer', (pattern: string, name: Buffer, bytes: Buffer) => {
      const channel = name.toString();
      // A pattern may cover the marks, which come by their own channel, also those of other shards.
      if (!channel.endsWith(MARK_CHANNEL_END)) this.#take(bytes, channel.slice(pattern.indexOf('*')));
    });
    const subscribe = (): void => {
      this.#subscribe().catch((error: unknown) => {
        if (!this.#closed) this.#parts.logger.error('subscribing failed', { reason: String(error) });
      });
    };
    // At every connection: ioredis itself renews only what Redis had confirmed.
    this.#subscriber.on('ready', subscribe);
    if (this.#subscriber.status === 'ready') subscribe();
    this.#subscriber.on('close', () => {
      this.#lose();
    });
  }

  /** To be called now and then: publishes a mark where one is due and asked for, and gives up a dead subscription. */
  async keepAlive(isToMark: boolean): Promise<void> {
    if (this.#subscriber.status !== 'ready') return;
    const now = this.#parts.clock.elapsed();
    if (now - this.#heardAt > DEAF_MS) {
      this.#heardAt = now;
      this.#parts.logger.warn('the subscription is dead, subscribing again');
      this.#subscriber.disconnect(true);
    } else if (
      (isToMark || !this.#listens || now - this.#heardAt > QUIET_MS) &&
      now - this.#markedAt > MARK_MS
    ) {
      this.#markedAt = now;
      await this.#parts.ledger.mark();
    }
  }

  close(): void {
    this.#closed = true;
    this.#subscriber.disconnect();
  }

  async #subscribe(): Promise<void> {
    const { channels } = this.#settings;
    const patterns = channels.filter((channel) => channel.includes('*'));
    const plain = channels.filter((channel) => !channel.includes('*'));
    // Marks come last: from the first one on, nothing may be missing.
    if (patterns.length > 0) await this.#subscriber.psubscribe(...patterns);
    await this.#subscriber.subscribe(...plain, this.#parts.ledger.markChannel);
    this.#heardAt = this.#parts.clock.elapsed();
    await this.#parts.ledger.mark();
  }

  /** From here on every node counts alike. */
  #markAt(mark: number): void {
    this.#mark = mark;
    this.#count = 0;
    const isFirst = !this.#listens;
    this.#listens = true;
    this.#listener.marked(mark, isFirst);
  }

  #lose(): void {
    const { place } = this;
    if (place === null || this.#closed) return;
    this.#mark = null;
    this.#listens = false;
    this.#parts.counters.add('bridge_subscriptions_lost');
    this.#listener.lost(place);
  }

  #take(bytes: Buffer, room: string | undefined): void {
    this.#count += 1;
    // Without a place it can't be told from what others copied; it came before this node was known to listen.
    if (this.#mark === null) return;
    this.#listener.message(bytes, room, { mark: this.#mark, count: this.#count });
  }
}
