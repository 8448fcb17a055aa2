import type { EventEmitter } from 'node:events';
import type { RedisConnection } from '../../core/redis/redis-connection.js';

type Listener = (...args: unknown[]) => unknown;

/**
 * A subscriber as Socket.IO's Redis adapter uses it. The adapter takes whatever comes on its channels for what its like
 * has sent: at anything else it throws, or rejects, where nobody catches it and the process would end. Here that is
 * caught.
 */
export class GuardedSubscriber {
  readonly #redis: RedisConnection;
  readonly #emitter: EventEmitter;
  readonly #onFault: (error: unknown) => void;
  /** Told when Redis refused a subscription. */
  onRefused: () => void = () => undefined;
  readonly #patterns = new Set<string>();
  readonly #channels = new Set<string>();
  readonly #guarded = new Map<Listener, Listener>();

  /** `onFault` is told what a listener threw, or rejected with. */
  constructor(redis: RedisConnection, onFault: (error: unknown) => void) {
    this.#redis = redis;
    this.#emitter = redis;
    this.#onFault = onFault;
  }

  /** Subscribes to everything that was asked for, confirmed before or not; to be called at each connection. */
  async subscribeAll(): Promise<void> {
    const results = await Promise.allSettled([
      this.#patterns.size > 0 ? this.#redis.psubscribe(...this.#patterns) : undefined,
      // Each by itself: Redis refuses a command whole.
      ...[...this.#channels].map((channel) => this.#redis.subscribe(channel)),
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Subscribes to patterns of channels. */
  psubscribe(...patterns: readonly string[]): void {
    for (const pattern of patterns) this.#patterns.add(pattern);
    if (this.#redis.status === 'ready') this.#send(this.#redis.psubscribe(...patterns));
  }

  /** Subscribes to channels. */
  subscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.add(channel);
    if (this.#redis.status === 'ready') this.#send(this.#redis.subscribe(...channels));
  }

  /** Undoes {@link psubscribe}. */
  punsubscribe(...patterns: readonly string[]): void {
    for (const pattern of patterns) this.#patterns.delete(pattern);
    this.#redis.punsubscribe(...patterns).catch(() => undefined);
  }

  /** Undoes {@link subscribe}. */
  unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.delete(channel);
    this.#redis.unsubscribe(...channels).catch(() => undefined);
  }

  /** As an emitter's; a listener that throws or rejects is the guard's concern. */
  on(name: string, listener: Listener): this {
    const guarded: Listener = (...args) => void this.#run(listener, args);
    this.#guarded.set(listener, guarded);
    this.#emitter.on(name, guarded);
    return this;
  }

  /** Undoes {@link on}. */
  off(name: string, listener: Listener): this {
    this.#emitter.off(name, this.#guarded.get(listener) ?? listener);
    this.#guarded.delete(listener);
    return this;
  }

  /** After a lost connection everything is subscribed to again. */
  #send(subscribed: Promise<unknown>): void {
    subscribed.catch(() => {
      this.onRefused();
    });
  }

  async #run(listener: Listener, args: readonly unknown[]): Promise<void> {
    try {
      await listener.apply(this.#emitter, [...args]);
    } catch (error) {
      this.#onFault(error);
    }
  }
}
