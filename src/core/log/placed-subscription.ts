import type { Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectSubscriber } from '../redis/redis-connection.js';
import { LiveSubscription } from '../redis/live-subscription.js';
import type { RefusedPermissions } from '../redis/refused-permissions.js';
import { type BridgeLedger, MARK_CHANNEL_END } from './bridge-ledger.js';

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
  readonly permissions?: RefusedPermissions;
}

/** Gets what a {@link PlacedSubscription} receives. */
export interface PlacedListener {
  /** The next message; `room` is the tail of the pattern that it came by. */
  message(bytes: Buffer, channel: string, room: string | undefined): void;
  /** A mark came: from here on all nodes count messages alike. */
  marked(mark: number): void;
  /** The subscription is gone: messages may be missed up to the next mark. */
  lost(): void;
}

/**
 * Subscribes to the channels of publishers and to the marks of the nodes. Subscribes again after a lost connection, and
 * when no mark comes back: marks prove that the subscription is alive.
 */
export class PlacedSubscription {
  readonly #settings: SubscriptionSettings;
  readonly #parts: SubscriptionParts;
  readonly #listener: PlacedListener;
  readonly #subscriber: Redis;
  readonly #live: LiveSubscription;

  constructor(settings: SubscriptionSettings, parts: SubscriptionParts, listener: PlacedListener) {
    this.#settings = settings;
    this.#parts = parts;
    this.#listener = listener;
    const { ledger, logger, permissions, counters } = parts;
    this.#subscriber = connectSubscriber(
      settings.url,
      ledger.markChannel,
      logger,
      permissions?.of('published'),
    );
    this.#live = new LiveSubscription({
      ...parts,
      name: 'bridge',
      subscriber: this.#subscriber,
      subscribe: () => this.#subscribe(),
      publish: () => ledger.mark(),
      onLost: () => {
        counters.add('bridge_subscriptions_lost');
        listener.lost();
      },
    });
  }

  /** True when it receives what is published. */
  get listens(): boolean {
    return this.#live.isAlive;
  }

  /** Begins to listen. */
  start(): void {
    const { markChannel } = this.#parts.ledger;
    // As bytes, which ioredis has anyway: text that was decoded does not tell whether it was UTF-8.
    this.#subscriber.on('messageBuffer', (name: Buffer, bytes: Buffer) => {
      const channel = name.toString();
      if (channel === markChannel) this.#marked(Number(bytes.toString()));
      else this.#listener.message(bytes, channel, undefined);
    });
    this.#subscriber.on('pmessageBuffer', (pattern: string, name: Buffer, bytes: Buffer) => {
      const channel = name.toString();
      // A pattern may cover the marks, which come by their own channel.
      if (channel.endsWith(MARK_CHANNEL_END)) return;
      this.#listener.message(bytes, channel, channel.slice(pattern.indexOf('*')));
    });
    this.#live.start();
  }

  close(): void {
    this.#live.stop();
    this.#subscriber.disconnect();
  }

  async #subscribe(): Promise<void> {
    const { channels } = this.#settings;
    const patterns = channels.filter((channel) => channel.includes('*'));
    const plain = channels.filter((channel) => !channel.includes('*'));
    // Marks come last: from the first one on, nothing may be missing.
    if (patterns.length > 0) await this.#subscriber.psubscribe(...patterns);
    await this.#subscriber.subscribe(...plain, this.#parts.ledger.markChannel);
    await this.#parts.ledger.mark();
  }

  #marked(mark: number): void {
    // Anybody who may publish on the channel can send anything.
    if (!Number.isSafeInteger(mark) || mark <= 0) return;
    this.#live.heard();
    this.#listener.marked(mark);
  }
}
