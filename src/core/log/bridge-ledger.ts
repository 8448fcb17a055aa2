import { Refusal } from '../errors.js';
import { type NewEvent, toFields } from '../event.js';
import type { Logger } from '../logger.js';
import { connectRedis, type RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import type { Place } from './place.js';
import type { WholeSpan } from './whole-spans.js';

/** A published message that is an event, at its place. */
export interface PlacedEvent extends Place {
  readonly event: NewEvent;
}

/** What a node says of itself when it asks for the lease. */
export interface LeaseRequest {
  /** What it has heard, oldest first. */
  readonly spans: readonly WholeSpan[];
  /** Takes a free lease although it has missed messages that come next. */
  readonly force: boolean;
  /** The place up to which it has copied all; null: no further than it noted when it appended. */
  readonly copiedTo: Place | null;
}

/** What a node learns when it asks for the lease. */
export interface LeaseAnswer {
  /** True when the lease is this node's, from now on or still. */
  readonly held: boolean;
  /** True when the lease is nobody's: this node has missed messages that come next, and did not force it. */
  readonly free: boolean;
  /** Messages up to this place are in the log, or were none that belong there. */
  readonly copiedTo: Place;
}

/** Where a {@link BridgeLedger} keeps what it keeps. */
export interface BridgeLedgerSettings {
  readonly url: string;
  /** The stream that events are copied into. */
  readonly stream: string;
  /** Entries kept in the stream; trimmed approximately. */
  readonly maxEvents: number;
  /** How long the lease lasts without renewal, ms. */
  readonly leaseMs: number;
}

/** For so long a node that has asked for the lease counts as one that may have heard what others missed, ms. */
const KNOWN_MS = 10_000;

/** What the names of the channels end with on which marks are published. */
export const MARK_CHANNEL_END = ':bridge:marks';

/** Notes that copying got to a place. */
const ADVANCE = `
local function advance(state, mark, count)
  local at = redis.call('hmget', state, 'mark', 'count')
  local m, c = tonumber(at[1] or 0), tonumber(at[2] or 0)
  if tonumber(mark) < m or (tonumber(mark) == m and tonumber(count) <= c) then return end
  redis.call('hset', state, 'mark', mark, 'count', count)
end`;

/**
 * Tells whose turn it is to copy and how far copying got. KEYS: lease, state, nodes that have asked lately; ARGV: token, leaseMs, 1 to take a free
 * lease in any case, the place up to which the holder has copied, then for each span that the node has heard the mark it
 * begins with and the place it ends at (mark 0: it goes on).
 */
const HOLD = new RedisScript(`${ADVANCE}
local holder = redis.call('get', KEYS[1])
local at = redis.call('hmget', KEYS[2], 'mark', 'count')
local mark, count = tonumber(at[1] or 0), tonumber(at[2] or 0)
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[3], '-inf', now - ${String(KNOWN_MS)})
redis.call('zadd', KEYS[3], now, ARGV[1])
local fits = mark == 0 or ARGV[3] == '1' or redis.call('zcard', KEYS[3]) == 1
for i = 6, #ARGV, 3 do
  local from, m, c = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  fits = fits or from <= mark and (m == 0 or mark < m or mark == m and count < c)
end
if not holder and fits then holder = ARGV[1] end
if holder == ARGV[1] then
  redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
  advance(KEYS[2], ARGV[4], ARGV[5])
  at = redis.call('hmget', KEYS[2], 'mark', 'count')
end
return {holder == ARGV[1] and 1 or 0, holder and 0 or 1, at[1] or '0', at[2] or '0'}`);

/**
 * Appends events and notes how far copying got, or nothing of it where the lease is another's; passes over events
 * whose place was copied before. KEYS: lease, state, stream; ARGV: token, leaseMs, maxEvents, then for each event its
 * mark, its count, the number of its fields, and those.
 */
const APPEND = new RedisScript(`
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
local at = redis.call('hmget', KEYS[2], 'mark', 'count')
local mark, count = tonumber(at[1] or 0), tonumber(at[2] or 0)
local i = 4
while ARGV[i] do
  local m, c, n = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if m > mark or (m == mark and c > count) then
    redis.call('xadd', KEYS[3], '*', unpack(ARGV, i + 3, i + 2 + n))
    mark, count = m, c
  end
  i = i + 3 + n
end
redis.call('hset', KEYS[2], 'mark', string.format('%.0f', mark), 'count', string.format('%.0f', count))
redis.call('xtrim', KEYS[3], 'MAXLEN', '~', ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[2])
return 1`);

/** Gives the lease back, if it is this node's. KEYS: lease, state, nodes; ARGV: token, the place up to which it has copied, 1 if it will not ask again. */
const RELEASE = new RedisScript(`${ADVANCE}
if ARGV[4] == '1' then redis.call('zrem', KEYS[3], ARGV[1]) end
if redis.call('get', KEYS[1]) ~= ARGV[1] then return end
advance(KEYS[2], ARGV[2], ARGV[3])
redis.call('del', KEYS[1])`);

/**
 * Publishes the next mark; in one step, so that marks come in the order of their numbers. These follow the time, so that
 * they go on rising when Redis has lost what it kept (FLUSHALL, a restart, a failover). KEYS: state; ARGV: channel.
 */
const MARK = new RedisScript(`
local time = redis.call('time')
local last = tonumber(redis.call('hget', KEYS[1], 'marks') or 0)
local mark = string.format('%.0f', math.max(last + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('hset', KEYS[1], 'marks', mark)
redis.call('publish', ARGV[1], mark)`);

/**
 * Which node copies published messages into the log, and how far it got; kept in Redis beside the stream. Appending
 * and noting the place are one step that only the holder of the lease can take: whoever lost the lease without knowing
 * writes nothing, and what was written is never written again.
 */
export class BridgeLedger {
  /** The channel marks are published on. */
  readonly markChannel: string;
  readonly #settings: BridgeLedgerSettings;
  readonly #redis: RedisConnection;
  readonly #stream: string;
  readonly #state: string;
  readonly #lease: string;
  /** Lease, state, and the nodes that have asked for the lease lately, by when. */
  readonly #keys: readonly string[];

  constructor(settings: BridgeLedgerSettings, logger: Logger) {
    this.#settings = settings;
    this.#redis = connectRedis(settings.url, 'write', logger);
    this.#stream = settings.stream;
    this.#state = `${this.#stream}:bridge`;
    this.#lease = `${this.#stream}:bridge:lease`;
    this.#keys = [this.#lease, this.#state, `${this.#stream}:bridge:nodes`];
    this.markChannel = `${this.#stream}${MARK_CHANNEL_END}`;
  }

  /** Takes the lease if it is free, or renews it. `token` is the node's own. */
  async hold(token: string, { spans, force, copiedTo }: LeaseRequest): Promise<LeaseAnswer | Refusal> {
    const { leaseMs } = this.#settings;
    const heard = spans.flatMap(({ from, to }) => [from, to?.mark ?? 0, to?.count ?? 0]);
    const told = [force ? 1 : 0, copiedTo?.mark ?? 0, copiedTo?.count ?? 0, ...heard];
    const answer = await this.#run(HOLD, this.#keys, [token, leaseMs, ...told]);
    if (answer instanceof Refusal) return answer;
    const [held, free, mark, count] = answer as [number, number, string, string];
    return { held: held === 1, free: free === 1, copiedTo: { mark: Number(mark), count: Number(count) } };
  }

  /** Copies events, in the order of their places: all or none. False when the lease is another's by now. */
  async append(token: string, events: readonly PlacedEvent[]): Promise<boolean | Refusal> {
    const parts = events.flatMap(({ event, mark, count }) => {
      const fields = toFields(event);
      return [mark, count, fields.length, ...fields];
    });
    const { leaseMs, maxEvents } = this.#settings;
    const keys = [this.#lease, this.#state, this.#stream];
    const answer = await this.#run(APPEND, keys, [token, leaseMs, maxEvents, ...parts]);
    return answer instanceof Refusal ? answer : answer === 1;
  }

  /**
   * Gives the lease back, if it is this node's; it has copied all up to `copiedTo`, or, with null, what it noted. `leaves`:
   * it will not ask for it again, so that nobody need wait for it.
   */
  async release(token: string, copiedTo: Place | null, leaves: boolean): Promise<Refusal | undefined> {
    const place = [copiedTo?.mark ?? 0, copiedTo?.count ?? 0];
    const answer = await this.#run(RELEASE, this.#keys, [token, ...place, leaves ? 1 : 0]);
    return answer instanceof Refusal ? answer : undefined;
  }

  /** Publishes a mark to all nodes. */
  async mark(): Promise<Refusal | undefined> {
    const answer = await this.#run(MARK, [this.#state], [this.markChannel]);
    return answer instanceof Refusal ? answer : undefined;
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await script.run(this.#redis, keys, args);
    } catch (error) {
      return new Refusal('log_unavailable', `redis did not take it: ${String(error)}`, 200);
    }
  }
}
