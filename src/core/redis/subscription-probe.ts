import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { RedisConnection } from './redis-connection.js';

/** How often a subscription is asked for a proof, ms. */
const PROBE_MS = 1000;
/** For so long the answer to a probe is waited for; a connection that broke may never give it, ms. */
const ANSWER_MS = 5000;
/** So many probes were published and none came back: the subscription is dead. */
const DEAD_PROBES = 3;

/** The subscriptions of a node, as its log and its metrics name them. */
export type SubscriptionName = 'bridge' | 'nodes' | 'socket_io';

/** What a {@link SubscriptionProbe} works with. */
export interface ProbeParts {
  readonly name: SubscriptionName;
  readonly subscriber: RedisConnection;
  /**
   * Publishes a message that the subscription receives, over a connection that writes, so that the message goes to the
   * master. Rejects, or resolves with false, when Redis did not take it.
   */
  readonly publish: () => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * Proves that a subscription is alive: publishes to it, and waits for the message. A connection alone proves nothing: after
 * a failover it may stand, at a server on which nobody publishes any more. A subscription on which three probes in a row did not
 * come back is made anew. Only probes that Redis took count, so that a busy process does not take itself for deaf.
 *
 * Counts `subscriptions_renewed`, by name.
 */
export class SubscriptionProbe {
  readonly #parts: ProbeParts;
  #unheard = 0;
  #heardAt = -Infinity;
  /** When the probe was published that Redis has not answered yet. */
  #askedAt: number | undefined;
  #stop: () => void = () => undefined;

  constructor(parts: ProbeParts) {
    this.#parts = parts;
  }

  /** Begins to probe. */
  start(): void {
    this.#stop = this.#parts.clock.every(PROBE_MS, () => void this.#probe());
  }

  /** A probe came, this node's or that of another which publishes at the same server. */
  heard(): void {
    this.#unheard = 0;
    this.#heardAt = this.#parts.clock.elapsed();
  }

  /** Probes no more. */
  stop(): void {
    this.#stop();
  }

  async #probe(): Promise<void> {
    const { subscriber, publish, clock } = this.#parts;
    if (subscriber.status !== 'ready') {
      this.#unheard = 0;
      return;
    }
    // Where nodes share a channel, the probe of one proves it for all.
    const now = clock.elapsed();
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
    counters.add('subscriptions_renewed', name);
    logger.warn('a subscription is dead, subscribing again', { subscription: name });
    subscriber.disconnect(true);
  }
}
