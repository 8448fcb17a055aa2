import { Refusal } from '../errors.js';
import type { RedisConnection } from '../redis/redis-connection.js';

/** Nodes that are read at once; of more, those that were heard of last. */
const MAX_NODES = 1000;

/** Gone is who was not heard of for `ttlMs`. KEYS: times, reports, rooms; ARGV: id, ttlMs, report, rooms, most nodes. */
const BEAT = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call('zrangebyscore', KEYS[1], '-inf', '(' .. now - ARGV[2], 'limit', 0, ARGV[5])) do
  redis.call('zrem', KEYS[1], id)
  redis.call('hdel', KEYS[2], id)
  redis.call('hdel', KEYS[3], id)
end
local known = redis.call('zscore', KEYS[1], ARGV[1]) and 1 or 0
redis.call('zadd', KEYS[1], now, ARGV[1])
redis.call('hset', KEYS[2], ARGV[1], ARGV[3])
redis.call('hset', KEYS[3], ARGV[1], ARGV[4])
for _, key in ipairs(KEYS) do redis.call('pexpire', key, ARGV[2] * 10) end
local answer = {known, now}
local seen = redis.call('zrevrangebyscore', KEYS[1], '+inf', '-inf', 'withscores', 'limit', 0, ARGV[5])
for at = 1, #seen, 2 do
  answer[#answer + 1] = seen[at]
  answer[#answer + 1] = seen[at + 1]
  answer[#answer + 1] = redis.call('hget', KEYS[2], seen[at]) or ''
end
return answer`;

/** KEYS: times, reports, rooms; ARGV: id. */
const REMOVE = `
redis.call('zrem', KEYS[1], ARGV[1])
redis.call('hdel', KEYS[2], ARGV[1])
redis.call('hdel', KEYS[3], ARGV[1])`;

/** A node as Redis has it. */
export interface NodeRecord {
  readonly id: string;
  /** When it was heard of, on Redis' clock, ms. */
  readonly seenAt: number;
  /** Its report, as it wrote it. */
  readonly text: string;
}

/** What Redis says to a beat. */
export interface BeatAnswer {
  /** True when Redis still had this node from an earlier beat. */
  readonly wasKnown: boolean;
  /** Redis' clock, ms since the epoch. */
  readonly nowMs: number;
  /** All nodes that were heard of lately, this one included. */
  readonly nodes: readonly NodeRecord[];
}

/**
 * What nodes write of themselves in Redis, and read of each other: `<prefix>:{nodes}` has when each was heard of last,
 * `…:reports` and `…:rooms` what it said.
 */
export class NodeRecords {
  readonly #redis: RedisConnection;
  readonly #ttlMs: number;
  readonly #keys: readonly [times: string, reports: string, rooms: string];

  /** `ttlMs`: a node that was not heard of for so long is gone. */
  constructor(redis: RedisConnection, keyPrefix: string, ttlMs: number) {
    this.#redis = redis;
    this.#ttlMs = ttlMs;
    const key = `${keyPrefix}:{nodes}`;
    this.#keys = [key, `${key}:reports`, `${key}:rooms`];
  }

  /** Writes what a node says of itself, lets go of those that are gone, and reads all. */
  async beat(id: string, report: string, rooms: string): Promise<BeatAnswer | Refusal> {
    const args = [id, this.#ttlMs, report, rooms, MAX_NODES];
    const answer = await this.#ask(this.#redis.eval(BEAT, 3, ...this.#keys, ...args));
    if (answer instanceof Refusal) return answer;
    const [known, now, ...flat] = answer as readonly (string | number)[];
    const nodes: NodeRecord[] = [];
    for (let at = 0; at + 2 < flat.length; at += 3) {
      nodes.push({ id: String(flat[at]), seenAt: Number(flat[at + 1]), text: String(flat[at + 2]) });
    }
    return { wasKnown: known === 1, nowMs: Number(now), nodes };
  }

  /** What these nodes wrote of their rooms, in their order; null where there is nothing. */
  async rooms(ids: readonly string[]): Promise<readonly (string | null)[] | Refusal> {
    if (ids.length === 0) return [];
    return this.#ask(this.#redis.hmget(this.#keys[2], ...ids));
  }

  /** The node is gone, at once. */
  async remove(id: string): Promise<Refusal | undefined> {
    const answer = await this.#ask(this.#redis.eval(REMOVE, 3, ...this.#keys, id));
    return answer instanceof Refusal ? answer : undefined;
  }

  async #ask<Reply>(reply: Promise<Reply>): Promise<Reply | Refusal> {
    try {
      return await reply;
    } catch {
      return new Refusal('node_unavailable', 'the other gateways can not be reached: Redis is away', 1000);
    }
  }
}
