import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { within } from '../within.js';
import type { BridgeLedger, LeaseAnswer, PlacedEvent } from './bridge-ledger.js';
import { isBefore, type Place } from './place.js';
import { PlacedQueue } from './placed-queue.js';
import { type WholeSpan, WholeSpans } from './whole-spans.js';

/** Events appended at once. */
const BATCH_SIZE = 500;
/**
 * For so long a free lease is left to nodes that have missed nothing; then also others take it, ms. Longer than such a node
 * may take to ask for it: it may be connecting again, or wait for an answer.
 */
const FORCE_MS = 6000;
/** How long the last copying, and giving the lease back, may take when the node stops, ms. */
const CLOSE_MS = 2000;

/** What a {@link BridgeTurn} works with. */
export interface TurnParts {
  readonly ledger: BridgeLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * Whose turn it is to copy published messages, and the copying: keeps what may still have to be copied, asks for the
 * lease, and while it has it appends. Who missed messages leaves the lease to who did not.
 */
export class BridgeTurn {
  readonly #parts: TurnParts;
  readonly #queue = new PlacedQueue();
  readonly #token = randomUUID();
  readonly #spans = new WholeSpans();
  #holds = false;
  /** The span it copies, while it holds the lease. */
  #span: WholeSpan | undefined;
  /** Up to where it has copied all, while it gives the lease back. */
  #handsOver: Place | undefined;
  #copiedTo: Place | null = null;
  #freeSince: number | null = null;
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  /** True while this node copies what is published now. */
  get holds(): boolean {
    return this.#holds && this.#end === null;
  }

  /** True when this node could go on where copying got to, and would miss nothing. */
  get isWhole(): boolean {
    return this.#copiedTo !== null && this.#spans.at(this.#copiedTo)?.to === null;
  }

  /** Where what this node may copy ends; null: it goes on. */
  get #end(): Place | null {
    return this.#span?.to ?? null;
  }

  /** From this mark on, this node hears all messages. */
  hearFrom(mark: number): void {
    this.#spans.begin(mark);
  }

  /** Messages after `place` were missed. */
  missAfter(place: Place): void {
    this.#spans.end(place);
  }

  /** A message that is an event, later than all before it. */
  take(event: NewEvent, place: Place): void {
    if (!this.#queue.push(event, place)) {
      this.#parts.counters.add('events_dropped', this.#holds ? 'bridge_full' : 'bridge_standby_full');
    } else if (this.#holds) {
      this.#startDraining();
    }
  }

  /** Asks for the lease, renews it or gives it back, and forgets what has been copied. `place` is the last message's. */
  async beat(place: Place | null): Promise<void> {
    if (this.#handsOver !== undefined && !(await this.#release())) return;
    if (this.#holds && (await this.#isThrough())) return;
    if (this.#spans.all.length === 0 || this.#closed) return;
    const { ledger, clock } = this.#parts;
    const isIdle = this.#draining === null && this.#queue.length === 0;
    const now = clock.elapsed();
    const answer = await ledger.hold(this.#token, {
      spans: this.#spans.all,
      force: this.#freeSince !== null && now - this.#freeSince >= FORCE_MS,
      copiedTo: this.holds && isIdle ? place : null,
    });
    if (!(answer instanceof Refusal)) this.#learn(answer, now);
  }

  /** Copies what waits, as far as Redis takes it in time, and gives the lease back. `place` is the last message's. */
  async close(place: Place | null): Promise<void> {
    this.#closed = true;
    const { clock, ledger } = this.#parts;
    if (this.#draining !== null) await within(clock, CLOSE_MS, this.#draining);
    const isDone = this.holds && this.#queue.length === 0;
    // A Redis that does not answer will see the lease expire.
    await within(clock, CLOSE_MS, ledger.release(this.#token, isDone ? place : null, true));
    if (this.#holds) this.#parts.counters.add('events_dropped', 'bridge_closed', this.#queue.length);
    this.#holds = false;
  }

  #learn({ held, free, copiedTo }: LeaseAnswer, now: number): void {
    if (held !== this.#holds) {
      this.#parts.logger.info(held ? 'copies published messages' : 'stands by for published messages');
    }
    this.#spans.forget(copiedTo);
    // Who forced it begins with the oldest that it has.
    if (!held) this.#span = undefined;
    else this.#span ??= this.#spans.at(copiedTo) ?? this.#spans.all[0];
    this.#holds = held;
    this.#freeSince = free ? (this.#freeSince ?? now) : null;
    this.#copiedTo = copiedTo;
    // While it drains, what it gave to the log is taken out there.
    if (this.#draining === null) this.#queue.dropUpTo(copiedTo);
    if (held && this.#queue.length > 0) this.#startDraining();
  }

  /** True when the span that it copies has ended and is copied: then the lease is given back. */
  async #isThrough(): Promise<boolean> {
    const end = this.#end;
    if (end === null) return false;
    await this.#draining;
    if (!this.#holds) return false;
    if (this.#mine(1).length > 0) {
      this.#startDraining();
      return true;
    }
    this.#holds = false;
    this.#span = undefined;
    this.#handsOver = end;
    await this.#release();
    return true;
  }

  /** Gives the lease back; false when Redis could not be told. */
  async #release(): Promise<boolean> {
    const released = await this.#parts.ledger.release(this.#token, this.#handsOver ?? null, false);
    if (released instanceof Refusal) return false;
    if (this.#handsOver !== undefined) this.#spans.forget(this.#handsOver);
    this.#handsOver = undefined;
    return true;
  }

  /** The next messages that are this node's to copy. */
  #mine(count: number): readonly PlacedEvent[] {
    const end = this.#end;
    return this.#queue.first(count).filter((one) => end === null || !isBefore(end, one));
  }

  #startDraining(): void {
    if (this.#draining !== null) return;
    this.#draining = this.#drain().finally(() => {
      this.#draining = null;
    });
  }

  async #drain(): Promise<void> {
    const { ledger, clock } = this.#parts;
    while (this.#holds) {
      const batch = this.#mine(BATCH_SIZE);
      if (batch.length === 0) break;
      const copied = await ledger.append(this.#token, batch);
      if (copied === true) {
        this.#queue.drop(batch.length);
      } else if (copied === false) {
        this.#holds = false;
      } else if (this.#closed) {
        break;
      } else {
        await new Promise<void>((resolve) => {
          clock.after(copied.retryAfterMs ?? 1000, resolve);
        });
      }
    }
  }
}
