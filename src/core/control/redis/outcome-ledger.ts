import { type NewEvent, toFields } from '../../event.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { RedisScript } from '../../redis/redis-script.js';
import { EPOCH_LUA, newEpoch } from '../../log/log-epoch.js';
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
 * it first does it for all. Returns how many were beyond. KEYS: stream, progress; ARGV: maxEvents, the epoch of a new stream, then for
 * each outcome the two numbers of its place, the number of its event's fields (0: it has none), and those.
 */
const REPORT = new RedisScript(`${EPOCH_LUA}
local ms, seq = string.match(redis.call('get', KEYS[2]) or '0-0', '(%d+)-(%d+)')
ms, seq = tonumber(ms), tonumber(seq)
local i, beyond = 3, 0
ensure_epoch(KEYS[1], ARGV[2])
-- Whatever may be refused comes before the first entry: nothing is taken back. What needs memory comes first of all.
redis.call('set', KEYS[2], string.format('%.0f-%.0f', ms, seq))
redis.call('xtrim', KEYS[1], 'MAXLEN', '~', ARGV[1])
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
end
return beyond`);

/** Where an {@link OutcomeLedger} reports. */
export interface OutcomeLedgerSettings {
  readonly keyPrefix: string;
  /** Entries the log keeps, approximately. */
  readonly maxEvents: number;
}

/**
 * How far outcomes were reported, queue by queue; kept in Redis beside the log's stream, so that reporting one and noting
 * it are one step. All methods reject when Redis can't be reached.
 */
export class OutcomeLedger {
  readonly #redis: RedisConnection;
  readonly #stream: string;
  readonly #maxEvents: number;

  /** `redis` fails at once while Redis is away. */
  constructor(redis: RedisConnection, { keyPrefix, maxEvents }: OutcomeLedgerSettings) {
    this.#redis = redis;
    this.#stream = streamKey(keyPrefix);
    this.#maxEvents = maxEvents;
  }

  /** Where reporting stands; where nobody has ever reported, it begins after `end`. */
  async begin(queue: string, end: string): Promise<string> {
    await this.#redis.set(this.#progressKey(queue), end, 'NX');
    return (await this.progress(queue)) ?? end;
  }

  /** The place up to which outcomes were reported; undefined when Redis has lost it. */
  async progress(queue: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#progressKey(queue))) ?? undefined;
  }

  /** Reports outcomes, in the order of their places, except those that somebody has reported; how many it reported. */
  async report(queue: string, outcomes: readonly PlacedOutcome[]): Promise<number> {
    const parts = outcomes.flatMap(({ at, event }) => {
      const fields = event === undefined ? [] : toFields(event);
      return [...at.split('-'), fields.length, ...fields];
    });
    const keys = [this.#stream, this.#progressKey(queue)];
    return Number(await REPORT.run(this.#redis, keys, [this.#maxEvents, newEpoch(), ...parts]));
  }

  #progressKey(queue: string): string {
    return `${this.#stream}:outcomes:${queue}`;
  }
}
