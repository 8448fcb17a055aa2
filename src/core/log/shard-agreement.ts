import type { Logger } from '../logger.js';
import type { RedisConnection } from '../redis/redis-connection.js';

/**
 * What all nodes of one Redis must agree on: how many shards the log has. The first that comes writes it down, under
 * `<prefix>:{log}:shards`; who has another number must neither write nor say that it reads all.
 */
export class ShardAgreement {
  readonly #key: string;
  readonly #count: number;
  readonly #logger: Logger;
  #others: string | null = null;

  /** @param count What this node was told, `LOG_SHARDS`. */
  constructor(keyPrefix: string, count: number, logger: Logger) {
    this.#key = `${keyPrefix}:{log}:shards`;
    this.#count = count;
    this.#logger = logger;
  }

  /** How many shards the others have, where the last answer was another number than this node's; else null. */
  get others(): string | null {
    return this.#others;
  }

  /** True when it holds now; false, and an error in the log, when it does not. Rejects when Redis can't be reached. */
  async check(redis: RedisConnection): Promise<boolean> {
    const own = String(this.#count);
    let written = await redis.get(this.#key);
    // Only where it is missing: a Redis that is full refuses to be written to, and can still be read.
    if (written === null) {
      await redis.setnx(this.#key, own);
      written = (await redis.get(this.#key)) ?? own;
    }
    const others = written === own ? null : written;
    if (others !== this.#others) this.#tell(others);
    this.#others = others;
    return others === null;
  }

  #tell(others: string | null): void {
    if (others === null) return this.#logger.info('LOG_SHARDS is the same as in Redis again');
    this.#logger.error('LOG_SHARDS is not what it is in Redis: this node takes and serves nothing', {
      here: this.#count,
      inRedis: others,
      key: this.#key,
      remedy: 'set the same LOG_SHARDS on all nodes; to change it, stop all nodes and delete this key',
    });
  }
}
