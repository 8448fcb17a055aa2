import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import type { Shards } from './shards.js';
import { streamKey } from './stream-key.js';
import { NOTHING_STORED, StreamWriter, TOO_MUCH_WAITS } from './stream-writer.js';

/** Where {@link StreamWriters} write. */
export interface StreamWritersSettings {
  readonly keyPrefix: string;
  readonly shards: Shards;
  /** Entries each stream keeps, approximately. */
  readonly maxEvents: number;
  /** Replicas that must have a write before it is acknowledged. */
  readonly minReplicas: number;
}

/** What {@link StreamWriters} work with. */
export interface StreamWritersParts {
  readonly clock: Clock;
  readonly roomsOf: (event: NewEvent) => readonly string[];
}

const PARTLY_STORED = new Refusal(
  'outcome_unknown',
  'the event log can not be reached; it is not known whether all of this was stored',
  1000,
);

/** The part of a publication that goes to one shard; `indexes` are its events' places in the publication. */
interface Part {
  readonly events: NewEvent[];
  readonly indexes: number[];
}

/** A publication by shards, and of each of its events the first shard: whose id is told. */
interface Divided {
  readonly parts: ReadonlyMap<number, Part>;
  readonly firsts: readonly number[];
}

/**
 * Writes publications to the streams of the shards their events' rooms lie in. In each shard it is all or none, and in
 * the order of calls.
 */
export class StreamWriters {
  readonly #shards: Shards;
  readonly #roomsOf: (event: NewEvent) => readonly string[];
  readonly #writers: readonly StreamWriter[];

  constructor(
    redis: RedisConnection,
    settings: StreamWritersSettings,
    { clock, roomsOf }: StreamWritersParts,
  ) {
    const { shards, keyPrefix } = settings;
    this.#shards = shards;
    this.#roomsOf = roomsOf;
    this.#writers = Array.from({ length: shards.count }, (_, shard) => {
      const stream = streamKey(keyPrefix, shards, shard);
      return new StreamWriter(redis, { ...settings, stream }, clock);
    });
  }

  /** Appends events as {@link EventLog.append} does. */
  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal> {
    if (this.#shards.count === 1) return this.#writerOf(0).append(events);
    const divided = this.#divide(events);
    if ([...divided.parts].some(([shard, part]) => !this.#writerOf(shard).canTake(part.events)))
      return Promise.resolve(TOO_MUCH_WAITS);
    return this.#write(divided);
  }

  #writerOf(shard: number): StreamWriter {
    return this.#writers[shard] as StreamWriter;
  }

  /** What goes to which shard. An event that names no room goes, once, to each shard that has a room of its. */
  #divide(events: readonly NewEvent[]): Divided {
    const parts = new Map<number, Part>();
    const firsts: number[] = [];
    for (const [index, event] of events.entries()) {
      const shards = new Set(this.#roomsOf(event).map((room) => this.#shards.ofRoom(room)));
      firsts.push(...[...shards].slice(0, 1));
      for (const shard of shards) {
        let part = parts.get(shard);
        if (part === undefined) parts.set(shard, (part = { events: [], indexes: [] }));
        part.events.push(event);
        part.indexes.push(index);
      }
    }
    return { parts, firsts };
  }

  /** Writes all parts at once: waiting for one before the next, calls would overtake each other. */
  async #write({ parts, firsts }: Divided): Promise<readonly string[] | Refusal> {
    const answers = await Promise.all(
      [...parts].map(async ([shard, { events, indexes }]) => {
        const written = await this.#writerOf(shard).append(events);
        return { shard, indexes, written };
      }),
    );
    const refusals = answers.map(({ written }) => written).filter((written) => written instanceof Refusal);
    if (refusals.length > 0) {
      const isNothingStored =
        refusals.length === answers.length && refusals.every((refusal) => refusal === NOTHING_STORED);
      return isNothingStored ? NOTHING_STORED : PARTLY_STORED;
    }
    const ids: string[] = [];
    for (const { shard, indexes, written } of answers) {
      for (const [nth, index] of indexes.entries()) {
        const storedId = (written as readonly string[])[nth] as string;
        if (firsts[index] === shard) ids[index] = this.#shards.logId(shard, storedId);
      }
    }
    return ids;
  }
}
