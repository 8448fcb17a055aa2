import type { Clock } from '../../clock.js';
import type { Outcome } from '../../command.js';
import { compareLogIds, FIRST_LOG_ID } from '../../log/log-id.js';
import type { Logger } from '../../logger.js';
import type { Counters } from '../../metrics/counters.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { unlessFrozen } from '../../redis/unless-frozen.js';
import type { CommandJournal, JournalledEnd } from '../command-journal.js';
import { DEFAULT_OUTCOME_TYPE } from '../commands-module.js';
import { bullPrefix, failedFor, publishesOf, succeededWith, traceparentOf } from './command-job.js';
import { tellableEvent } from '../outcome-event.js';
import type { OutcomeLedger, PlacedOutcome } from './outcome-ledger.js';

/** What an {@link OutcomeFollower} is made of. */
export interface OutcomeFollowerOptions {
  /** Waits for a connection; closed with the follower. */
  readonly reader: RedisConnection;
  /** Fails at once while Redis is away; closed by whoever opened it. */
  readonly redis: RedisConnection;
  readonly keyPrefix: string;
  /** The names of all queues there are, at least one. */
  readonly queues: readonly string[];
  readonly ledger: OutcomeLedger;
  /** Most bytes of an event's data. */
  readonly maxDataBytes: number;
  /** Type of the events that tell outcomes; default {@link DEFAULT_OUTCOME_TYPE}. */
  readonly outcomeType?: string;
  /** Told every outcome, some more than once. */
  readonly onOutcome: (id: string, outcome: Outcome) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Where how commands end is written down. */
  readonly journal: CommandJournal;
}

/** A command's end, as the queue's events tell it. */
interface Ended {
  readonly at: string;
  readonly id: string;
  readonly outcome: Outcome;
}

/** The same, as it is reported. */
interface PlacedEnd extends PlacedOutcome {
  readonly end: JournalledEnd;
}

type RawEntry = [id: string, fields: string[]];

/** Entries read at once, of each queue. */
const PAGE_SIZE = 10;
/** How long one read waits for news, ms. */
const BLOCK_MS = 2000;
/** A read that takes so long says that Redis is frozen, ms. */
const MAX_READ_MS = BLOCK_MS + 2000;
/** Pause after something failed, ms. */
const RETRY_MS = 200;

/**
 * Follows what BullMQ tells of its queues, in order, and reports how commands ended: to this process, and, as events, to
 * everybody. All gateways do so; what one has reported, the {@link OutcomeLedger} keeps the others from reporting again,
 * and what one that died has not, another reports.
 *
 * Writes down the end of those that this process reported. Counts `outcomes_unknown`, whose job was gone; `outcome_breaks`,
 * after which outcomes may be missing.
 */
export class OutcomeFollower {
  readonly #options: OutcomeFollowerOptions;
  /** Up to where each queue's events were read and reported. */
  readonly #positions = new Map<string, string>();
  readonly #prefix: string;
  #tellBegun: () => void = () => undefined;
  #closed = false;

  /** Resolves once it follows all queues. */
  readonly begun: Promise<void> = new Promise((resolve) => {
    this.#tellBegun = resolve;
  });

  constructor(options: OutcomeFollowerOptions) {
    this.#options = options;
    this.#prefix = bullPrefix(options.keyPrefix);
  }

  /** Starts to follow, until it is closed. */
  start(): void {
    void this.#follow();
  }

  close(): void {
    this.#closed = true;
    this.#options.reader.disconnect();
  }

  async #follow(): Promise<void> {
    const { clock, logger } = this.#options;
    while (!this.#closed) {
      try {
        for (const queue of this.#options.queues) await this.#unlessFrozen(this.#begin(queue));
        this.#tellBegun();
        while (!this.#closed) await this.#readOn();
      } catch (error) {
        if (this.#closed) return;
        logger.debug('following the outcomes of commands failed', { reason: String(error) });
        await new Promise<void>((resolve) => {
          clock.after(RETRY_MS, resolve);
        });
      }
    }
  }

  /** Finds where to read on. */
  async #begin(queue: string): Promise<void> {
    const { reader, ledger, logger, counters } = this.#options;
    const key = this.#eventsOf(queue);
    const [newest] = (await reader.xrevrange(key, '+', '-', 'COUNT', 1)) as RawEntry[];
    const at = this.#positions.get(queue) ?? (await ledger.begin(queue, newest?.[0] ?? FIRST_LOG_ID));
    const [oldest] = (await reader.xrange(key, '-', '+', 'COUNT', 1)) as RawEntry[];
    if (at !== FIRST_LOG_ID && oldest !== undefined && compareLogIds(at, oldest[0]) < 0) {
      counters.add('outcome_breaks');
      logger.warn('outcomes of commands may have been lost: nobody has reported them for too long', {
        queue,
      });
    }
    this.#positions.set(queue, at);
  }

  async #readOn(): Promise<void> {
    const { reader, queues } = this.#options;
    const keys = queues.map((queue) => this.#eventsOf(queue));
    const from = queues.map((queue) => this.#positions.get(queue) ?? FIRST_LOG_ID);
    const read = reader.xread('COUNT', PAGE_SIZE, 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...from);
    for (const [key, entries] of ((await this.#unlessFrozen(read)) ?? []) as [string, RawEntry[]][]) {
      const queue = queues[keys.indexOf(key)];
      const last = entries[entries.length - 1];
      if (queue === undefined || last === undefined) continue;
      const ended: Ended[] = [];
      for (const entry of entries) {
        ended.push(...endedOf(entry));
        // A result may be large, and the loop serves others.
        await new Promise<void>((resolve) => {
          this.#options.clock.soon(resolve);
        });
      }
      for (const { id, outcome } of ended) this.#options.onOutcome(id, outcome);
      await this.#report(queue, ended);
      this.#positions.set(queue, last[0]);
    }
  }

  async #report(queue: string, ended: readonly Ended[]): Promise<void> {
    if (ended.length === 0) return;
    const { ledger, journal } = this.#options;
    // Most of it another node has reported already; what isn't so, the ledger decides.
    const progress = (await ledger.progress(queue)) ?? FIRST_LOG_ID;
    const news = ended.filter(({ at }) => compareLogIds(at, progress) > 0);
    if (news.length === 0) return;
    const placed = await Promise.all(news.map((one) => this.#place(queue, one)));
    const reported = await ledger.report(queue, placed);
    // Whoever else reported some of them had the first ones.
    for (const { end } of placed.slice(news.length - reported)) journal.ended(end);
  }

  async #place(queue: string, { at, id, outcome }: Ended): Promise<PlacedEnd> {
    const { redis, counters } = this.#options;
    const key = `${this.#prefix}:${queue}:${id}`;
    const [action, dataJson, addedAt] = await redis.hmget(key, 'name', 'data', 'timestamp');
    const endedMs = Number(at.slice(0, at.indexOf('-')));
    if (typeof action !== 'string' || typeof dataJson !== 'string') {
      counters.add('outcomes_unknown');
      return {
        at,
        event: undefined,
        end: { id, action: 'unknown', outcome, ms: null, traceparent: undefined },
      };
    }
    // Added by the clock of a gateway, ended by that of Redis.
    const ms = Math.max(0, endedMs - Number(addedAt)) || 0;
    const end = { id, action, outcome, ms, traceparent: traceparentOf(dataJson) };
    const publishes = publishesOf(dataJson) ?? undefined;
    if (publishes === undefined) return { at, event: undefined, end };
    const { maxDataBytes, outcomeType = DEFAULT_OUTCOME_TYPE } = this.#options;
    const told = { publishes, endedMs, maxDataBytes, outcomeType };
    const event = tellableEvent({ id, action, ...outcome }, told);
    return { at, event, end };
  }

  #unlessFrozen<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const { clock, reader } = this.#options;
    return unlessFrozen(answer, { reader, clock, maxMs: MAX_READ_MS });
  }

  #eventsOf(queue: string): string {
    return `${this.#prefix}:${queue}:events`;
  }
}

/** The command's end that an entry of a queue's events tells; none where it tells something else. */
function endedOf([at, flat]: RawEntry): Ended[] {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) {
    fields.set(flat[index] as string, flat[index + 1] as string);
  }
  const id = fields.get('jobId');
  const event = fields.get('event');
  if (id === undefined) return [];
  if (event === 'completed') return [{ at, id, outcome: succeededWith(fields.get('returnvalue') ?? '') }];
  if (event === 'failed') return [{ at, id, outcome: failedFor(fields.get('failedReason') ?? '') }];
  return [];
}
