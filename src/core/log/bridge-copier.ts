import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { RefusedPermissions } from '../redis/refused-permissions.js';
import { within } from '../within.js';
import type { BridgeLedger, CopyAnswer } from './bridge-ledger.js';
import { BridgeQueue, type Interval, type Published, type Waiting } from './bridge-queue.js';
import { entrySize } from './entry-size.js';
import { RefusedEvents } from './refused-events.js';

/** Events copied at once; … */
const BATCH_EVENTS = 500;
/** … and their bytes, unless one event has more. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** When nobody copied a message, or the one before it, for so long, every node that has it does, ms. */
const LATE_MS = 1000;
/** For so long messages wait for earlier ones that this node missed and another may have, ms. */
const ORDER_MS = 3000;
/** When the ledger was lost, the other nodes wait so long for the copier to say how far it copied, ms. */
const RESTORE_MS = 2000;
/** How long the last copying, and telling the others, may take when the node stops, ms. */
const CLOSE_MS = 2000;
/** Intervals of which a node remembers how far they were copied. */
const MAX_KNOWN = 50;

/** What a {@link BridgeCopier} works with. */
export interface CopierParts {
  readonly ledger: BridgeLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly permissions?: RefusedPermissions;
}

/**
 * Copies published messages into the log, together with the copiers of the other nodes and without a leader. The node that
 * copied last, the *copier*, goes on to copy at once; the others copy what it left for a second. The ledger passes over
 * what was copied before, so that it does not matter how many nodes copy.
 */
export class BridgeCopier {
  readonly #parts: CopierParts;
  readonly #queue = new BridgeQueue();
  readonly #refused: RefusedEvents;
  readonly #token = randomUUID();
  /** How far intervals were copied, the newest {@link MAX_KNOWN}. */
  readonly #known = new Map<number, number>();
  #isCopier = false;
  /** True when no node copies at once. */
  #isFree = false;
  #oldestElsewhere: number | null = null;
  /** Where the next message to copy is, as last seen, and since when: whether another node gets on with copying. */
  #next = { mark: 0, copiedTo: -1, since: 0 };
  /** Until then it leaves copying to the copier, after the ledger was lost. */
  #patientUntil = -Infinity;
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(parts: CopierParts) {
    this.#parts = parts;
    this.#refused = new RefusedEvents('PUBLISH', parts);
  }

  /** True while this node copies at once. */
  get copies(): boolean {
    return this.#isCopier && !this.waits;
  }

  /** True while messages wait for earlier ones that this node missed. */
  get waits(): boolean {
    const next = this.#queue.next;
    return next !== undefined && isCut(next);
  }

  /** A mark came. */
  mark(mark: number): void {
    this.#queue.mark(mark, this.#parts.clock.elapsed());
    // After a break, the next beat tells first whether another node has what this one missed.
    if (this.copies) this.#drainSoon();
  }

  /** Messages are missed from now on, up to the next mark. */
  break(): void {
    this.#queue.break();
  }

  /** The next message came. */
  take(message: Published): void {
    const added = this.#queue.add(message, this.#parts.clock.elapsed());
    if (added === 'dropped') {
      this.#parts.counters.add('events_dropped', this.#isCopier ? 'bridge_full' : 'bridge_standby_full');
    }
    if (this.copies) this.#drainSoon();
  }

  /** Exchanges with the other nodes what was copied, and copies what is due. `listens`: messages come to this node. */
  async beat(listens: boolean): Promise<void> {
    if (this.#closed) return;
    const { ledger, clock } = this.#parts;
    const { intervals } = this.#queue;
    const asked = intervals.slice(0, MAX_KNOWN).map(({ mark, copiedTo }) => [mark, copiedTo] as const);
    const view = await ledger.sync(this.#token, {
      isCopier: this.#isCopier,
      isAble: listens && !this.waits,
      oldest: intervals[0]?.mark ?? null,
      known: new Map<number, number | undefined>([...asked, ...this.#known]),
    });
    if (view instanceof Refusal) return;
    this.#becomes(view.copier === 'this');
    this.#oldestElsewhere = view.oldestElsewhere;
    for (const [mark, count] of view.progress) this.#learn(mark, count);
    this.#lookAtNext();
    if (view.wasLost) this.#patientUntil = clock.elapsed() + RESTORE_MS;
    const isLost = view.copier === 'unknown' && clock.elapsed() < this.#patientUntil;
    this.#isFree = (view.copier === 'none' || view.copier === 'unknown') && !isLost;
    this.#drainSoon();
  }

  /** Copies what waits, as far as Redis takes it in time, and tells the others. */
  async close(): Promise<void> {
    this.#closed = true;
    const { clock, ledger, counters } = this.#parts;
    this.#drainSoon();
    if (this.#draining !== null) await within(clock, CLOSE_MS, this.#draining);
    await within(clock, CLOSE_MS, ledger.leave(this.#token));
    if (this.#isCopier) counters.add('events_dropped', 'bridge_closed', this.#queue.length);
    this.#isCopier = false;
  }

  #becomes(isCopier: boolean): void {
    if (isCopier === this.#isCopier) return;
    this.#isCopier = isCopier;
    this.#parts.logger.info(isCopier ? 'copies published messages' : 'stands by for published messages');
  }

  #learn(mark: number, count: number): void {
    const known = this.#known.get(mark);
    if (known === undefined && this.#known.size >= MAX_KNOWN) {
      const oldest = Math.min(...this.#known.keys());
      if (mark > oldest) this.#known.delete(oldest);
    }
    if (known !== undefined || this.#known.size < MAX_KNOWN) {
      this.#known.set(mark, Math.max(known ?? 0, count));
    }
    this.#queue.copied(mark, count);
  }

  #drainSoon(): void {
    if (this.#draining !== null || !this.#isDue(this.#queue.next)) return;
    this.#draining = this.#drain().finally(() => {
      this.#draining = null;
    });
  }

  /** True when it is this node's turn to copy from the interval. */
  #isDue(next: Interval | undefined): next is Interval {
    if (next === undefined) return false;
    if (this.#isCopier || this.#isFree || this.#closed) return true;
    const now = this.#parts.clock.elapsed();
    const since = next.copiedTo === undefined ? next.receivedAt : (next.messages[0]?.receivedAt ?? now);
    const waitsSince = next.mark === this.#next.mark ? Math.max(since, this.#next.since) : now;
    return now - waitsSince >= LATE_MS && now >= this.#patientUntil;
  }

  /** Notes whether another node got on with copying: one that does, however far behind, is left to it. */
  #lookAtNext(): void {
    const { mark = 0, copiedTo = -1 } = this.#queue.next ?? {};
    if (mark === this.#next.mark && copiedTo === this.#next.copiedTo) return;
    this.#next = { mark, copiedTo, since: this.#parts.clock.elapsed() };
  }

  /** True when the interval need not wait for messages published before it. */
  #mayBegin(interval: Interval): boolean {
    if (!isCut(interval) || this.#closed) return true;
    if (this.#oldestElsewhere === null || this.#oldestElsewhere >= interval.mark) return true;
    return this.#parts.clock.elapsed() - interval.receivedAt >= ORDER_MS;
  }

  async #drain(): Promise<void> {
    const { ledger, clock } = this.#parts;
    for (let next = this.#queue.next; this.#isDue(next); next = this.#queue.next) {
      const { mark, copiedTo } = next;
      const messages = batchOf(next);
      const takesOver = !this.#isCopier;
      const mayBegin = this.#mayBegin(next);
      const answer = await ledger.copy(this.#token, { mark, mayBegin, copiedTo, takesOver, messages });
      const pauseMs =
        answer instanceof Refusal ? (answer.retryAfterMs ?? 1000) : this.#note(mark, messages, answer);
      if (pauseMs === undefined) return;
      if (pauseMs === 0) continue;
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        clock.after(pauseMs, resolve);
      });
    }
  }

  /** Takes in what came of copying; returns for how long to wait before the next, ms; undefined: until the next beat. */
  #note(mark: number, messages: readonly Waiting[], answer: CopyAnswer): number | undefined {
    const { counters, logger } = this.#parts;
    this.#becomes(answer.isCopier);
    if (answer.outcome === 'waits') return undefined;
    if (answer.outcome === 'forgotten') {
      counters.add('events_dropped', 'bridge_expired', this.#queue.abandon(mark));
      return 0;
    }
    const { from, to, late, error } = answer;
    for (const { published, count } of messages) {
      const isOurs = count > from && count <= to;
      if (isOurs && 'refusal' in published) this.#refused.note(published.refusal, published.channel);
    }
    if (late > 0) {
      counters.add('published_events_late', 'all', late);
      logger.warn('copied published messages after later ones: this node could not before', { count: late });
    }
    this.#learn(mark, to);
    if (error === undefined) return 0;
    logger.debug('the log does not take published messages', { reason: error });
    return 1000;
  }
}

/** True when messages before it were missed, and nobody is known to have begun it. */
function isCut({ continues, copiedTo }: Interval): boolean {
  return !continues && copiedTo === undefined;
}

/** The next messages of an interval, as many as are copied at once. */
function batchOf({ messages }: Interval): readonly Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const { published } of messages) {
    if (count >= BATCH_EVENTS) break;
    bytes += 'event' in published ? entrySize(published.event) : 0;
    if (count > 0 && bytes > BATCH_BYTES) break;
    count += 1;
  }
  return messages.slice(0, count);
}
