import { randomUUID } from 'node:crypto';
import { type Denial, MAX_DENIALS } from '../auth/denied-principals.js';
import { tooManyDenials } from '../auth/denials.js';
import { Refusal } from '../errors.js';
import { parseJson } from '../parse-json.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import { fieldsOf } from './node-answer.js';

/** Fields of the hash that are no principals: these have a colon. */
const [EPOCH, VERSION] = ['epoch', 'version'];

/**
 * Denies one. Where the list is full, makes room by forgetting what is over: entries begin with their `until`. KEYS: the hash;
 * ARGV: epoch if there is none, most denials, now, principal, entry.
 */
const PUT = new RedisScript(`
local key = KEYS[1]
redis.call('hsetnx', key, 'epoch', ARGV[1])
if redis.call('hexists', key, ARGV[4]) == 0 and redis.call('hlen', key) - 2 >= tonumber(ARGV[2]) then
  local all = redis.call('hgetall', key)
  for at = 1, #all, 2 do
    local till = string.match(all[at + 1], '^{"until":(%d+)')
    if till and tonumber(till) <= tonumber(ARGV[3]) then redis.call('hdel', key, all[at]) end
  end
  if redis.call('hlen', key) - 2 >= tonumber(ARGV[2]) then return 0 end
end
redis.call('hset', key, ARGV[4], ARGV[5])
redis.call('hincrby', key, 'version', 1)
return 1`);

/**
 * Lifts one: its entry stays, as one that is over, so that no node that has yet to hear of it puts the denial back. KEYS: the hash; ARGV:
 * principal, now, entry.
 */
const LIFT = new RedisScript(`
local entry = redis.call('hget', KEYS[1], ARGV[1])
if not entry then return 0 end
local till = string.match(entry, '^{"until":(%d+)')
if till and tonumber(till) <= tonumber(ARGV[2]) then return 0 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
redis.call('hincrby', KEYS[1], 'version', 1)
return 1`);

/** Adds those that are not there. KEYS: the hash; ARGV: epoch if there is none, then principal and entry of each. */
const RESTORE = new RedisScript(`
redis.call('hsetnx', KEYS[1], 'epoch', ARGV[1])
local added = 0
for at = 2, #ARGV, 2 do added = added + redis.call('hsetnx', KEYS[1], ARGV[at], ARGV[at + 1]) end
if added > 0 then redis.call('hincrby', KEYS[1], 'version', 1) end
return added`);

/** Names a state of the list. */
export interface DenialsVersion {
  /** Another one: Redis has lost the list that had the one before. */
  readonly epoch: string;
  /** Rises with each change. */
  readonly version: number;
}

/** The list of who is denied, in Redis: the hash `<prefix>:{nodes}:denied`. */
export class DenialRecords {
  readonly #redis: RedisConnection;
  readonly #key: string;

  constructor(redis: RedisConnection, keyPrefix: string) {
    this.#redis = redis;
    this.#key = `${keyPrefix}:{nodes}:denied`;
  }

  /** The state of the list; undefined where there is none. */
  async version(): Promise<DenialsVersion | undefined | Refusal> {
    const answer = await ask(this.#redis.hmget(this.#key, EPOCH, VERSION));
    if (answer instanceof Refusal) return answer;
    const [epoch, version] = answer;
    return epoch === null || epoch === undefined ? undefined : { epoch, version: Number(version ?? 0) };
  }

  /** The list and its state; undefined where there is none. Entries that make no sense are left out. */
  async read(): Promise<(DenialsVersion & { readonly denials: readonly Denial[] }) | undefined | Refusal> {
    const answer = await ask(this.#redis.hgetall(this.#key));
    if (answer instanceof Refusal) return answer;
    const { [EPOCH]: epoch, [VERSION]: version = 0, ...entries } = answer;
    if (epoch === undefined) return undefined;
    const denials = Object.entries(entries)
      .map(([principal, entry]) => readEntry(principal, entry))
      .filter((denial) => denial !== undefined)
      .slice(0, MAX_DENIALS);
    return { epoch, version: Number(version), denials };
  }

  /** Denies a principal; why it can not be denied. */
  async put(denial: Denial): Promise<Refusal | undefined> {
    const args = [randomUUID(), MAX_DENIALS, denial.at, denial.principal, JSON.stringify(denial)];
    const answer = await ask(PUT.run(this.#redis, [this.#key], args));
    if (answer instanceof Refusal) return answer;
    return answer === 0 ? tooManyDenials() : undefined;
  }

  /** Lifts a denial at the time `now`. False: there was none. */
  async lift(principal: string, now: number): Promise<boolean | Refusal> {
    const lifted: Denial = { until: now, principal, reason: null, by: 'lifted', at: now };
    const answer = await ask(LIFT.run(this.#redis, [this.#key], [principal, now, JSON.stringify(lifted)]));
    return answer instanceof Refusal ? answer : answer === 1;
  }

  /** Adds those that Redis does not have; what it has stays as it is. */
  async restore(denials: readonly Denial[]): Promise<Refusal | undefined> {
    const entries = denials.flatMap((denial) => [denial.principal, JSON.stringify(denial)]);
    const answer = await ask(RESTORE.run(this.#redis, [this.#key], [randomUUID(), ...entries]));
    return answer instanceof Refusal ? answer : undefined;
  }
}

async function ask<Reply>(reply: Promise<Reply>): Promise<Reply | Refusal> {
  try {
    return await reply;
  } catch {
    return new Refusal(
      'node_unavailable',
      'Redis, which has the list of who is denied, did not confirm this: try again, which does no harm if it was done',
      1000,
    );
  }
}

function readEntry(principal: string, entry: string): Denial | undefined {
  const parsed = parseJson(entry);
  if (parsed instanceof Refusal) return undefined;
  const { until, reason, by, at } = fieldsOf(parsed.value);
  const isSound = (until === null || typeof until === 'number') && typeof at === 'number';
  if (!isSound) return undefined;
  return {
    until,
    principal,
    reason: typeof reason === 'string' ? reason : null,
    by: typeof by === 'string' ? by : 'unknown',
    at,
  };
}
