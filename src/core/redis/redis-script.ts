import { createHash } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';

/** What a script is given besides its keys. */
export type ScriptValue = string | number;

/**
 * A Lua script that Redis runs in one step. It is named by its hash, and sent whole only to a server that does not know it:
 * after a restart, or where another has become master.
 */
export class RedisScript {
  readonly #text: string;
  readonly #hash: string;

  constructor(text: string) {
    this.#text = text;
    this.#hash = createHash('sha1').update(text).digest('hex');
  }

  /** Runs it; on a Cluster all keys must share a slot. Rejects when Redis can't be reached, and with what it throws. */
  async run(
    redis: RedisConnection,
    keys: readonly string[],
    values: readonly ScriptValue[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(this.#hash, keys.length, ...keys, ...values);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      return redis.eval(this.#text, keys.length, ...keys, ...values);
    }
  }

  /**
   * Runs it, then waits for at most `waitMs` until `replicas` have what it wrote; rejects when they are fewer, though it
   * has run.
   */
  async runReplicated(
    redis: RedisConnection,
    keys: readonly string[],
    values: readonly ScriptValue[],
    { replicas, waitMs }: { readonly replicas: number; readonly waitMs: number },
  ): Promise<unknown> {
    const send = async (whole: boolean): Promise<unknown> => {
      const pipeline = redis.pipeline();
      if (whole) pipeline.eval(this.#text, keys.length, ...keys, ...values);
      else pipeline.evalsha(this.#hash, keys.length, ...keys, ...values);
      const [ran, waited] = (await pipeline.wait(replicas, waitMs).exec()) ?? [];
      const error = ran?.[0] ?? waited?.[0];
      if (error) throw error;
      if (Number(waited?.[1]) < replicas) throw new Error('fewer replicas than REDIS_MIN_REPLICAS have it');
      return ran?.[1];
    };
    try {
      return await send(false);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      return send(true);
    }
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
