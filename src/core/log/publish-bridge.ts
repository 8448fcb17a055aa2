import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { BridgeLedger } from './bridge-ledger.js';
import { PlacedQueue } from './placed-queue.js';
import { parsePublished } from './published-message.js';
import { connectSubscriber } from '../redis/redis-connection.js';
import { RefusedEvents } from './refused-events.js';

/** Events appended at once. */
const BATCH_SIZE = 500;
/** How often the lease is asked for or renewed, ms. */
const BEAT_MS = 500;
/** For so many beats a node that lost its subscription leaves the lease to others, who missed nothing. */
const YIELD_BEATS = 3;
/** How often whoever copies publishes a mark, by which all know that they still listen, ms. */
const MARK_MS = 2000;
/** Longest time in ms that giving the lease back may take when the node stops. */
const RELEASE_MS = 1000;
/** A subscription on which nothing came for so long, not even a mark, is dead, ms. */
const DEAF_MS = 7000;

/** What a {@link PublishBridge} listens to. */
export interface BridgeSettings {
  readonly url: string;
  /** Channels, and patterns with a `*` (such as `events:*`), whose tail names the room. The same on all nodes. */
  readonly channels: readonly string[];
  readonly maxDataBytes: number;
}

/** What a {@link PublishBridge} works with. */
export interface BridgeParts {
  readonly ledger: BridgeLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * What a node's bridge does: copies, stands by with the last seconds in memory, leaves copying to others for a while since
 * it missed something, or has no subscription.
 */
export type BridgeRole = 'copying' | 'standing by' | 'coming back' | 'not listening';

/**
 * Copies what existing publishers `PUBLISH` on Redis channels into the log, in order. Every node listens; the one that
 * holds the lease copies, the others keep what it has not copied yet, and whoever takes over goes on from there.
 */
export class PublishBridge {
  readonly #settings: BridgeSettings;
  readonly #parts: BridgeParts;
  readonly #subscriber: Redis;
  readonly #refused: RefusedEvents;
  readonly #token = randomUUID();
  readonly #queue = new PlacedQueue();
  /**
   * Number of the last mark that came; null while messages have no place, after a lost connection. At first 0: what
   * comes before the first mark is copied only if nobody has ever copied anything.
   */
  #mark: number | null = 0;
  #count = 0;
  #holds = false;
  /** What came after later marks is not this node's to copy: it missed what came before. */
  #copyToMark = Infinity;
  #yieldFor = 0;
  /** The lease may still be this node's, which must not use it. */
  #owesRelease = false;
  #heardAt = 0;
  #markedAt = -Infinity;
  #beating = false;
  #draining: Promise<void> | null = null;
  #endBeat: () => void = () => undefined;
  #closed = false;

  constructor(settings: BridgeSettings, parts: BridgeParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#refused = new RefusedEvents('PUBLISH', parts);
    this.#subscriber = connectSubscriber(settings.url, parts.ledger.markChannel, parts.logger);
  }

  /** What it does now. */
  get role(): BridgeRole {
    if (this.#mark === null || this.#mark === 0) return 'not listening';
    if (this.#yieldFor > 0) return 'coming back';
    return this.#holds ? 'copying' : 'standing by';
  }

  /** Begins to listen; goes on by itself after a lost connection. */
  start(): void {
    const { markChannel } = this.#parts.ledger;
    this.#subscriber.on('message', (channel: string, text: string) => {
      this.#heardAt = this.#parts.clock.elapsed();
      if (channel === markChannel) this.#markAt(Number(text));
      else this.#take(text, undefined);
    });
    this.#subscriber.on('pmessage', (pattern: string, channel: string, text: string) => {
      // A pattern may cover the marks, which come by their own channel.
      if (channel !== markChannel) this.#take(text, channel.slice(pattern.indexOf('*')));
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
    this.#endBeat = this.#parts.clock.every(BEAT_MS, () => void this.#beat());
  }

  /** Stops listening, then copies what waits, as far as Redis takes it, and gives the lease back. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endBeat();
    this.#subscriber.disconnect();
    await this.#draining;
    const released = this.#parts.ledger.release(this.#token);
    // A Redis that does not answer will see the lease expire.
    await Promise.race([
      released,
      new Promise<void>((done) => void this.#parts.clock.after(RELEASE_MS, done)),
    ]);
    this.#parts.ledger.close();
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
    if (this.#yieldFor === 0) void this.#beat();
  }

  /** The subscription is gone, and messages may be missed: others, who miss none, are to go on. */
  #lose(): void {
    if (this.role === 'not listening' || this.#mark === null || this.#closed) return;
    this.#parts.counters.add('bridge_subscriptions_lost');
    this.#copyToMark = Math.min(this.#copyToMark, this.#mark);
    this.#mark = null;
    this.#yieldFor = YIELD_BEATS;
  }

  #take(text: string, room: string | undefined): void {
    this.#count += 1;
    // Without a place it can't be told from what others copied; it came before this node was known to listen.
    if (this.#mark === null) return;
    const { maxDataBytes } = this.#settings;
    const event = parsePublished(text, room, { maxDataBytes, nowMs: this.#parts.clock.now() });
    if (event instanceof Refusal) {
      // Every node sees it; one counts it.
      if (this.#holds) this.#refused.note(event);
    } else if (!this.#queue.push(event, { mark: this.#mark, count: this.#count })) {
      this.#parts.counters.add('events_dropped', this.#holds ? 'bridge_full' : 'bridge_standby_full');
    } else if (this.#holds) {
      this.#startDraining();
    }
  }

  /** Asks for the lease, or renews it, and forgets what has been copied. */
  async #beat(): Promise<void> {
    if (this.#beating || this.#closed) return;
    this.#beating = true;
    await this.#listen();
    if (this.#yieldFor > 0) await this.#yield();
    else if (this.role !== 'not listening') await this.#hold();
    this.#beating = false;
  }

  /** Keeps marks coming, and gives up a subscription on which none come. */
  async #listen(): Promise<void> {
    if (this.#subscriber.status !== 'ready') return;
    const now = this.#parts.clock.elapsed();
    if (now - this.#heardAt > DEAF_MS) {
      this.#heardAt = now;
      this.#parts.logger.warn('the subscription is dead, subscribing again');
      this.#subscriber.disconnect(true);
    } else if ((this.#holds || this.role === 'not listening') && now - this.#markedAt > MARK_MS) {
      this.#markedAt = now;
      await this.#parts.ledger.mark();
    }
  }

  async #hold(): Promise<void> {
    const answer = await this.#parts.ledger.hold(this.#token);
    if (answer instanceof Refusal) return;
    if (answer.held !== this.#holds) {
      this.#parts.logger.info(answer.held ? 'copies published messages' : 'stands by for published messages');
    }
    this.#holds = answer.held;
    // While it drains, what it gave to the log is taken out there.
    if (this.#draining === null) this.#queue.dropUpTo(answer.copiedTo);
    if (this.#holds && this.#queue.length > 0) this.#startDraining();
  }

  /** Copies what it had before its subscription broke, gives the lease back, and lets some beats pass. */
  async #yield(): Promise<void> {
    if (this.#holds) {
      await this.#draining;
      this.#holds = false;
      this.#owesRelease = true;
    }
    // Not before the lease is given back, and the node listens again, can others be said to have had their turn.
    if (this.#owesRelease && (await this.#parts.ledger.release(this.#token)) instanceof Refusal) return;
    this.#owesRelease = false;
    if (this.#mark === null) return;
    this.#yieldFor -= 1;
    if (this.#yieldFor === 0) this.#copyToMark = Infinity;
  }

  #startDraining(): void {
    if (this.#draining !== null) return;
    this.#draining = this.#drain().finally(() => {
      this.#draining = null;
    });
  }

  async #drain(): Promise<void> {
    const { ledger, clock, counters } = this.#parts;
    while (this.#holds) {
      const batch = this.#queue.first(BATCH_SIZE).filter(({ mark }) => mark <= this.#copyToMark);
      if (batch.length === 0) break;
      const copied = await ledger.append(this.#token, batch);
      if (copied === true) {
        this.#queue.drop(batch.length);
      } else if (copied === false) {
        this.#holds = false;
      } else if (this.#closed) {
        counters.add('events_dropped', 'bridge_closed', this.#queue.length);
        break;
      } else {
        await new Promise<void>((resolve) => {
          clock.after(copied.retryAfterMs ?? 1000, resolve);
        });
      }
    }
  }
}
