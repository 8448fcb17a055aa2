import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.js';
import type { Outcome } from '../../command.js';
import type { Refusal } from '../../errors.js';
import { type Claim, mismatch } from '../claim.js';
import type { Receipt } from '../command-queue.js';

/** A command this process knows. */
export interface CommandRecord {
  readonly id: string;
  readonly action: string;
  /** The id of the principal whose it is. */
  readonly principal: string;
  /** Resolves when the queue has taken it, or refused it; rejects when offering it threw. */
  readonly accepted: Promise<Receipt | Refusal>;
  /** Resolves when it has ended and {@link outcome} tells how, or when it was not taken. Never rejects. */
  readonly ended: Promise<unknown>;
  /** Under which key it may be asked for again. */
  readonly claim: Claim | undefined;
  /** The span that had it queued. */
  readonly traceparent: string | undefined;
  /** When it was taken, epoch ms, and by {@link Clock.elapsed}. */
  readonly at: number;
  readonly takenAt: number;
  /** When it ended, {@link Clock.elapsed}; undefined before that. */
  endedAt: number | undefined;
  /** How it ended; undefined before that. */
  outcome: Outcome | undefined;
}

const MAX_ENTRIES = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;
const RECORD_BYTES = 500;
/** Commands that can be listed: the newest. */
const MAX_LISTED = 200;
const STATE_TTL_MS = 3_600_000;
const KEY_TTL_MS = 24 * STATE_TTL_MS;

/**
 * What a process remembers of its commands. Commands that have not ended are kept, all of them: the queue bounds how many there are.
 * Of those that have, the newest 10,000 and at most 64 MiB: for one hour by id, for 24 hours by idempotency key.
 */
export class CommandRecords {
  readonly #clock: Clock;
  /** Ids in the order in which they were taken; of the newest at least {@link MAX_LISTED}. */
  #order: string[] = [];
  readonly #open = new Map<string, CommandRecord>();
  readonly #openKeys = new Map<string, CommandRecord>();
  readonly #ended: LRUCache<string, CommandRecord>;
  readonly #endedKeys: LRUCache<string, CommandRecord>;

  constructor(clock: Clock) {
    this.#clock = clock;
    const limits = {
      max: MAX_ENTRIES,
      maxSize: MAX_BYTES,
      ttlResolution: 0,
      perf: { now: () => clock.elapsed() },
    };
    this.#ended = new LRUCache({ ...limits, ttl: STATE_TTL_MS });
    this.#endedKeys = new LRUCache({ ...limits, ttl: KEY_TTL_MS });
  }

  /** How many commands have not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** The command with this id; undefined when there is none, or no longer. */
  find(id: string): CommandRecord | undefined {
    return this.#open.get(id) ?? this.#ended.get(id);
  }

  /**
   * The command that was first asked for under this key, ended or not; undefined when the key is new;
   * `idempotency_mismatch` when it was for something else.
   */
  recall(claim: Claim): CommandRecord | Refusal | undefined {
    const { scopedKey } = claim;
    const record = this.#openKeys.get(scopedKey) ?? this.#endedKeys.get(scopedKey);
    if (record === undefined || record.claim?.fingerprint === claim.fingerprint) return record;
    return mismatch();
  }

  /** The newest commands, newest first, at most `limit` and 200. */
  newest(limit: number): readonly CommandRecord[] {
    const newest: CommandRecord[] = [];
    for (const id of this.#order.toReversed()) {
      // Being listed must not keep one from being forgotten.
      const record = this.#open.get(id) ?? this.#ended.peek(id);
      if (record !== undefined) newest.push(record);
      if (newest.length >= limit) break;
    }
    return newest;
  }

  /** Remembers a command that is about to be offered to the queue. */
  add(record: CommandRecord): void {
    this.#open.set(record.id, record);
    this.#order.push(record.id);
    if (this.#order.length > 2 * MAX_LISTED) this.#order = this.#order.slice(-MAX_LISTED);
    if (record.claim !== undefined) this.#openKeys.set(record.claim.scopedKey, record);
  }

  /** Forgets a command that was not taken: its key is free again. */
  forget(id: string): void {
    this.#close(id);
    const place = this.#order.lastIndexOf(id);
    if (place !== -1) this.#order.splice(place, 1);
  }

  /**
   * Notes how a command ended, and returns its record.
   * @param length Length of the outcome as JSON text: what it is taken to weigh.
   * @throws when no command with this id is open.
   */
  end(id: string, outcome: Outcome, length: number): CommandRecord {
    const record = this.#open.get(id);
    if (record === undefined) throw new Error(`command ${id} is not open`);
    this.#close(id);
    record.outcome = outcome;
    record.endedAt = this.#clock.elapsed();
    const size = length + RECORD_BYTES;
    this.#ended.set(id, record, { size });
    if (record.claim !== undefined) this.#endedKeys.set(record.claim.scopedKey, record, { size });
    return record;
  }

  #close(id: string): void {
    const claim = this.#open.get(id)?.claim;
    this.#open.delete(id);
    if (claim !== undefined) this.#openKeys.delete(claim.scopedKey);
  }
}
