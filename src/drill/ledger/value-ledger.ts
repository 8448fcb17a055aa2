import type { FaultNumbers, Stretch } from './fault-numbers.js';

/** The newest value of each key as one client has it; one publisher numbers the values of all keys upwards. */
export class ValueLedger {
  readonly #publisher: string;
  readonly #newest = new Map<string, number>();
  readonly #older: number[] = [];

  /** `publisher`: the name of who publishes the values. */
  constructor(publisher: string) {
    this.#publisher = publisher;
  }

  /** A value of `key` came. */
  note(key: string, number: number): void {
    const newest = this.#newest.get(key);
    if (newest !== undefined && number < newest) this.#older.push(number);
    this.#newest.set(key, number);
  }

  /** Forgets what came: a client without a cursor begins anew, and another node may be a moment behind. */
  begin(): void {
    this.#newest.clear();
  }

  /** Keys of `final` (number by key) whose value is older than there, or missing. */
  behind(final: Readonly<Record<string, number>>): string[] {
    return Object.keys(final).filter((key) => (this.#newest.get(key) ?? -1) < (final[key] ?? -1));
  }

  /** Values within a stretch that came after a newer one of their key, and stood over it: out of order. */
  faults(publisher: string, { from, to, unknown }: Stretch): FaultNumbers {
    const isOne = (number: number): boolean => from <= number && number < to && !unknown.has(number);
    return {
      lost: [],
      doubled: [],
      outOfOrder: publisher === this.#publisher ? this.#older.filter(isOne) : [],
    };
  }
}
