import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectRedis, type RedisConnection } from '../redis/redis-connection.js';
import type { EventLog, LogPage, LogState, LogTail } from './event-log.js';
import { isLogId } from './log-id.js';
import { RefusedEvents } from './refused-events.js';
import { ShardAgreement } from './shard-agreement.js';
import { Shards } from './shards.js';
import { readFloor } from './stream-floor.js';
import { StreamFollower } from './stream-follower.js';
import { streamKey } from './stream-key.js';
import { type RawEntry, StreamParser } from './stream-parser.js';
import { NOTHING_STORED } from './stream-writer.js';
import { StreamWriters } from './stream-writers.js';

/** How often streams are trimmed, for the sake of publishers that append directly, and the agreement is asked for, ms. */
const TRIM_MS = 5000;

/** Where and how a {@link RedisLog} keeps events. */
export interface RedisLogSettings {
  readonly url: string;
  readonly keyPrefix: string;
  /** Shards of the log, 1–64; the same on all nodes. */
  readonly shards: number;
  /** Entries kept, an equal part of them in each shard; trimmed approximately. */
  readonly maxEvents: number;
  /** Replicas that must have an event before it counts as stored. */
  readonly minReplicas: number;
  /** Most bytes of one event's data; a stream entry with more reaches no client. */
  readonly maxDataBytes: number;
}

/** What a {@link RedisLog} works with. */
export interface RedisLogParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** The rooms an event goes to: they say in which shards it belongs. */
  readonly roomsOf: (event: NewEvent) => readonly string[];
}

/**
 * The log as Redis Streams, one for each shard ({@link streamKey}), fields `type room key timestamp data`: shared by all
 * nodes, and open to any publisher that can `XADD`. Each instance reads those that it is told to follow, each from a
 * position of its own, on a connection of its own.
 */
export class RedisLog implements EventLog {
  readonly kind = 'redis';
  readonly shards: Shards;
  readonly #settings: RedisLogSettings;
  readonly #parts: RedisLogParts;
  /** Entries each shard keeps, approximately. */
  readonly maxEventsPerShard: number;
  readonly agreed: Promise<void>;
  #nowAgreed: () => void = () => undefined;
  readonly #writer: RedisConnection;
  readonly #writers: StreamWriters;
  readonly #parser: StreamParser;
  readonly #agreement: ShardAgreement;
  readonly #endTrim: () => void;
  readonly #followers = new Map<number, StreamFollower>();
  #tail: LogTail | undefined;
  #state: LogState = 'starting';
  #agreed = false;
  #agreeing: Promise<Refusal | undefined> | undefined;
  #closed = false;

  constructor(settings: RedisLogSettings, parts: RedisLogParts) {
    const { url, keyPrefix, maxDataBytes } = settings;
    const { clock, logger, roomsOf } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.shards = new Shards(settings.shards);
    this.maxEventsPerShard = Math.ceil(settings.maxEvents / settings.shards);
    this.#writer = connectRedis(url, 'write', logger);
    this.agreed = new Promise((resolve) => {
      this.#nowAgreed = resolve;
    });
    this.#agreement = new ShardAgreement(keyPrefix, settings.shards, logger);
    const refused = new RefusedEvents('stream', parts);
    this.#parser = new StreamParser({ shards: this.shards, roomsOf, maxDataBytes, refused });
    this.#writers = new StreamWriters(
      this.#writer,
      { ...settings, maxEvents: this.maxEventsPerShard, shards: this.shards },
      { clock, roomsOf },
    );
    this.#endTrim = clock.every(TRIM_MS, () => {
      this.#lookAfter();
    });
  }

  get state(): LogState {
    return this.#state;
  }

  start(tail: LogTail, shards: readonly number[] = [...Array(this.shards.count).keys()]): void {
    this.#tail = tail;
    for (const shard of shards) this.follow(shard);
  }

  get followed(): readonly number[] {
    return [...this.#followers.keys()];
  }

  follow(shard: number): void {
    if (this.#tail === undefined || this.#closed || this.#followers.has(shard)) return;
    const follower = this.#followerOf(shard, this.#tail);
    this.#followers.set(shard, follower);
    void follower.follow();
  }

  unfollow(shard: number): void {
    this.#followers.get(shard)?.close();
    this.#followers.delete(shard);
    this.#update();
  }

  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    if (events.length === 0) return Promise.resolve([]);
    // What is sent to a frozen Redis would be stored when it thaws, long after it was refused.
    for (const { isFrozen } of this.#followers.values()) {
      if (isFrozen) return Promise.resolve(NOTHING_STORED);
    }
    if (this.#agreed) return this.#writers.append(events);
    // All that comes meanwhile waits for the same answer, so that the order of calls is kept.
    this.#agreeing ??= this.#agree();
    return this.#agreeing.then((refusal) => refusal ?? this.#writers.append(events));
  }

  async readAfter(id: string, limit: number): Promise<LogPage | Refusal> {
    if (!isLogId(id)) return { entries: [], whole: false };
    const shard = this.shards.ofId(id);
    const key = this.#keyOf(shard);
    try {
      for (let from = this.shards.storedId(id); ; ) {
        const read = (await this.#writer.xrange(key, from, '+', 'COUNT', limit + 1)) as RawEntry[];
        // Where the id's own entry is there, nothing that followed it can be missing.
        const isThere = read[0]?.[0] === from;
        if (!isThere && (await readFloor(this.#writer, key)) !== from) return { entries: [], whole: false };
        const raw = isThere ? read.slice(1) : read.slice(0, limit);
        const entries = this.#parser.parse(shard, raw);
        const last = raw[raw.length - 1];
        // A page of nothing but what is no event says nothing of what follows it.
        if (entries.length > 0 || last === undefined || raw.length < limit) return { entries, whole: true };
        from = last[0];
      }
    } catch {
      return new Refusal('log_unavailable', 'the event log can not be reached', 1000);
    }
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#endTrim();
    for (const follower of this.#followers.values()) follower.close();
    this.#writer.disconnect();
    return Promise.resolve();
  }

  #keyOf(shard: number): string {
    return streamKey(this.#settings.keyPrefix, this.shards, shard);
  }

  #followerOf(shard: number, tail: LogTail): StreamFollower {
    const { shards } = this;
    const settings = { url: this.#settings.url, key: this.#keyOf(shard), shard, shards };
    return new StreamFollower(
      { ...settings, maxEvents: this.maxEventsPerShard },
      {
        ...this.#parts,
        writer: this.#writer,
        parser: this.#parser,
        tail: {
          reset: (floor) => {
            tail.reset(floor);
          },
          entries: (batch) => {
            tail.entries(batch);
          },
          changed: (state) => {
            if (state === 'ready') tail.caughtUp(shard);
            this.#update();
          },
        },
        check: async (redis) => {
          if (!(await this.#agreement.check(redis))) throw new Error('LOG_SHARDS is not what it is in Redis');
          this.#nowAgreed();
          if (this.#agreeing === undefined) this.#agreed = true;
        },
      },
    );
  }

  /** Asks whether the nodes agree, before the first append, and again while they don't. */
  async #agree(): Promise<Refusal | undefined> {
    const agreed = await this.#agreement.check(this.#writer).catch(() => undefined);
    if (agreed === true) {
      // Not before those have been handed on that wait for this.
      setImmediate(() => {
        this.#agreed = this.#agreement.others === null;
        this.#agreeing = undefined;
      });
      return undefined;
    }
    this.#agreeing = undefined;
    const { others } = this.#agreement;
    const why =
      others === null ? 'the event log can not be reached' : `LOG_SHARDS differs, it is ${others} in Redis`;
    return new Refusal('log_unavailable', `${why}; nothing was stored`, 1000);
  }

  #lookAfter(): void {
    for (let shard = 0; shard < this.shards.count; shard += 1) {
      // A failure is no news here: the tail tells when Redis is away.
      this.#writer.xtrim(this.#keyOf(shard), 'MAXLEN', '~', this.maxEventsPerShard).catch(() => undefined);
    }
    void this.#checkAgain().catch(() => undefined);
  }

  async #checkAgain(): Promise<void> {
    const agreed = await this.#agreement.check(this.#writer);
    this.#agreed &&= agreed;
    this.#update();
  }

  /** Finds the state of the whole; says so when it has changed. */
  #update(): void {
    const followers = [...this.#followers.values()];
    const isAway = followers.some(({ isFailing }) => isFailing) || this.#agreement.others !== null;
    const before = this.#state;
    if (before === 'starting') {
      if (followers.every(({ state }) => state === 'ready') && !isAway) this.#state = 'ready';
    } else {
      this.#state = isAway ? 'unavailable' : 'ready';
    }
    if (this.#state !== before && !this.#closed) this.#tail?.state(this.#state);
  }
}
