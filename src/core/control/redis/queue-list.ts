import type { RedisConnection } from '../../redis/redis-connection.js';
import { RedisScript } from '../../redis/redis-script.js';
import type { CommandSummary } from '../command-store.js';
import { failedFor } from './command-job.js';

/** Where BullMQ has its jobs: lists first, then sorted sets. Source: addJobScripts and moveToFinished of BullMQ. */
const LISTS = ['wait', 'paused', 'active'] as const;
const SETS = ['delayed', 'completed', 'failed'] as const;

/** Fields that {@link NEWEST} answers for each job. */
const FIELDS = 6;

/**
 * Of each of its lists and sets the newest jobs, without their data and results. KEYS: lists, then sets; ARGV: how many
 * lists, how many of each, what the key of a job begins with.
 */
const NEWEST = new RedisScript(`
local answer = {}
for at, key in ipairs(KEYS) do
  local read = at <= tonumber(ARGV[1]) and 'lrange' or 'zrevrange'
  for _, id in ipairs(redis.call(read, key, 0, ARGV[2] - 1)) do
    local job = redis.call('hmget', ARGV[3] .. id, 'name', 'timestamp', 'finishedOn', 'failedReason')
    if job[1] then
      answer[#answer + 1] = at
      answer[#answer + 1] = id
      for field = 1, 4 do answer[#answer + 1] = job[field] or '' end
    end
  end
end
return answer`);

/**
 * The newest jobs of a queue, in no order: `limit` of each state at most. Rejects while Redis is away.
 * @param keyOf The key of a part of the queue.
 */
export async function newestIn(
  keyOf: (part: string) => string,
  redis: RedisConnection,
  limit: number,
): Promise<CommandSummary[]> {
  const states = [...LISTS, ...SETS];
  const keys = states.map((state) => keyOf(state));
  const answer = await NEWEST.run(redis, keys, [LISTS.length, limit, keyOf('')]);
  const flat = (answer as readonly (string | number)[]).map(String);
  const found: CommandSummary[] = [];
  for (let from = 0; from + FIELDS <= flat.length; from += FIELDS) {
    const [at, id = '', action = '', ...times] = flat.slice(from, from + FIELDS);
    found.push(summaryOf(id, action, states[Number(at) - 1], times));
  }
  return found;
}

function summaryOf(
  id: string,
  action: string,
  state: (typeof LISTS | typeof SETS)[number] | undefined,
  [takenAt = '', finishedOn = '', failedReason = '']: readonly string[],
): CommandSummary {
  const at = Number(takenAt);
  const command = { id, action, at };
  if (finishedOn === '' || (state !== 'completed' && state !== 'failed'))
    return { ...command, status: 'queued' };
  const ended = { ...command, durationMs: Math.max(0, Number(finishedOn) - at) };
  const outcome = state === 'failed' ? failedFor(failedReason) : undefined;
  return outcome?.status === 'failed'
    ? { ...ended, status: 'failed', error: outcome.error }
    : { ...ended, status: 'succeeded' };
}
