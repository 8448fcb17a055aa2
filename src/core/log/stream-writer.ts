import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import { type NewEvent, toFields } from '../event.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import { isUnanswered } from '../redis/unanswered.js';
import { entrySize } from './entry-size.js';
import { EPOCH_LUA, newEpoch } from './log-epoch.js';
import { LAST_LOG_ID } from './log-id.js';

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

/** Begins the error of a write of which some events were stored, and the others were refused. */
const PARTLY = 'PARTLY';

/**
 * Appends events, unless this is the write that was done last: then only tells its ids again. KEYS: stream, writer;
 * ARGV: number of the write, ms to remember it, most entries, the epoch of a new stream, then for each event the number of
 * its fields, and those.
 */
const WRITE = new RedisScript(`${EPOCH_LUA}
local last = redis.call('hmget', KEYS[2], 'number', 'ids')
if last[1] == ARGV[1] then
  -- Written, so that waiting for replicas after it means something.
  redis.call('pexpire', KEYS[2], ARGV[2])
  return last[2]
end
if tonumber(last[1] or 0) > tonumber(ARGV[1]) then return redis.error_reply('a late copy of an earlier write') end
ensure_epoch(KEYS[1], ARGV[4])
-- Whatever may be refused comes before the first entry: nothing is taken back. What needs memory comes first of all: once
-- a script has written, Redis gives it more than it has.
redis.call('hset', KEYS[2], 'begun', ARGV[1])
redis.call('xtrim', KEYS[1], 'MAXLEN', '~', ARGV[3])
redis.call('pexpire', KEYS[2], ARGV[2])
local ids = {}
local i = 5
while ARGV[i] do
  local n = tonumber(ARGV[i])
  local id = redis.pcall('xadd', KEYS[1], '*', unpack(ARGV, i + 1, i + n))
  if type(id) == 'table' and id.err then return #ids == 0 and id or redis.error_reply('${PARTLY} ' .. id.err) end
  ids[#ids + 1] = id
  i = i + n + 1
end
local told = table.concat(ids, ' ')
redis.call('hset', KEYS[2], 'number', ARGV[1], 'ids', told)
redis.call('pexpire', KEYS[2], ARGV[2])
return told`);

/**
 * Writes and trims without appending, to learn whether Redis takes writes; tells the largest id the stream ever had.
 * KEYS: stream, writer; ARGV: ms to remember the writer, most entries, the epoch of a new stream.
 */
const PROBE = new RedisScript(`${EPOCH_LUA}
ensure_epoch(KEYS[1], ARGV[3])
redis.call('hset', KEYS[2], 'probed', '1')
redis.call('pexpire', KEYS[2], ARGV[1])
redis.call('xtrim', KEYS[1], 'MAXLEN', '~', ARGV[2])
local info = redis.call('xinfo', 'stream', KEYS[1])
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then return info[i + 1] end end`);

/** Redis was told, and its answer never came. */
export const MAYBE_STORED = new Refusal(
  'outcome_unknown',
  'the event log can not be reached; it is not known whether this was stored',
  1000,
);
const TOO_MUCH_WAITS = new Refusal(
  'log_unavailable',
  'too much waits for the event log; nothing was stored',
  1000,
);

/** Nothing was stored, for the reason given in words. */
export function nothingStored(reason = 'the event log can not be reached'): Refusal {
  return new Refusal('log_unavailable', `${reason}; nothing was stored`, 1000);
}

/** The stream had the largest id there is, by a publisher that gave ids of its own. */
const FULL =
  'the event log has used up its ids, so that Redis takes no further events: delete the stream; clients then get one gap';

/** Where a {@link StreamWriter} writes. */
export interface StreamWriterSettings {
  readonly stream: string;
  /** Entries the stream keeps, approximately. */
  readonly maxEvents: number;
  /** Replicas that must have a write before it is acknowledged. */
  readonly minReplicas: number;
  /** A write or a probe has failed, or succeeded: why it failed, or null. */
  readonly onOutcome: (problem: string | null) => void;
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

  #hasRoom(events: number, bytes: number): boolean {
    const isFull =
      this.#waitingEvents + events > MAX_WAITING_EVENTS || this.#waitingBytes + bytes > MAX_WAITING_BYTES;
    return !isFull || this.#waiting.length === 0;
  }

  /**
   * Appends all events or none, as {@link EventLog.append} does; resolves with their ids. Refuses with `log_unavailable`
   * (nothing was stored: Redis can't be reached, refuses the write, or too much waits) or {@link MAYBE_STORED}.
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
  #refuseWaiting(refusal: Refusal): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingEvents = 0;
    this.#waitingBytes = 0;
    for (const { answer } of waiting) answer(refusal);
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
        const { maxEvents } = this.#settings;
        const told = await this.#run(WRITE, [number, MEMORY_MS, maxEvents, newEpoch(), ...fields]);
        this.#settings.onOutcome(null);
        return told.split(' ');
      } catch (error) {
        const reason = reasonOf(error);
        if (error instanceof Error && error.message.includes(PARTLY)) return MAYBE_STORED;
        if (isUnanswered(error)) mayBeStored = true;
        this.#settings.onOutcome(reason);
        // Redis is away, or does not answer: what was never sent need not wait for what was.
        this.#refuseWaiting(nothingStored(reason));
        if (!mayBeStored || this.#clock.elapsed() - begunAt > PATIENCE_MS)
          return mayBeStored ? MAYBE_STORED : nothingStored(reason);
      }
      await new Promise<void>((resolve) => {
        this.#clock.after(RETRY_MS, resolve);
      });
    }
  }

  /**
   * Finds out whether events could be appended now, trims, and tells `onOutcome`. Resolves with the largest id that the
   * stream ever had; undefined where that is not known.
   */
  async probe(): Promise<string | undefined> {
    const { maxEvents, onOutcome } = this.#settings;
    try {
      const lastId = await this.#run(PROBE, [MEMORY_MS, maxEvents, newEpoch()]);
      onOutcome(lastId === LAST_LOG_ID ? FULL : null);
      return lastId;
    } catch (error) {
      onOutcome(reasonOf(error));
      return undefined;
    }
  }

  /** Has Redis write, and its replicas, as many as the settings say; resolves with what the script returns. */
  async #run(script: RedisScript, parts: readonly (string | number)[]): Promise<string> {
    const { minReplicas: replicas } = this.#settings;
    const told =
      replicas === 0
        ? await script.run(this.#redis, this.#keys, parts)
        : await script.runReplicated(this.#redis, this.#keys, parts, { replicas, waitMs: REPLICAS_MS });
    return String(told);
  }
}

/** Why a write failed, in words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the event log can not be reached';
  if (error.message.includes('exhausted the last possible ID')) return FULL;
  if (error.name === 'ReplyError') return `Redis refuses writes to the event log: ${error.message}`;
  return `the event log can not be reached: ${error.message}`;
}

function bytesOf(events: readonly NewEvent[]): number {
  return events.reduce((sum, event) => sum + entrySize(event), 0);
}
