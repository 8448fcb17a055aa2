import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectAgain, type RedisConnection } from './redis-connection.js';
import { isRefusedPermission } from './redis-errors.js';

/** How often a subscription is asked for a proof, ms. */
const PROBE_MS = 1000;
/** For so long the answer to a probe is waited for; a connection that broke may never give it, ms. */
const ANSWER_MS = 5000;
/** So many probes were published and none came back: the subscription is dead. */
const DEAD_PROBES = 3;
/** Pause after Redis refused to subscribe, ms. */
const RETRY_MS = 5000;

/** The subscriptions of a node, as its log and its metrics name them. */
export type SubscriptionName = 'bridge' | 'nodes' | 'socket_io';

/** What a {@link LiveSubscription} works with. */
export interface LiveSubscriptionParts {
  readonly name: SubscriptionName;
  readonly subscriber: RedisConnection;
  /** Subscribes to everything; called at each connection, and again when Redis refused. */
  readonly subscribe: () => Promise<unknown>;
  /**
   * Publishes a message that the subscription receives, over a connection that knows the master. Rejects, or resolves with
   * false, when Redis did not take it.
   */
  readonly publish: () => Promise<unknown>;
  /** The subscription was proved to be alive, for the first time at this connection. */
  readonly onAlive?: () => void;
  /** The subscription is gone: messages may be missed until the next {@link onAlive}. */
  readonly onLost?: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * Keeps a subscription alive. Subscribes at each connection, and proves that messages come: publishes probes and waits for
 * them. A connection alone proves nothing: after a failover it may stand, at a server on which nobody publishes any more. A
 * subscription on which three probes in a row did not come back is made anew. Only probes that Redis took count, so that a
 * busy process does not take itself for deaf.
 *
 * Counts `subscriptions_renewed`, by name.
 */
export class LiveSubscription {
  readonly #parts: LiveSubscriptionParts;
  #attempts = 0;
  #isSubscribed = false;
  #isAlive = false;
  #hasFailed = false;
  #unheard = 0;
  #heardAt = -Infinity;
  /** When the probe was published that Redis has not answered yet. */
  #askedAt: number | undefined;
  #endProbes: () => void = () => undefined;
  #stopped = false;

  constructor(parts: LiveSubscriptionParts) {
    this.#parts = parts;
  }

  /** True from the first proof at this connection until the connection ends. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Begins to subscribe and to probe. */
  start(): void {
    const { subscriber, clock } = this.#parts;
    const { emitter } = { emitter: subscriber as NodeJS.EventEmitter };
    // At every connection: ioredis itself renews only what Redis had confirmed.
    emitter.on('ready', () => void this.#subscribe());
    emitter.on('close', () => {
      this.#lose();
    });
    if (subscriber.status === 'ready') void this.#subscribe();
    this.#endProbes = clock.every(PROBE_MS, () => void this.#probe());
  }

  /** Redis refused a part of it: subscribes again in a while. */
  again(): void {
    const attempt = this.#attempts;
    this.#parts.clock.after(RETRY_MS, () => {
      if (attempt === this.#attempts && this.#parts.subscriber.status === 'ready') void this.#subscribe();
    });
  }

  /** A probe came, this node's or that of another node that shares the channel. */
  heard(): void {
    this.#unheard = 0;
    this.#heardAt = this.#parts.clock.elapsed();
    if (this.#isAlive) return;
    this.#isAlive = true;
    this.#parts.onAlive?.();
  }

  /** Subscribes and probes no more. */
  stop(): void {
    this.#stopped = true;
    this.#endProbes();
  }

  async #subscribe(): Promise<void> {
    if (this.#stopped) return;
    const { name, subscriber, subscribe, logger } = this.#parts;
    const attempt = (this.#attempts += 1);
    try {
      await subscribe();
      if (attempt !== this.#attempts) return;
      this.#isSubscribed = true;
      this.#hasFailed = false;
    } catch (error) {
      if (this.#stopped || attempt !== this.#attempts || subscriber.status !== 'ready') return;
      // A refused permission is told with what it takes.
      if (!this.#hasFailed && !isRefusedPermission(error)) {
        logger.error('subscribing failed', { subscription: name, reason: String(error) });
      }
      this.#hasFailed = true;
      this.again();
    }
  }

  async #probe(): Promise<void> {
    const { subscriber, publish, clock } = this.#parts;
    if (subscriber.status !== 'ready') return;
    const now = clock.elapsed();
    // Where nodes share a channel, the probe of one proves it for all.
    if (now - (this.#askedAt ?? -Infinity) < ANSWER_MS || now - this.#heardAt < PROBE_MS) return;
    if (this.#unheard >= DEAD_PROBES) return this.#renew();
    this.#askedAt = now;
    try {
      if ((await publish()) !== false) this.#unheard += 1;
    } catch {
      // Redis is away; that is not the subscription's fault.
    } finally {
      if (this.#askedAt === now) this.#askedAt = undefined;
    }
  }

  #renew(): void {
    const { name, subscriber, logger, counters } = this.#parts;
    this.#unheard = 0;
    // A subscription that was never made is tried again anyway.
    if (!this.#isSubscribed && !this.#isAlive) return;
    counters.add('subscriptions_renewed', name);
    logger.warn('a subscription is dead, subscribing again', { subscription: name });
    connectAgain(subscriber);
  }

  #lose(): void {
    this.#attempts += 1;
    this.#unheard = 0;
    this.#isSubscribed = false;
    if (!this.#isAlive) return;
    this.#isAlive = false;
    if (!this.#stopped) this.#parts.onLost?.();
  }
}
