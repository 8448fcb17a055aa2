import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import { type LogEntry, type NewEvent, parseFields } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { EventLog, LogPage, LogState, LogTail } from './event-log.js';
import { FIRST_LOG_ID, isLogId, logIdBefore } from './log-id.js';
import { connectRedis, type RedisConnection } from '../redis/redis-connection.js';
import { RefusedEvents } from './refused-events.js';
import { readFloor } from './stream-floor.js';
import { logUnavailable, StreamWriter } from './stream-writer.js';

/** Entries read from Redis at once. */
const PAGE_SIZE = 1000;
/** How long one read waits for news, ms. */
const BLOCK_MS = 2000;
/** So much longer than it was to wait a read may take before Redis counts as frozen, ms. */
const FROZEN_MS = 2000;
/** Pause in ms after a read failed. */
const RETRY_MS = 200;
/** How often the stream is trimmed, for the sake of publishers that append directly, ms. */
const TRIM_MS = 5000;

/** Where and how a {@link RedisLog} keeps events. */
export interface RedisLogSettings {
  readonly url: string;
  readonly keyPrefix: string;
  /** Entries kept; trimmed approximately. */
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
}

type RawEntry = [id: string, fields: string[]];

/**
 * The log as a Redis Stream, `<prefix>:{log}`, fields `type room key timestamp data`: shared by all nodes, and open
 * to any publisher that can `XADD`. Each instance reads it from a position of its own, on a connection of its own.
 */
export class RedisLog implements EventLog {
  readonly kind = 'redis';
  readonly #settings: RedisLogSettings;
  readonly #parts: RedisLogParts;
  readonly #key: string;
  readonly #refused: RefusedEvents;
  readonly #writer: RedisConnection;
  readonly #reader: RedisConnection;
  readonly #streamWriter: StreamWriter;
  readonly #endTrim: () => void;
  #state: LogState = 'starting';
  #lastId: string | null = null;
  #isFrozen = false;
  #closed = false;

  constructor(settings: RedisLogSettings, parts: RedisLogParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#refused = new RefusedEvents('stream', parts);
    this.#key = `${settings.keyPrefix}:{log}`;
    this.#writer = connectRedis(settings.url, 'write', parts.logger);
    this.#reader = connectRedis(settings.url, 'read', parts.logger);
    this.#streamWriter = new StreamWriter(this.#writer, { ...settings, stream: this.#key }, parts.clock);
    this.#endTrim = parts.clock.every(TRIM_MS, () => {
      // A failure is no news here: the tail tells when Redis is away.
      this.#writer.xtrim(this.#key, 'MAXLEN', '~', settings.maxEvents).catch(() => undefined);
    });
  }

  get state(): LogState {
    return this.#state;
  }

  start(tail: LogTail): void {
    void this.#follow(tail);
  }

  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    if (events.length === 0) return Promise.resolve([]);
    // What is sent to a frozen Redis would be stored when it thaws, long after it was refused.
    if (this.#isFrozen) return Promise.resolve(logUnavailable(false));
    return this.#streamWriter.append(events);
  }

  async readAfter(cursor: string, limit: number): Promise<LogPage | Refusal> {
    if (!isLogId(cursor)) return { entries: [], whole: false };
    try {
      for (let from = cursor; ; ) {
        const read = (await this.#writer.xrange(this.#key, from, '+', 'COUNT', limit + 1)) as RawEntry[];
        // Where the cursor's own entry is there, nothing that followed it can be missing.
        const isThere = read[0]?.[0] === from;
        if (!isThere && !(await this.#isFloor(from))) return { entries: [], whole: false };
        const raw = isThere ? read.slice(1) : read.slice(0, limit);
        const entries = this.#parse(raw);
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
    this.#reader.disconnect();
    this.#writer.disconnect();
    // The reading is not waited for: told to disconnect between two attempts to connect, ioredis never settles what
    // waits for a connection.
    return Promise.resolve();
  }

  async #follow(tail: LogTail): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#unlessFrozen(this.#findPosition(tail));
        await this.#readOn(tail);
      } catch (error) {
        if (this.#closed) return;
        this.#parts.logger.debug('reading the log failed', { reason: String(error) });
        if (this.#state === 'ready') this.#enter('unavailable', tail);
        await new Promise<void>((resolve) => {
          this.#parts.clock.after(RETRY_MS, resolve);
        });
      }
    }
  }

  /** Finds where to read on; says so when what follows the last entry read is not whole any more. */
  async #findPosition(tail: LogTail): Promise<void> {
    const floor = await readFloor(this.#reader, this.#key);
    if (this.#lastId !== null && (this.#lastId === floor || (await this.#holds(this.#lastId)))) return;
    if (!this.#closed) this.#restart(floor, tail);
  }

  /** Says so when entries between `from` and `first`, which were read after it, may have been trimmed unread. */
  async #checkLoss(from: string, first: string, tail: LogTail): Promise<void> {
    // What was trimmed since the read looks the same: better a gap too many than one too few.
    const isWhole = (await this.#holds(from)) || (await this.#isFloor(from));
    if (!this.#closed && !isWhole) this.#restart(logIdBefore(first), tail);
  }

  /** True when the stream holds the entry. An id that it gave and holds no more was trimmed, or lost with Redis' memory. */
  async #holds(id: string): Promise<boolean> {
    return (await this.#reader.xrange(this.#key, id, id)).length > 0;
  }

  /** True for the place before all entries. */
  async #isFloor(id: string): Promise<boolean> {
    return (await readFloor(this.#writer, this.#key)) === id;
  }

  #restart(floor: string, tail: LogTail): void {
    if (this.#lastId !== null) this.#parts.counters.add('log_breaks');
    this.#lastId = floor;
    tail.reset(floor);
  }

  /** Reads until it fails; first what is there, then what comes. */
  async #readOn(tail: LogTail): Promise<void> {
    const { maxEvents } = this.#settings;
    while (!this.#closed) {
      const from = this.#lastId ?? FIRST_LOG_ID;
      const caughtUp = this.#state === 'ready';
      const streams = await this.#unlessFrozen(
        caughtUp
          ? this.#reader.xread('COUNT', PAGE_SIZE, 'BLOCK', BLOCK_MS, 'STREAMS', this.#key, from)
          : this.#reader.xread('COUNT', PAGE_SIZE, 'STREAMS', this.#key, from),
      );
      if (this.#closed) return;
      const raw = (streams?.[0]?.[1] ?? []) as RawEntry[];
      const [first] = raw;
      const last = raw[raw.length - 1];
      if (first !== undefined && last !== undefined) {
        // So far behind, the stream may have been trimmed past this reader.
        if (raw.length >= Math.min(PAGE_SIZE, maxEvents)) {
          await this.#unlessFrozen(this.#checkLoss(from, first[0], tail));
        }
        if (this.#closed) return;
        this.#lastId = last[0];
        const entries = this.#parse(raw);
        if (entries.length > 0) tail.entries(entries);
      }
      if (raw.length < PAGE_SIZE) this.#enter('ready', tail);
    }
  }

  /** What Redis answers; rejects when it takes far longer than it was to. */
  async #unlessFrozen<Answer>(answer: Promise<Answer>): Promise<Answer> {
    let stopWaiting: (() => void) | undefined;
    const frozen = new Promise<never>((_, reject) => {
      stopWaiting = this.#parts.clock.after(BLOCK_MS + FROZEN_MS, () => {
        this.#isFrozen = true;
        // What it may still answer was asked by a connection that is no more.
        this.#reader.disconnect(true);
        reject(new Error('redis does not answer'));
      });
    });
    const answered = await Promise.race([answer, frozen]).finally(() => stopWaiting?.());
    this.#isFrozen = false;
    return answered;
  }

  #enter(state: LogState, tail: LogTail): void {
    if (this.#state === state) return;
    this.#state = state;
    tail.state(state);
  }

  /** Entries that are events; others were never ingested by flipgate, reach no client and are counted. */
  #parse(raw: readonly RawEntry[]): LogEntry[] {
    const limits = { maxDataBytes: this.#settings.maxDataBytes, nowMs: 0 };
    const entries: LogEntry[] = [];
    for (const [id, flat] of raw) {
      const fields = new Map<string, string>();
      for (let index = 0; index + 1 < flat.length; index += 2) {
        fields.set(flat[index] as string, flat[index + 1] as string);
      }
      const event = parseFields(fields, { ...limits, nowMs: Number(id.slice(0, id.indexOf('-'))) });
      if (event instanceof Refusal) this.#refused.note(event);
      else entries.push({ ...event, id });
    }
    return entries;
  }
}
