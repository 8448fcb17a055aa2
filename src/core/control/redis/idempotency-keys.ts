import { createHash } from 'node:crypto';
import { Refusal } from '../../errors.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { type Claim, mismatch } from '../claim.js';

/** What is kept under a claim. */
export interface KnownClaim {
  /** The command's id. */
  readonly id: string;
  /** True when a queue is known to have taken it. */
  readonly taken: boolean;
}

/** How long a key is remembered, ms. */
const TTL_MS = 24 * 3_600_000;
const RETRY_AFTER_MS = 1000;

/** Idempotency keys that all nodes share: in Redis, for 24 hours: longer than a command may wait, run and be remembered. */
export class IdempotencyKeys {
  readonly #redis: RedisConnection;
  readonly #keyPrefix: string;

  /** `redis` fails at once while Redis is away. */
  constructor(redis: RedisConnection, keyPrefix: string) {
    this.#redis = redis;
    this.#keyPrefix = keyPrefix;
  }

  /** What is known under a claim; undefined when it is new; `idempotency_mismatch`, `queue_unavailable`. */
  async find(claim: Claim): Promise<KnownClaim | Refusal | undefined> {
    try {
      return readClaim(await this.#redis.get(this.#keyOf(claim)), claim);
    } catch {
      return unreachable();
    }
  }

  /** Keeps `id` under a claim, unless one is kept already: that one counts, and is what is returned. */
  async claim(claim: Claim, id: string): Promise<KnownClaim | Refusal> {
    const value = textOf(claim, { id, taken: false });
    try {
      const key = this.#keyOf(claim);
      await this.#redis.set(key, value, 'PX', TTL_MS, 'NX');
      return readClaim(await this.#redis.get(key), claim) ?? unreachable();
    } catch {
      return unreachable();
    }
  }

  /** Notes that a queue has taken the command. Where that fails, asking again offers it again, which is harmless. */
  async markTaken(claim: Claim, id: string): Promise<void> {
    const value = textOf(claim, { id, taken: true });
    await this.#redis.set(this.#keyOf(claim), value, 'PX', TTL_MS, 'XX').catch(() => undefined);
  }

  #keyOf({ scopedKey }: Claim): string {
    return `${this.#keyPrefix}:idempotency:${createHash('sha256').update(scopedKey).digest('base64url')}`;
  }
}

function textOf({ fingerprint }: Claim, { id, taken }: KnownClaim): string {
  return `${taken ? 'taken' : 'claimed'} ${id} ${fingerprint}`;
}

function readClaim(text: string | null, claim: Claim): KnownClaim | Refusal | undefined {
  if (text === null) return undefined;
  const [state, id = '', fingerprint] = text.split(' ');
  return fingerprint === claim.fingerprint ? { id, taken: state === 'taken' } : mismatch();
}

function unreachable(): Refusal {
  return new Refusal('queue_unavailable', 'idempotency keys can not be looked up now', RETRY_AFTER_MS);
}
