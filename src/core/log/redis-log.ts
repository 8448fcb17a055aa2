import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectRedis, type RedisConnection } from '../redis/redis-connection.js';
import type { RefusedPermissions } from '../redis/refused-permissions.js';
import { parseCursor } from './cursor.js';
import type { EventLog, LogPage, LogState, LogTail, Loss } from './event-log.js';
import { compareLogIds } from './log-id.js';
import { RefusedEvents } from './refused-events.js';
import { StreamFollower } from './stream-follower.js';
import { streamKey } from './stream-key.js';
import { type RawEntry, StreamParser } from './stream-parser.js';
import { floorOf } from './stream-place.js';
import { lookAtStream, type StreamState } from './stream-state.js';
import { nothingStored, StreamWriter } from './stream-writer.js';

/** How often it is tried whether the stream can be appended to; this trims it, too, for publishers that append directly, ms. */
const PROBE_MS = 5000;
/** The same while it can't, ms. */
const RETRY_PROBE_MS = 500;

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
  readonly permissions?: RefusedPermissions;
}

/**
 * The log as a Redis Stream ({@link streamKey}), fields `type room key timestamp data`: shared by all nodes, and open to
 * any publisher that can `XADD`. Each instance reads it from a position of its own, on a connection of its own.
 */
export class RedisLog implements EventLog {
  readonly kind = 'redis';
  readonly #settings: RedisLogSettings;
  readonly #parts: RedisLogParts;
  readonly #key: string;
  readonly #redis: RedisConnection;
  readonly #writer: StreamWriter;
  readonly #parser: StreamParser;
  readonly #endProbes: () => void;
  #follower: StreamFollower | undefined;
  #hasBeenRead = false;
  #isRead = false;
  /** Why it can't be appended to; undefined while nobody knows. */
  #writeProblem: string | null | undefined;
  #isProbing = false;
  #closed = false;

  constructor(settings: RedisLogSettings, parts: RedisLogParts) {
    const { url, keyPrefix, maxDataBytes } = settings;
    const { clock, logger, permissions } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#key = streamKey(keyPrefix);
    this.#redis = connectRedis(url, 'write', logger, permissions?.of('events'));
    this.#parser = new StreamParser({ maxDataBytes, refused: new RefusedEvents('stream', parts) });
    const onOutcome = (problem: string | null): void => {
      this.#noteWrite(problem);
    };
    this.#writer = new StreamWriter(this.#redis, { ...settings, stream: this.#key, onOutcome }, clock);
    this.#endProbes = clock.every(PROBE_MS, () => void this.#probe());
    this.#redis.once('ready', () => void this.#probe());
  }

  get state(): LogState {
    if (!this.#hasBeenRead || this.#writeProblem === undefined) return 'starting';
    return this.#isRead && this.#writeProblem === null ? 'ready' : 'unavailable';
  }

  get reason(): string | null {
    if (this.state === 'ready') return null;
    return this.#follower?.problem ?? this.#writeProblem ?? 'the event log is still being read';
  }

  start(tail: LogTail): void {
    const { url } = this.#settings;
    this.#follower = new StreamFollower(
      { url, key: this.#key },
      {
        ...this.#parts,
        writer: this.#redis,
        parser: this.#parser,
        tail: {
          reset: (epoch, floor) => {
            tail.reset(epoch, floor);
          },
          entries: (batch) => {
            tail.entries(batch);
          },
          caughtUp: (isCaughtUp) => {
            this.#isRead = isCaughtUp;
            this.#hasBeenRead ||= isCaughtUp;
            tail.caughtUp(isCaughtUp);
          },
        },
      },
    );
    void this.#follower.follow();
  }

  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    if (events.length === 0) return Promise.resolve([]);
    // What is sent to a frozen Redis would be stored when it thaws, long after it was refused.
    if (this.#follower?.isFrozen === true) return Promise.resolve(nothingStored('Redis does not answer'));
    return this.#writer.append(events);
  }

  async readAfter(cursor: string, limit: number): Promise<LogPage | Refusal> {
    const at = parseCursor(cursor);
    if (at === undefined) return { entries: [], loss: 'unknown_cursor' };
    try {
      for (let from = at.id; ; ) {
        const read = (await this.#redis.xrange(this.#key, from, '+', 'COUNT', limit + 1)) as RawEntry[];
        // Asked for after the read: an epoch never comes back, so the entries are of this one.
        const state = await lookAtStream(this.#redis, this.#key, from);
        const isThere = read[0]?.[0] === from;
        const raw = isThere ? read.slice(1) : read.slice(0, limit);
        const loss = lossAfter({ epoch: at.epoch, id: from }, isThere, raw, state);
        if (loss !== null) return { entries: [], loss };
        const entries = this.#parser.parse(raw);
        const last = raw[raw.length - 1];
        // A page of nothing but what is no event says nothing of what follows it.
        if (entries.length > 0 || last === undefined || raw.length < limit) return { entries, loss: null };
        from = last[0];
      }
    } catch {
      return new Refusal('log_unavailable', 'the event log can not be reached', 1000);
    }
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#endProbes();
    this.#follower?.close();
    this.#redis.disconnect();
    return Promise.resolve();
  }

  /** Learns from a write or a probe whether the log can be appended to; a failed write is probed, since it may be its own fault. */
  #noteWrite(problem: string | null): void {
    if (this.#closed) return;
    if (problem === null || this.#isProbing) this.#tellWriteProblem(problem);
    else void this.#probe();
  }

  #tellWriteProblem(problem: string | null): void {
    const before = this.#writeProblem ?? null;
    this.#writeProblem = problem;
    if (before === problem) return;
    const { logger } = this.#parts;
    if (problem === null) logger.info('the event log takes events again');
    else logger.error('the event log takes no events: this node is not ready', { reason: problem });
  }

  async #probe(): Promise<void> {
    if (this.#isProbing || this.#closed) return;
    this.#isProbing = true;
    const lastId = await this.#writer.probe();
    this.#isProbing = false;
    if (lastId !== undefined) this.#follower?.compareWith(lastId);
    if (typeof this.#writeProblem === 'string' && !this.#closed)
      this.#parts.clock.after(RETRY_PROBE_MS, () => void this.#probe());
  }
}

/** Whether entries are missing between a place and those that were read after it. */
function lossAfter(
  { epoch, id }: { readonly epoch: string; readonly id: string },
  isThere: boolean,
  raw: readonly RawEntry[],
  state: StreamState,
): Loss | null {
  if (state.epoch !== epoch) return 'unknown_cursor';
  const isDeleted = state.maxDeleted !== null && compareLogIds(state.maxDeleted, id) > 0;
  if (isThere) return isDeleted ? 'trimmed' : null;
  const [first] = raw;
  const last = raw[raw.length - 1];
  const page = first === undefined || last === undefined ? null : { first: first[0], last: last[0] };
  // Nothing came after it, or it is the place of a client that came before the first entry.
  if (!isDeleted && (id === state.lastGenerated || floorOf(page, state) === id)) return null;
  const isBefore = state.first === null || compareLogIds(id, state.first) < 0;
  const wasThere = compareLogIds(id, state.lastGenerated) <= 0;
  return (isBefore && wasThere) || isDeleted ? 'trimmed' : 'unknown_cursor';
}
