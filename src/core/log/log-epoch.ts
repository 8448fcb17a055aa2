import { randomBytes } from 'node:crypto';

/** Prefix of the consumer group whose name is the epoch of a stream. Nobody reads from that group. */
export const EPOCH_GROUP = 'epoch:';

/** A new epoch's name: 8 characters of `A-Z a-z 0-9 _ -`, random. */
export function newEpoch(): string {
  return randomBytes(6).toString('base64url');
}

/**
 * Lua for scripts that append to the log or look at it. `epoch_of(stream)` is the stream's epoch, or false where it has
 * none: it was never written, or was deleted. `ensure_epoch(stream, fresh)` gives it the epoch `fresh` where it has none,
 * and is its epoch. Every script that appends calls it first, so that no entry is older than its stream's epoch.
 *
 * A consumer group lives and dies with its stream: it survives XTRIM, and is gone after DEL or FLUSHALL, also when somebody
 * has appended since.
 */
export const EPOCH_LUA = `
local function epoch_of(stream)
  if redis.call('exists', stream) == 0 then return false end
  for _, group in ipairs(redis.call('xinfo', 'groups', stream)) do
    if string.sub(group[2], 1, ${String(EPOCH_GROUP.length)}) == '${EPOCH_GROUP}' then
      return string.sub(group[2], ${String(EPOCH_GROUP.length + 1)})
    end
  end
  return false
end
local function ensure_epoch(stream, fresh)
  local epoch = epoch_of(stream)
  if epoch then return epoch end
  redis.call('xgroup', 'create', stream, '${EPOCH_GROUP}' .. fresh, '$', 'mkstream')
  return fresh
end`;
