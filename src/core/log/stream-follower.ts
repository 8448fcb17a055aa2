import type { Clock } from '../clock.js';
import type { LogEntry } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectRedis, type RedisConnection } from '../redis/redis-connection.js';
import { FrozenError, unlessFrozen } from '../redis/unless-frozen.js';
import type { LogState } from './event-log.js';
import { FIRST_LOG_ID, logIdBefore } from './log-id.js';
import type { Shards } from './shards.js';
import { readFloor } from './stream-floor.js';
import type { RawEntry, StreamParser } from './stream-parser.js';

/** Entries read from Redis at once. */
const PAGE_SIZE = 1000;
/** How long one read waits for news, ms. */
const BLOCK_MS = 2000;
/** A read that takes so long says that Redis is frozen, ms. */
const MAX_READ_MS = BLOCK_MS + 2000;
/** Pause in ms after a read failed. */
const RETRY_MS = 200;

/** Which stream a {@link StreamFollower} follows. */
export interface StreamFollowerSettings {
  readonly url: string;
  readonly key: string;
  readonly shard: number;
  readonly shards: Shards;
  /** Entries the stream keeps. */
  readonly maxEvents: number;
}

/** Whom a {@link StreamFollower} tells, as a log tells its tail. */
export interface StreamTail {
  reset(floor: string): void;
  entries(batch: readonly LogEntry[]): void;
  /** {@link StreamFollower.state}, or whether it fails, has changed. */
  changed(state: LogState): void;
}

/** What a {@link StreamFollower} works with. */
export interface StreamFollowerParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** For what must not wait behind a blocking read. */
  readonly writer: RedisConnection;
  readonly parser: StreamParser;
  readonly tail: StreamTail;
  /** Rejects unless the stream may be followed; asked at each beginning. */
  readonly check: (redis: RedisConnection) => Promise<void>;
}

/** Follows one stream from a position of its own, on a connection of its own; goes on by itself after an outage. */
export class StreamFollower {
  readonly #settings: StreamFollowerSettings;
  readonly #parts: StreamFollowerParts;
  readonly #reader: RedisConnection;
  #state: LogState = 'starting';
  /** As the stream has it. */
  #lastId: string | null = null;
  #isFailing = false;
  #isFrozen = false;
  #closed = false;

  constructor(settings: StreamFollowerSettings, parts: StreamFollowerParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#reader = connectRedis(settings.url, 'read', parts.logger);
  }

  /** As that of a log. */
  get state(): LogState {
    return this.#state;
  }

  /** True while the stream can't be read. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** True from when Redis took far too long to answer until it answers again. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Begins with everything the stream still holds, and goes on until it is closed. */
  async follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#unlessFrozen(this.#parts.check(this.#reader));
        await this.#unlessFrozen(this.#findPosition());
        await this.#readOn();
      } catch (error) {
        if (this.#closed) return;
        this.#parts.logger.debug('reading the log failed', { reason: String(error) });
        this.#enter(this.#state === 'ready' ? 'unavailable' : this.#state, true);
        await new Promise<void>((resolve) => {
          this.#parts.clock.after(RETRY_MS, resolve);
        });
      }
    }
  }

  /** Tells nothing any more. */
  close(): void {
    this.#closed = true;
    // The reading is not waited for: told to disconnect between two attempts to connect, ioredis never settles what
    // waits for a connection.
    this.#reader.disconnect();
  }

  /** Finds where to read on; says so when what follows the last entry read is not whole any more. */
  async #findPosition(): Promise<void> {
    const floor = await readFloor(this.#reader, this.#settings.key);
    if (this.#lastId !== null && (this.#lastId === floor || (await this.#holds(this.#lastId)))) return;
    if (!this.#closed) this.#restart(floor);
  }

  /** Says so when entries between `from` and `first`, which were read after it, may have been trimmed unread. */
  async #checkLoss(from: string, first: string): Promise<void> {
    // What was trimmed since the read looks the same: better a gap too many than one too few.
    const isWhole =
      (await this.#holds(from)) || (await readFloor(this.#parts.writer, this.#settings.key)) === from;
    if (!this.#closed && !isWhole) this.#restart(logIdBefore(first, this.#settings.shards.maxSequence));
  }

  /** True when the stream holds the entry. An id that it gave and holds no more was trimmed, or lost with Redis' memory. */
  async #holds(id: string): Promise<boolean> {
    return (await this.#reader.xrange(this.#settings.key, id, id)).length > 0;
  }

  #restart(floor: string): void {
    const { shards, shard } = this.#settings;
    if (this.#lastId !== null) this.#parts.counters.add('log_breaks');
    this.#lastId = floor;
    this.#parts.tail.reset(shards.logId(shard, floor));
  }

  /** Reads until it fails; first what is there, then what comes. */
  async #readOn(): Promise<void> {
    const { key, shard, maxEvents } = this.#settings;
    const { parser, tail } = this.#parts;
    while (!this.#closed) {
      const from = this.#lastId ?? FIRST_LOG_ID;
      const caughtUp = this.#state === 'ready';
      const streams = await this.#unlessFrozen(
        caughtUp
          ? this.#reader.xread('COUNT', PAGE_SIZE, 'BLOCK', BLOCK_MS, 'STREAMS', key, from)
          : this.#reader.xread('COUNT', PAGE_SIZE, 'STREAMS', key, from),
      );
      if (this.#closed) return;
      const raw = (streams?.[0]?.[1] ?? []) as RawEntry[];
      const [first] = raw;
      const last = raw[raw.length - 1];
      if (first !== undefined && last !== undefined) {
        // So far behind, the stream may have been trimmed past this reader.
        if (raw.length >= Math.min(PAGE_SIZE, maxEvents)) {
          await this.#unlessFrozen(this.#checkLoss(from, first[0]));
        }
        if (this.#closed) return;
        this.#lastId = last[0];
        const entries = parser.parse(shard, raw);
        if (entries.length > 0) tail.entries(entries);
      }
      if (raw.length < PAGE_SIZE) this.#enter('ready', false);
    }
  }

  /** What Redis answers; rejects when it takes far longer than it was to. */
  async #unlessFrozen<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      const { clock } = this.#parts;
      const answered = await unlessFrozen(answer, { reader: this.#reader, clock, maxMs: MAX_READ_MS });
      this.#isFrozen = false;
      return answered;
    } catch (error) {
      if (error instanceof FrozenError) this.#isFrozen = true;
      throw error;
    }
  }

  #enter(state: LogState, isFailing: boolean): void {
    if ((this.#state === state && this.#isFailing === isFailing) || this.#closed) return;
    this.#state = state;
    this.#isFailing = isFailing;
    this.#parts.tail.changed(state);
  }
}
