import { Refusal } from '../errors.js';
import { toFields } from '../event.js';
import type { Logger } from '../logger.js';
import { connectRedis, type ErrorListener, type RedisConnection } from '../redis/redis-connection.js';
import { RedisScript, type ScriptValue } from '../redis/redis-script.js';
import type { Waiting } from './bridge-queue.js';
import { EPOCH_LUA, newEpoch } from './log-epoch.js';

/** A node's report to the others. */
export interface BridgeReport {
  /** True while it takes itself for the node that copies at once. */
  readonly isCopier: boolean;
  /** True while it could copy what is published now. */
  readonly isAble: boolean;
  /** The oldest interval from which it may still copy; null: none. */
  readonly oldest: number | null;
  /** How far intervals were copied, as far as it knows; undefined: it asks. */
  readonly known: ReadonlyMap<number, number | undefined>;
}

/** The answer to a report, from the ledger and the other nodes. */
export interface BridgeView {
  /** The node that copies at once. `none`: it left, or is dead. `unknown`: the ledger is new, or was lost. */
  readonly copier: 'this' | 'other' | 'none' | 'unknown';
  /** The oldest interval from which another live node may still copy; null: there is none. */
  readonly oldestElsewhere: number | null;
  /** How far intervals were copied that the node knows or asked about. */
  readonly progress: ReadonlyMap<number, number>;
  /** True when the ledger had forgotten something that this node knew. */
  readonly wasLost: boolean;
}

/** Messages of one interval, to be copied. */
export interface CopyRequest {
  readonly mark: number;
  /** True when nothing published before this interval is left to copy, or is waited for no longer. */
  readonly mayBegin: boolean;
  /** How far it was copied, as far as the node knows. */
  readonly copiedTo: number | undefined;
  /** True when the node copies at once from now on, if it finds something to copy. */
  readonly takesOver: boolean;
  readonly messages: readonly Waiting[];
}

/**
 * The outcome of copying. `waits`: the interval is not begun, and earlier messages may be missing. `forgotten`: it is so old that
 * nobody knows how far it was copied; nothing was copied. `copied`: messages with numbers up to `to` are copied; those up
 * to `from` were before.
 */
export type CopyAnswer =
  | { readonly outcome: 'waits'; readonly isCopier: boolean }
  | { readonly outcome: 'forgotten'; readonly isCopier: boolean }
  | {
      readonly outcome: 'copied';
      readonly isCopier: boolean;
      readonly from: number;
      readonly to: number;
      /** Events that came into the log after events published later. */
      readonly late: number;
      /** Why Redis did not take the rest. */
      readonly error: string | undefined;
    };

/** Where a {@link BridgeLedger} keeps its state. */
export interface BridgeLedgerSettings {
  readonly url: string;
  /** The stream that events are copied into. */
  readonly stream: string;
  /** Entries kept in the stream; trimmed approximately. */
  readonly maxEvents: number;
}

/** A node that has not reported for so long is dead, ms. */
const REPORT_MS = 3000;
/** For so long the ledger remembers how far an interval was copied, ms. */
const MEMORY_MS = 300_000;
/** … and so many intervals at most. */
const MAX_INTERVALS = 10_000;

/** What the names of the channels end with on which marks are published. */
export const MARK_CHANNEL_END = ':bridge:marks';

/**
 * Notes a node's report, restores what the node knows and the ledger lost, and tells what the ledger and the other nodes
 * know. KEYS: state, intervals, nodes; ARGV: token, 1 if it is the copier, 1 if it is able to copy, its oldest interval or an
 * empty text, then for each interval its mark and how far it was copied, or an empty text.
 */
const SYNC = new RedisScript(`
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local by = redis.call('hget', KEYS[1], 'by')
if ARGV[2] == '1' then
  if not by and ARGV[3] == '1' then by = ARGV[1] redis.call('hset', KEYS[1], 'by', by) end
  if by == ARGV[1] and ARGV[3] ~= '1' then by = '' redis.call('hset', KEYS[1], 'by', by) end
end
redis.call('hset', KEYS[3], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[4])
local oldest, isLive = '', false
local nodes = redis.call('hgetall', KEYS[3])
for i = 1, #nodes, 2 do
  local at, mark = string.match(nodes[i + 1], '^(%d+) (%d*)$')
  if not at or tonumber(at) < now - ${String(REPORT_MS)} then
    redis.call('hdel', KEYS[3], nodes[i])
  else
    isLive = isLive or nodes[i] == by
    if nodes[i] ~= ARGV[1] and mark ~= '' and (oldest == '' or tonumber(mark) < tonumber(oldest)) then
      oldest = mark
    end
  end
end
if by and not isLive then by = '' end
local answer = {by or false, oldest, 0}
for i = 5, #ARGV, 2 do
  local at = redis.call('hget', KEYS[1], ARGV[i])
  if ARGV[i + 1] ~= '' and (not at or tonumber(at) < tonumber(ARGV[i + 1])) then
    at = ARGV[i + 1]
    redis.call('hset', KEYS[1], ARGV[i], at)
    redis.call('zadd', KEYS[2], ARGV[i], ARGV[i])
    answer[3] = 1
  end
  answer[#answer + 1] = at or ''
end
return answer`);

/**
 * Appends those messages of an interval that were not copied yet, and notes how far it is copied. KEYS: state, intervals,
 * stream; ARGV: token, a new epoch, most entries, 1 to copy at once from now on, the mark, 1 if the interval may begin, how
 * far the node knows it to be copied or -1, then for each message its number, the number of its fields (0: it is no
 * event), and those.
 */
const COPY = new RedisScript(`${EPOCH_LUA}
local mark = ARGV[5]
local noted = redis.call('hmget', KEYS[1], 'by', 'floor', 'top', mark)
local by, floor, top = noted[1], tonumber(noted[2] or 0), tonumber(noted[3] or 0)
if tonumber(mark) <= floor then return {'forgotten', by or ''} end
local from = tonumber(noted[4] or ARGV[7])
if from < 0 then
  if ARGV[6] ~= '1' then return {'waits', by or ''} end
  from = 0
end
ensure_epoch(KEYS[3], ARGV[2])
-- Whatever may be refused comes before the first entry: nothing is taken back. What needs memory comes first of all.
redis.call('hset', KEYS[1], mark, string.format('%.0f', from))
redis.call('zadd', KEYS[2], mark, mark)
redis.call('xtrim', KEYS[3], 'MAXLEN', '~', ARGV[3])
local to, appended, late, failure = from, 0, 0, ''
local i = 8
while ARGV[i] do
  local count, n = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if count > to then
    if n > 0 then
      local added = redis.pcall('xadd', KEYS[3], '*', unpack(ARGV, i + 2, i + 1 + n))
      if type(added) == 'table' and added.err then failure = added.err break end
      appended = appended + 1
    end
    to = count
  end
  i = i + 2 + n
end
if appended > 0 then
  if tonumber(mark) < top then late = appended else redis.call('hset', KEYS[1], 'top', mark) end
end
if to > from or not noted[4] then
  redis.call('hset', KEYS[1], mark, string.format('%.0f', to))
  if not by or by == '' or ARGV[4] == '1' then
    by = ARGV[1]
    redis.call('hset', KEYS[1], 'by', by)
  end
end
return {'copied', by or '', string.format('%.0f', from), string.format('%.0f', to), late, failure}`);

/** A node copies no more. KEYS: state, nodes; ARGV: token. */
const LEAVE = new RedisScript(`
redis.call('hdel', KEYS[2], ARGV[1])
if redis.call('hget', KEYS[1], 'by') == ARGV[1] then redis.call('hset', KEYS[1], 'by', '') end`);

/**
 * Publishes the next mark, in one step, so that marks come in the order of their numbers; forgets old intervals. The
 * numbers follow the time, so that no number comes twice when Redis lost its data (FLUSHALL, a restart). KEYS: state,
 * intervals; ARGV: channel.
 */
const MARK = new RedisScript(`
local time = redis.call('time')
local last = tonumber(redis.call('hget', KEYS[1], 'marks') or 0)
local number = math.max(last + 1, time[1] * 1000 + math.floor(time[2] / 1000))
local mark = string.format('%.0f', number)
redis.call('hset', KEYS[1], 'marks', mark)
local before = string.format('(%.0f', number - ${String(MEMORY_MS)})
local old = redis.call('zrangebyscore', KEYS[2], '-inf', before, 'limit', 0, 50)
if #old == 0 and redis.call('zcard', KEYS[2]) > ${String(MAX_INTERVALS)} then
  old = redis.call('zrange', KEYS[2], 0, 49)
end
for _, interval in ipairs(old) do
  redis.call('hdel', KEYS[1], interval)
  redis.call('zrem', KEYS[2], interval)
  redis.call('hset', KEYS[1], 'floor', interval)
end
redis.call('publish', ARGV[1], mark)`);

/**
 * How far each interval of the published messages was copied; kept in Redis beside the stream. Appending and noting it are
 * one step, so that a message is copied once, whichever nodes try.
 */
export class BridgeLedger {
  /** The channel marks are published on. */
  readonly markChannel: string;
  readonly #settings: BridgeLedgerSettings;
  readonly #redis: RedisConnection;
  readonly #state: string;
  readonly #intervals: string;
  readonly #nodes: string;

  /** `onError` is told every error that Redis answers. */
  constructor(settings: BridgeLedgerSettings, logger: Logger, onError?: ErrorListener) {
    const { stream, url } = settings;
    this.#settings = settings;
    this.#redis = connectRedis(url, 'write', logger, onError);
    this.#state = `${stream}:bridge`;
    this.#intervals = `${stream}:bridge:intervals`;
    this.#nodes = `${stream}:bridge:nodes`;
    this.markChannel = `${stream}${MARK_CHANNEL_END}`;
  }

  /** Exchanges what the node knows. `token` is the node's own. */
  async sync(token: string, report: BridgeReport): Promise<BridgeView | Refusal> {
    const { isCopier, isAble, oldest, known } = report;
    const told = [...known].flatMap(([mark, count]) => [mark, count ?? '']);
    const values = [token, isCopier ? 1 : 0, isAble ? 1 : 0, oldest ?? '', ...told];
    const answer = await this.#run(SYNC, [this.#state, this.#intervals, this.#nodes], values);
    if (answer instanceof Refusal) return answer;
    const [by, elsewhere, restored, ...counts] = answer as [string | null, string, number, ...string[]];
    const progress = [...known.keys()].map((mark, index) => [mark, counts[index] ?? ''] as const);
    return {
      copier: by === null ? 'unknown' : by === '' ? 'none' : by === token ? 'this' : 'other',
      oldestElsewhere: elsewhere === '' ? null : Number(elsewhere),
      progress: new Map(
        progress.filter(([, count]) => count !== '').map(([mark, count]) => [mark, Number(count)]),
      ),
      wasLost: restored === 1,
    };
  }

  /** Copies messages of one interval, in their order, passing over those that were copied before. */
  async copy(token: string, request: CopyRequest): Promise<CopyAnswer | Refusal> {
    const { mark, mayBegin, copiedTo, takesOver, messages } = request;
    const parts = messages.flatMap(({ published, count }) => {
      const fields = 'event' in published ? toFields(published.event) : [];
      return [count, fields.length, ...fields];
    });
    const { stream, maxEvents } = this.#settings;
    const answer = await this.#run(
      COPY,
      [this.#state, this.#intervals, stream],
      [token, newEpoch(), maxEvents, takesOver ? 1 : 0, mark, mayBegin ? 1 : 0, copiedTo ?? -1, ...parts],
    );
    if (answer instanceof Refusal) return answer;
    const [outcome, by, from, to, late, failure] = answer as [string, string, string, string, number, string];
    const isCopier = by === token;
    if (outcome === 'waits' || outcome === 'forgotten') return { outcome, isCopier };
    const error = failure === '' ? undefined : failure;
    return { outcome: 'copied', isCopier, from: Number(from), to: Number(to), late, error };
  }

  /** The node copies no more: others need not wait for it. */
  async leave(token: string): Promise<Refusal | undefined> {
    const answer = await this.#run(LEAVE, [this.#state, this.#nodes], [token]);
    return answer instanceof Refusal ? answer : undefined;
  }

  /** Publishes a mark to all nodes; false when Redis could not be told. */
  async mark(): Promise<boolean> {
    const answer = await this.#run(MARK, [this.#state, this.#intervals], [this.markChannel]);
    return !(answer instanceof Refusal);
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #run(script: RedisScript, keys: readonly string[], values: readonly ScriptValue[]): Promise<unknown> {
    try {
      return await script.run(this.#redis, keys, values);
    } catch (error) {
      return new Refusal('log_unavailable', `redis did not take it: ${String(error)}`, 200);
    }
  }
}
