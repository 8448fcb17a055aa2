/**
 * A first-in-first-out list bounded by count and bytes, with access by index: beyond a bound the oldest items go,
 * each told to the caller. Pushing and dropping cost constant time on average. An item bigger than the bound in
 * bytes is kept, alone.
 */
export class BoundedQueue<T> {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #items: T[] = [];
  /** For each item, the bytes of all ever pushed up to its end. */
  #ends: number[] = [];
  #start = 0;
  #pushed = 0;
  #shifted = 0;

  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
  }

  /** Items held. */
  get length(): number {
    return this.#items.length - this.#start;
  }

  /** Bytes held, as the callers counted them. */
  get bytes(): number {
    return this.#pushed - this.#shifted;
  }

  /** Adds an item of `size` bytes at the end, then drops from the front what is over a bound. */
  push(item: T, size: number, dropped: (item: T) => void): void {
    this.#items.push(item);
    this.#pushed += size;
    this.#ends.push(this.#pushed);
    while (this.length > this.#maxItems || (this.bytes > this.#maxBytes && this.length > 1)) {
      dropped(this.shift() as T);
    }
  }

  /** The item at `index`, 0 being the oldest held. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#start + index];
  }

  /** Items from `from` to before `to`, clipped to what is held. */
  slice(from: number, to: number): T[] {
    return this.#items.slice(this.#start + Math.max(0, from), this.#start + Math.max(0, to));
  }

  /** The first index for which `test` holds, by halving (so `test` must stay true once it is), else `length`. */
  firstIndexWhere(test: (item: T) => boolean): number {
    let low = this.#start;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (test(this.#items[middle] as T)) high = middle;
      else low = middle + 1;
    }
    return low - this.#start;
  }

  /** Bytes of the items from index `from` to before `to`, both within what is held. */
  bytesBetween(from: number, to: number): number {
    if (to <= from) return 0;
    const before = from === 0 ? this.#shifted : (this.#ends[this.#start + from - 1] ?? this.#shifted);
    return (this.#ends[this.#start + to - 1] ?? this.#pushed) - before;
  }

  /** Lets everything go, without telling. */
  clear(): void {
    this.#items = [];
    this.#ends = [];
    this.#start = 0;
    this.#shifted = this.#pushed;
  }

  /** Takes out all items for which `test` holds; returns them, oldest first. Costs as much as there are items. */
  remove(test: (item: T) => boolean): T[] {
    const removed: T[] = [];
    const items = this.#items.slice(this.#start);
    const ends = this.#ends.slice(this.#start);
    let before = this.#shifted;
    this.clear();
    for (const [index, item] of items.entries()) {
      const end = ends[index] as number;
      if (test(item)) removed.push(item);
      else {
        this.#items.push(item);
        this.#ends.push((this.#pushed += end - before));
      }
      before = end;
    }
    return removed;
  }

  /** Takes the oldest item out; undefined when empty. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#start] as T;
    this.#shifted = this.#ends[this.#start] ?? this.#pushed;
    this.#items[this.#start] = undefined as T;
    this.#start += 1;
    if (this.#start > 1024 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#ends = this.#ends.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }
}
