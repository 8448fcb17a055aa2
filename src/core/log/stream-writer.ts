import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import { type NewEvent, toFields } from '../event.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import { isUnanswered } from '../redis/unanswered.js';
import { entrySize } from './entry-size.js';

/** Events that may wait to be written; … */
const MAX_WAITING_EVENTS = 100_000;
/** … and their bytes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Events written at once, unless one publication has more; … */
const MAX_BATCH_EVENTS = 1000;
/** … and their bytes. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** For how long a write whose answer was lost is asked about again, ms. */
const PATIENCE_MS = 6000;
/** Pause between two such questions, ms. */
const RETRY_MS = 50;
/** How long Redis waits for its replicas before it is asked again, ms. */
const REPLICAS_MS = 1000;
/** How long Redis remembers a writer's last write, ms; longer than any write is asked about. */
const MEMORY_MS = 60_000;

/**
 * Appends events, unless this is the write that was done last: then only tells its ids again. KEYS: stream, writer;
 * ARGV: number of the write, ms to remember it, most entries, then for each event the number of its fields, and those.
 */
const WRITE = new RedisScript(`
local last = redis.call('hmget', KEYS[2], 'number', 'ids')
if last[1] == ARGV[1] then
  -- Written, so that waiting for replicas after it means something.
  redis.call('pexpire', KEYS[2], ARGV[2])
  return last[2]
end
if tonumber(last[1] or 0) > tonumber(ARGV[1]) then return redis.error_reply('a late copy of an earlier write') end
local ids = {}
local i = 4
while ARGV[i] do
  local n = tonumber(ARGV[i])
  ids[#ids + 1] = redis.call('xadd', KEYS[1], '*', unpack(ARGV, i + 1, i + n))
  i = i + n + 1
end
redis.call('xtrim', KEYS[1], 'MAXLEN', '~', ARGV[3])
local told = table.concat(ids, ' ')
redis.call('hset', KEYS[2], 'number', ARGV[1], 'ids', told)
redis.call('pexpire', KEYS[2], ARGV[2])
return told`);

/** Redis could not be told. */
export const NOTHING_STORED = new Refusal(
  'log_unavailable',
  'the event log can not be reached; nothing was stored',
  1000,
);
/** Redis was told, and its answer never came. */
export const MAYBE_STORED = new Refusal(
  'outcome_unknown',
  'the event log can not be reached; it is not known whether this was stored',
  1000,
);
/** Redis was not told. */
export const TOO_MUCH_WAITS = new Refusal(
  'log_unavailable',
  'too much waits for the event log; nothing was stored',
  1000,
);

/** Where a {@link StreamWriter} writes. */
export interface StreamWriterSettings {
  readonly stream: string;
  /** Entries the stream keeps, approximately. */
  readonly maxEvents: number;
  /** Replicas that must have a write before it is acknowledged. */
  readonly minReplicas: number;
}

/** Events that are to be in the log together or not at all, and whom to tell. */
interface Publication {
  readonly events: readonly NewEvent[];
  readonly bytes: number;
  readonly answer: (ids: readonly string[] | Refusal) => void;
}

/**
 * Writes to a Redis Stream, one write at a time: what comes meanwhile goes together with the next. A write whose answer
 * was lost is asked about again and never done twice.
 */
export class StreamWriter {
  readonly #redis: RedisConnection;
  readonly #keys: readonly [stream: string, writer: string];
  readonly #settings: StreamWriterSettings;
  readonly #clock: Clock;
  #waiting: Publication[] = [];
  #waitingEvents = 0;
  #waitingBytes = 0;
  #writes = 0;
  #busy = false;

  /** `redis` fails at once while Redis is away. */
  constructor(redis: RedisConnection, settings: StreamWriterSettings, clock: Clock) {
    this.#redis = redis;
    this.#keys = [settings.stream, `${settings.stream}:writer:${randomUUID()}`];
    this.#settings = settings;
    this.#clock = clock;
  }

  /** False when too much waits already; {@link append} would then refuse these events. */
  canTake(events: readonly NewEvent[]): boolean {
    return this.#hasRoom(events.length, bytesOf(events));
  }

  #hasRoom(events: number, bytes: number): boolean {
    const isFull =
      this.#waitingEvents + events > MAX_WAITING_EVENTS || this.#waitingBytes + bytes > MAX_WAITING_BYTES;
    return !isFull || this.#waiting.length === 0;
  }

  /**
   * Appends all events or none, as {@link EventLog.append} does; resolves with their ids in the stream. Refuses with
   * {@link NOTHING_STORED}, {@link MAYBE_STORED} or {@link TOO_MUCH_WAITS}.
   */
  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    const bytes = bytesOf(events);
    if (!this.#hasRoom(events.length, bytes)) return Promise.resolve(TOO_MUCH_WAITS);
    return new Promise((answer) => {
      this.#waiting.push({ events, bytes, answer });
      this.#waitingEvents += events.length;
      this.#waitingBytes += bytes;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      const ids = await this.#write(batch.flatMap(({ events }) => events));
      let told = 0;
      for (const { events, answer } of batch) {
        answer(ids instanceof Refusal ? ids : ids.slice(told, told + events.length));
        told += events.length;
      }
    }
    this.#busy = false;
  }

  /** The publications of the next write. */
  #take(): readonly Publication[] {
    let count = 0;
    let events = 0;
    let bytes = 0;
    for (const one of this.#waiting) {
      events += one.events.length;
      bytes += one.bytes;
      if (count > 0 && (events > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES)) break;
      count += 1;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    for (const one of batch) {
      this.#waitingEvents -= one.events.length;
      this.#waitingBytes -= one.bytes;
    }
    return batch;
  }

  /** Refuses what was never sent. */
  #refuseWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingEvents = 0;
    this.#waitingBytes = 0;
    for (const { answer } of waiting) answer(NOTHING_STORED);
  }

  async #write(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    const number = String((this.#writes += 1));
    const fields = events.flatMap((event) => {
      const flat = toFields(event);
      return [flat.length, ...flat];
    });
    const begunAt = this.#clock.elapsed();
    for (let mayBeStored = false; ; ) {
      try {
        const told = await this.#ask([number, MEMORY_MS, this.#settings.maxEvents, ...fields]);
        return told.split(' ');
      } catch (error) {
        if (isUnanswered(error)) mayBeStored = true;
        // Redis is away, or does not answer: what was never sent need not wait for what was.
        this.#refuseWaiting();
        if (!mayBeStored || this.#clock.elapsed() - begunAt > PATIENCE_MS)
          return mayBeStored ? MAYBE_STORED : NOTHING_STORED;
      }
      await new Promise<void>((resolve) => {
        this.#clock.after(RETRY_MS, resolve);
      });
    }
  }

  /** Has Redis write, and its replicas, as many as the settings say; resolves with the ids. */
  async #ask(parts: readonly (string | number)[]): Promise<string> {
    const { minReplicas: replicas } = this.#settings;
    const told =
      replicas === 0
        ? await WRITE.run(this.#redis, this.#keys, parts)
        : await WRITE.runReplicated(this.#redis, this.#keys, parts, { replicas, waitMs: REPLICAS_MS });
    return String(told);
  }
}

function bytesOf(events: readonly NewEvent[]): number {
  return events.reduce((sum, event) => sum + entrySize(event), 0);
}
