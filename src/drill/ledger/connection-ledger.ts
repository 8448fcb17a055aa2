import type { FaultNumbers, Stretch } from './fault-numbers.js';
import { NumberRanges } from './number-ranges.js';
import { SequenceLedger } from './sequence-ledger.js';

/** Faults within connections, and what passed between them. */
export interface ConnectionFaults extends FaultNumbers {
  /** Numbers published while the client was away, as far as it came back. */
  readonly missed: readonly number[];
}

/**
 * What a client without a cursor got of one publisher: within each of its connections everything has to come once and
 * in order, beginning with whatever comes first. What passes while it is away, nobody owes it.
 */
export class ConnectionLedger {
  readonly #connections: SequenceLedger[] = [];
  readonly #missed = new NumberRanges();
  #current: SequenceLedger | undefined;
  /** One more than the largest number of all connections. */
  #reached = 0;

  /** One more than the largest number that came; 0 at the beginning. */
  get next(): number {
    return this.#reached;
  }

  /** A number came. */
  note(number: number): void {
    if (this.#current === undefined) {
      this.#current = new SequenceLedger(number);
      this.#connections.push(this.#current);
      this.#missed.append(this.#reached, number);
    }
    this.#current.note(number);
    this.#reached = Math.max(this.#reached, number + 1);
  }

  /** The connection ended; the next number begins another. */
  broke(): void {
    this.#current = undefined;
  }

  /** What is wrong within `stretch`. */
  faults(stretch: Stretch): ConnectionFaults {
    const each = this.#connections.map((connection) => connection.faultsSoFar(stretch));
    const known = (number: number): boolean => !stretch.unknown.has(number);
    return {
      lost: each.flatMap(({ lost }) => lost),
      doubled: each.flatMap(({ doubled }) => doubled),
      outOfOrder: each.flatMap(({ outOfOrder }) => outOfOrder),
      missed: this.#missed.within(stretch.from, stretch.to).filter(known),
    };
  }
}
