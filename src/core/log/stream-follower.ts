import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { connectAgain, connectRedis, type RedisConnection } from '../redis/redis-connection.js';
import type { RefusedPermissions } from '../redis/refused-permissions.js';
import { FrozenError, unlessFrozen } from '../redis/unless-frozen.js';
import type { LogTail } from './event-log.js';
import { compareLogIds, FIRST_LOG_ID, logIdBefore } from './log-id.js';
import type { RawEntry, StreamParser } from './stream-parser.js';
import {
  continuityOf,
  deletedAfter,
  floorOf,
  type PageIds,
  placeAfter,
  type StreamPlace,
} from './stream-place.js';
import { ensureEpoch, lookAtStream, renewEpoch, type StreamState } from './stream-state.js';

/** Entries read from Redis at once. */
const PAGE_SIZE = 1000;
/** How long one read waits for news, ms; a replaced stream is noticed after it. */
const BLOCK_MS = 2000;
/** A read that takes so long says that Redis is frozen, ms. */
const MAX_READ_MS = BLOCK_MS + 2000;
/** Why most breaks come. */
const TRIMMED = 'entries were trimmed or deleted before they were read';
/** For so long a reader may lack what the server has that is written to, ms. */
const MAX_BEHIND_MS = 4000;
/** Pause in ms after a read failed. */
const RETRY_MS = 200;

/** Which stream a {@link StreamFollower} follows. */
export interface StreamFollowerSettings {
  readonly url: string;
  readonly key: string;
}

/** What a {@link StreamFollower} works with. */
export interface StreamFollowerParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly permissions?: RefusedPermissions;
  /** For what writes: the stream's epoch. */
  readonly writer: RedisConnection;
  readonly parser: StreamParser;
  readonly tail: LogTail;
}

/**
 * Follows one stream from a position of its own, on a connection of its own; goes on by itself after an outage. After each
 * read it looks at the stream, and proves that nothing is missing before what was read: where it can't, it says so.
 */
export class StreamFollower {
  readonly #settings: StreamFollowerSettings;
  readonly #parts: StreamFollowerParts;
  readonly #reader: RedisConnection;
  /** Undefined before the first read, and when the stream was replaced. */
  #place: StreamPlace | undefined;
  #isFirstReset = true;
  /** Why the next reset comes. */
  #why = TRIMMED;
  #isCaughtUp = false;
  #problem: string | null = null;
  #isFrozen = false;
  /** The largest id that the server had which is written to, when that was asked for last. */
  #wanted = FIRST_LOG_ID;
  #wantedAt = -Infinity;
  /** True when the stream had no epoch at the last look, and was given one. */
  #hasEnsured = false;
  #closed = false;

  constructor(settings: StreamFollowerSettings, parts: StreamFollowerParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#reader = connectRedis(settings.url, 'read', parts.logger, parts.permissions?.of('events'));
  }

  /** Why the stream can't be read now, for operators; null when it can. */
  get problem(): string | null {
    return this.#problem;
  }

  /** True from when Redis took far too long to answer until it answers again. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Begins with everything the stream still holds, and goes on until it is closed. */
  async follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#readOn();
      } catch (error) {
        if (this.#closed) return;
        this.#parts.logger.debug('reading the log failed', { reason: String(error) });
        this.#problem = `the log can not be read from Redis: ${messageOf(error)}`;
        this.#tellCaughtUp(false);
        await new Promise<void>((resolve) => {
          this.#parts.clock.after(RETRY_MS, resolve);
        });
      }
    }
  }

  /**
   * Compares the place with the largest id of the server that is written to, asked for every few seconds. A reader that has
   * read its server to the end, and is still behind what the other one had a while ago, is at a server to which nobody writes.
   */
  compareWith(lastId: string): void {
    const now = this.#parts.clock.elapsed();
    if (now - this.#wantedAt < MAX_BEHIND_MS) return;
    const isBehind = this.#place === undefined || compareLogIds(this.#place.id, this.#wanted) < 0;
    if (this.#isCaughtUp && isBehind) connectAgain(this.#reader);
    this.#wanted = lastId;
    this.#wantedAt = now;
  }

  /** Tells nothing any more. */
  close(): void {
    this.#closed = true;
    // The reading is not waited for: told to disconnect between two attempts to connect, ioredis never settles what
    // waits for a connection.
    this.#reader.disconnect();
  }

  /** Reads until it fails; first what is there, then what comes. */
  async #readOn(): Promise<void> {
    while (!this.#closed) {
      const [page, state] = await this.#unlessFrozen(this.#read());
      if (this.#closed) return;
      const isTaken = await this.#take(page, state);
      this.#problem = null;
      if (isTaken && page.length < PAGE_SIZE) this.#tellCaughtUp(true);
    }
  }

  /** The next page, and the stream as it is after that read: Redis answers both in one go. */
  async #read(): Promise<[RawEntry[], StreamState]> {
    const { key } = this.#settings;
    const from = this.#place?.id ?? FIRST_LOG_ID;
    const waits = this.#isCaughtUp && this.#place !== undefined;
    const page = waits
      ? this.#reader.xread('COUNT', PAGE_SIZE, 'BLOCK', BLOCK_MS, 'STREAMS', key, from)
      : this.#reader.xread('COUNT', PAGE_SIZE, 'STREAMS', key, from);
    // A Cluster's client may ask a second node: the look must not come before the read.
    if (this.#reader.isCluster) await page;
    return Promise.all([
      page.then((streams) => (streams?.[0]?.[1] ?? []) as RawEntry[]),
      lookAtStream(this.#reader, key, this.#place?.anchor ?? null),
    ]);
  }

  /** Takes a page in, if it proves to follow what was read. False when the stream has to be read anew. */
  async #take(raw: readonly RawEntry[], state: StreamState): Promise<boolean> {
    const { key } = this.#settings;
    const { writer } = this.#parts;
    const place = this.#place;
    if (state.epoch === null) {
      // The server that is written to had a stream, or has one now; the one that is read from still has none.
      if (this.#hasEnsured) this.#leaveServer();
      this.#hasEnsured = true;
      await this.#unlessFrozen(ensureEpoch(writer, key));
      return this.#startOver('the stream was deleted, or Redis lost it');
    }
    this.#hasEnsured = false;
    if (place === undefined) return this.#begin(raw, state, state.epoch);
    if (state.epoch !== place.epoch) return this.#startOver('the stream was deleted or replaced');
    const page = idsOf(raw);
    const continuity = continuityOf(place, state);
    if (continuity === 'replaced') {
      const { epoch, id: read, anchor, digest } = place;
      const anew = await this.#unlessFrozen(renewEpoch(writer, key, { epoch, read, anchor, digest }));
      if (anew !== epoch) {
        return this.#startOver(`Redis lost entries up to ${read}, as in a failover or a restored backup`);
      }
      this.#leaveServer();
    }
    if (continuity === 'whole') {
      this.#goOn(raw, place, state);
      return true;
    }
    // All of it is read, and some of what was there is gone; or the next read says what there is.
    const isAllRead = state.last === null || compareLogIds(state.last, place.id) <= 0;
    const floor = page !== null ? logIdBefore(page.first) : isAllRead ? state.lastGenerated : null;
    if (floor === null) return false;
    this.#reset(place.epoch, floor);
    this.#goOn(raw, { ...place, id: floor, anchor: null, digest: null, added: state.added }, state);
    return true;
  }

  /** Takes the first page of a stream. */
  #begin(raw: readonly RawEntry[], state: StreamState, epoch: string): boolean {
    const floor = floorOf(idsOf(raw), state);
    if (floor === null) return false;
    this.#reset(epoch, floor);
    this.#goOn(
      raw,
      { epoch, id: floor, anchor: null, digest: null, added: state.added, deletedTo: FIRST_LOG_ID },
      state,
    );
    return true;
  }

  /** Tells the entries of a page that follows `from`; where entries between them were deleted, says so. */
  #goOn(raw: readonly RawEntry[], from: StreamPlace, state: StreamState): void {
    const page = idsOf(raw);
    const deleted = deletedAfter(from, page, state);
    if (deleted === null) {
      this.#tell(raw);
      this.#place = placeAfter(page, from, state);
      return;
    }
    const next = raw.findIndex(([id]) => compareLogIds(id, deleted) > 0);
    const before = next < 0 ? raw.length : next;
    this.#tell(raw.slice(0, before));
    this.#reset(from.epoch, deleted);
    this.#tell(raw.slice(before));
    this.#place = placeAfter(page, { ...from, deletedTo: deleted }, state);
  }

  /** The server that is read from does not have what the one has that is written to: looks for another one. */
  #leaveServer(): never {
    this.#hasEnsured = false;
    connectAgain(this.#reader);
    throw new Error('the server that is read from is behind the one that is written to');
  }

  #tell(raw: readonly RawEntry[]): void {
    const entries = this.#parts.parser.parse(raw);
    if (entries.length > 0) this.#parts.tail.entries(entries);
  }

  #reset(epoch: string, floor: string): void {
    if (!this.#isFirstReset) {
      const { counters, logger } = this.#parts;
      counters.add('log_breaks');
      logger.warn('events of the log were lost to this node: its clients are told of a gap', {
        why: this.#why,
        epoch,
        after: floor,
      });
    }
    this.#isFirstReset = false;
    this.#why = TRIMMED;
    this.#parts.tail.reset(epoch, floor);
  }

  /** Reads the stream from its beginning, since it is another log; `why` is for operators. */
  #startOver(why: string): false {
    this.#place = undefined;
    this.#why = why;
    return false;
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

  #tellCaughtUp(isCaughtUp: boolean): void {
    if (this.#isCaughtUp === isCaughtUp || this.#closed) return;
    this.#isCaughtUp = isCaughtUp;
    this.#parts.tail.caughtUp(isCaughtUp);
  }
}

function idsOf(raw: readonly RawEntry[]): PageIds | null {
  const first = raw[0];
  const last = raw[raw.length - 1];
  return first === undefined || last === undefined ? null : { first: first[0], last: last[0] };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
