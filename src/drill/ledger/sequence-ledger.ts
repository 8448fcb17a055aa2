import type { FaultNumbers, Stretch } from './fault-numbers.js';
import { NumberRanges } from './number-ranges.js';

/** What one client got of one publisher, which numbers its events 0, 1, 2, … and publishes each number once. */
export class SequenceLedger {
  readonly #first: number;
  #next: number;
  /** Numbers below {@link next} that did not come. */
  readonly #missing = new NumberRanges();
  readonly #doubled: number[] = [];
  readonly #late: number[] = [];

  /** `first`: the number that has to come first. */
  constructor(first = 0) {
    this.#first = first;
    this.#next = first;
  }

  /** One more than the largest number that came; at the beginning the first that has to. */
  get next(): number {
    return this.#next;
  }

  /** A number came. */
  note(number: number): void {
    if (number >= this.#next) {
      this.#missing.append(this.#next, number);
      this.#next = number + 1;
    } else if (this.#missing.remove(number)) {
      this.#late.push(number);
    } else {
      this.#doubled.push(number);
    }
  }

  /** What is wrong within `stretch`, were nothing of it to come any more. */
  faults(stretch: Stretch): FaultNumbers {
    const { from, to, unknown } = stretch;
    const rest: number[] = [];
    for (let number = Math.max(this.#next, from); number < to; number += 1) rest.push(number);
    const known = (number: number): boolean => !unknown.has(number);
    const { lost, doubled, outOfOrder } = this.faultsSoFar(stretch);
    return { lost: [...lost, ...rest.filter(known)], doubled, outOfOrder };
  }

  /** What is wrong within `stretch` with what came up to {@link next}; nothing is said of what follows. */
  faultsSoFar({ from, to, unknown }: Stretch): FaultNumbers {
    const isKnown = (number: number): boolean => !unknown.has(number);
    const isWithin = (number: number): boolean => from <= number && number < to;
    return {
      lost: this.#missing.within(Math.max(from, this.#first), to).filter(isKnown),
      // Each number is published once, so even one of which nobody knows whether it was stored must not come twice.
      doubled: this.#doubled.filter(isWithin),
      outOfOrder: this.#late.filter((number) => isWithin(number) && isKnown(number)),
    };
  }
}
