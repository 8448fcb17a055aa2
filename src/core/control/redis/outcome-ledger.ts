import { type NewEvent, toFields } from '../../event.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { RedisScript } from '../../redis/redis-script.js';
import { compareLogIds } from '../../log/log-id.js';
import type { Shards } from '../../log/shards.js';
import { streamKey } from '../../log/stream-key.js';

/** An outcome at its place in the events of its queue. */
export interface PlacedOutcome {
  /** Id of the entry of the queue's events that told it. */
  readonly at: string;
  /** What tells it to everybody; undefined: nothing does. */
  readonly event: NewEvent | undefined;
}

/**
 * Appends the events of those outcomes that are beyond the progress, and advances it: in one step, so that whoever does
 * it first does it for all. Returns how many were beyond. KEYS: stream, progress; ARGV: maxEvents, then for each outcome
 * the two numbers of its place, the number of its event's fields (0: it has none), and those.
 */
const REPORT = new RedisScript(`
local ms, seq = string.match(redis.call('get', KEYS[2]) or '0-0', '(%d+)-(%d+)')
ms, seq = tonumber(ms), tonumber(seq)
local i, beyond = 2, 0
while ARGV[i] do
  local m, s, n = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if m > ms or (m == ms and s > seq) then
    if n > 0 then redis.call('xadd', KEYS[1], '*', unpack(ARGV, i + 3, i + 2 + n)) end
    ms, seq, beyond = m, s, beyond + 1
  end
  i = i + 3 + n
end
if beyond > 0 then
  redis.call('set', KEYS[2], string.format('%.0f-%.0f', ms, seq))
  redis.call('xtrim', KEYS[1], 'MAXLEN', '~', ARGV[1])
end
return beyond`);

/** Where an {@link OutcomeLedger} reports. */
export interface OutcomeLedgerSettings {
  readonly keyPrefix: string;
  /** How the log is divided. */
  readonly shards: Shards;
  /** Entries the log keeps, an equal part of them in each shard; approximately. */
  readonly maxEvents: number;
  /** The rooms an event goes to. */
  readonly roomsOf: (event: NewEvent) => readonly string[];
}

/**
 * How far outcomes were reported, queue by queue; kept in Redis beside the log's streams, each of which has its own, so
 * that reporting one and noting it are one step. All methods reject when Redis can't be reached.
 */
export class OutcomeLedger {
  readonly #redis: RedisConnection;
  readonly #settings: OutcomeLedgerSettings;
  readonly #streams: readonly string[];

  /** `redis` fails at once while Redis is away. */
  constructor(redis: RedisConnection, settings: OutcomeLedgerSettings) {
    const { keyPrefix, shards } = settings;
    this.#redis = redis;
    this.#settings = settings;
    this.#streams = Array.from({ length: shards.count }, (_, shard) => streamKey(keyPrefix, shards, shard));
  }

  /** Where reporting stands; where nobody has ever reported, it begins after `end`. */
  async begin(queue: string, end: string): Promise<string> {
    for (const stream of this.#streams) await this.#redis.set(keyOf(stream, queue), end, 'NX');
    return (await this.progress(queue)) ?? end;
  }

  /** The place up to which outcomes were reported in all streams; undefined when Redis has lost it, of one of them. */
  async progress(queue: string): Promise<string | undefined> {
    const all = await Promise.all(this.#streams.map((stream) => this.#redis.get(keyOf(stream, queue))));
    const known = all.filter((place) => place !== null);
    if (known.length < all.length) return undefined;
    return known.reduce((least, place) => (compareLogIds(place, least) < 0 ? place : least));
  }

  /** Reports outcomes, in the order of their places, except those that somebody has reported; how many it reported. */
  async report(queue: string, outcomes: readonly PlacedOutcome[]): Promise<number> {
    const reported = await Promise.all(
      this.#streams.map((stream, shard) => this.#reportIn(stream, shard, queue, outcomes)),
    );
    return Math.max(...reported);
  }

  async #reportIn(
    stream: string,
    shard: number,
    queue: string,
    outcomes: readonly PlacedOutcome[],
  ): Promise<number> {
    const { maxEvents } = this.#settings;
    const parts = outcomes.flatMap(({ at, event }) => {
      const fields = event !== undefined && this.#liesIn(shard, event) ? toFields(event) : [];
      return [...at.split('-'), fields.length, ...fields];
    });
    const most = Math.ceil(maxEvents / this.#streams.length);
    return Number(await REPORT.run(this.#redis, [stream, keyOf(stream, queue)], [most, ...parts]));
  }

  #liesIn(shard: number, event: NewEvent): boolean {
    const { shards, roomsOf } = this.#settings;
    return shards.count === 1 || roomsOf(event).some((room) => shards.ofRoom(room) === shard);
  }
}

function keyOf(stream: string, queue: string): string {
  return `${stream}:outcomes:${queue}`;
}
