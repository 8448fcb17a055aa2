import type { RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import { EPOCH_GROUP, EPOCH_LUA, newEpoch } from './log-epoch.js';
import { FIRST_LOG_ID } from './log-id.js';

/** The state of a stream, without any entry's content. */
export interface StreamState {
  /** Its epoch; null where it has none: it was never written, or was deleted. */
  readonly epoch: string | null;
  /** Digest of the entry that was asked for; null where it does not hold it. */
  readonly held: string | null;
  /** Entries held. */
  readonly length: number;
  /** Ids of the oldest and the newest entry held; null when it holds none. */
  readonly first: string | null;
  readonly last: string | null;
  /** Digest of the newest entry; null when it holds none. */
  readonly lastDigest: string | null;
  /** The largest id it ever had. */
  readonly lastGenerated: string;
  /** The largest id that `XDEL` removed, {@link FIRST_LOG_ID} for none; null before Redis 7.0, which does not know. */
  readonly maxDeleted: string | null;
  /** Entries ever added; null before Redis 7.0, which does not know. */
  readonly added: number | null;
}

/** `digest_of(entry)`: two servers that went apart may give the same id to different entries. */
const DIGEST_LUA = `
local function digest_of(entry)
  return entry and redis.sha1hex(table.concat(entry[2], '\\0')) or ''
end`;

/** Looks at a stream; writes nothing, so that a Redis without memory can still be read. KEYS: stream; ARGV: an id, or nothing. */
const LOOK = new RedisScript(`${EPOCH_LUA}${DIGEST_LUA}
if redis.call('exists', KEYS[1]) == 0 then return {} end
local held = ARGV[1] ~= '' and redis.call('xrange', KEYS[1], ARGV[1], ARGV[1])[1]
local facts = {}
local info = redis.call('xinfo', 'stream', KEYS[1])
for i = 1, #info, 2 do facts[info[i]] = info[i + 1] end
local first, last = facts['first-entry'], facts['last-entry']
return {epoch_of(KEYS[1]) or '', digest_of(held), facts['length'], first and first[1] or '', last and last[1] or '',
  digest_of(last), facts['last-generated-id'], facts['max-deleted-entry-id'] or '', facts['entries-added'] or -1}`);

/** Gives a stream an epoch if it has none, creating it. KEYS: stream; ARGV: the epoch it would get. */
const ENSURE = new RedisScript(`${EPOCH_LUA}
return ensure_epoch(KEYS[1], ARGV[1])`);

/**
 * Replaces the epoch of a stream whose entries up to ARGV[3] are not those a reader has read: its ids went backwards, or
 * it does not hold ARGV[4] (empty: nothing) any more, or another entry of that id. KEYS: stream; ARGV: the old epoch, the new
 * one, two ids, the digest of the entry (empty: not known).
 */
const RENEW = new RedisScript(`${EPOCH_LUA}${DIGEST_LUA}
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #ms) .. ms .. string.rep('0', 20 - #seq) .. seq
end
local epoch = ensure_epoch(KEYS[1], ARGV[2])
if epoch ~= ARGV[1] then return epoch end
local info = redis.call('xinfo', 'stream', KEYS[1])
local generated
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then generated = info[i + 1] end end
local wentBack = parts(generated) < parts(ARGV[3])
local held = ARGV[4] ~= '' and digest_of(redis.call('xrange', KEYS[1], ARGV[4], ARGV[4])[1])
local isGone = held and (held == '' or ARGV[5] ~= '' and held ~= ARGV[5])
if not wentBack and not isGone then return epoch end
redis.call('xgroup', 'destroy', KEYS[1], '${EPOCH_GROUP}' .. epoch)
return ensure_epoch(KEYS[1], ARGV[2])`);

/** Looks at a stream, and whether it holds the entry `id`. Rejects when Redis can't be reached. */
export async function lookAtStream(
  redis: RedisConnection,
  key: string,
  id: string | null,
): Promise<StreamState> {
  const answer = (await LOOK.run(redis, [key], [id ?? ''])) as (string | number)[];
  const [epoch, held, length, first, last, lastDigest, lastGenerated, maxDeleted, added] = answer;
  return {
    epoch: String(epoch ?? '') || null,
    held: String(held ?? '') || null,
    length: Number(length ?? 0),
    first: String(first ?? '') || null,
    last: String(last ?? '') || null,
    lastDigest: String(lastDigest ?? '') || null,
    lastGenerated: String(lastGenerated ?? FIRST_LOG_ID),
    maxDeleted: String(maxDeleted ?? '') || null,
    added: Number(added ?? -1) < 0 ? null : Number(added),
  };
}

/** The stream's epoch, a new one where it has none. Rejects when Redis can't be reached, or may not be written to. */
export async function ensureEpoch(redis: RedisConnection, key: string): Promise<string> {
  return String(await ENSURE.run(redis, [key], [newEpoch()]));
}

/**
 * Gives the stream a new epoch, since what follows `read`, up to which a reader has read it in `epoch`, is another
 * history: unless Redis, asked again, has a larger id than that and holds the entry `anchor`, of this `digest` where it is
 * known. Returns the epoch it has then.
 */
export async function renewEpoch(
  redis: RedisConnection,
  key: string,
  {
    epoch,
    read,
    anchor,
    digest,
  }: {
    readonly epoch: string;
    readonly read: string;
    readonly anchor: string | null;
    readonly digest: string | null;
  },
): Promise<string> {
  return String(await RENEW.run(redis, [key], [epoch, newEpoch(), read, anchor ?? '', digest ?? '']));
}
