import type { Shards } from '../log/shards.js';

/** A set of shards that cursors speak of, one object for each set: it keeps the last cursor made of it. */
export class CursorScope {
  /** In order. */
  readonly shards: readonly number[];
  #position = -1;
  #revision = -1;
  #cursor = '';

  constructor(shards: readonly number[]) {
    this.shards = shards;
  }

  /** The cursor of `position`, made now unless it is kept; `revision` changes whenever the same might be made anew. */
  cursorAt(position: number, revision: number, make: (shards: readonly number[]) => string): string {
    if (position !== this.#position || revision !== this.#revision) {
      this.#cursor = make(this.shards);
      this.#position = position;
      this.#revision = revision;
    }
    return this.#cursor;
  }
}

/** Scopes kept for sessions of rooms in several shards; more are made anew each time. */
const MAX_KEPT = 10_000;

/** The scopes there are of a log's shards. */
export class CursorScopes {
  /** All shards. */
  readonly all: CursorScope;
  readonly #shards: Shards;
  readonly #single: readonly CursorScope[];
  readonly #several = new Map<string, CursorScope>();

  constructor(shards: Shards) {
    const numbers = Array.from({ length: shards.count }, (_, shard) => shard);
    this.#shards = shards;
    this.all = new CursorScope(numbers);
    this.#single = shards.count === 1 ? [this.all] : numbers.map((shard) => new CursorScope([shard]));
  }

  /** The shard of a room. */
  ofRoom(room: string): CursorScope {
    return this.#single[this.#shards.ofRoom(room)] as CursorScope;
  }

  /** The shards of rooms; all where there is no room. */
  of(rooms: Iterable<string>): CursorScope {
    if (this.#shards.count === 1) return this.all;
    const numbers = new Set<number>();
    for (const room of rooms) numbers.add(this.#shards.ofRoom(room));
    const [first] = numbers;
    if (first === undefined) return this.all;
    return numbers.size === 1 ? (this.#single[first] as CursorScope) : this.#ofSeveral(numbers);
  }

  #ofSeveral(numbers: ReadonlySet<number>): CursorScope {
    const shards = [...numbers].sort((a, b) => a - b);
    const name = shards.join(' ');
    let scope = this.#several.get(name);
    if (scope !== undefined) return scope;
    scope = new CursorScope(shards);
    if (this.#several.size < MAX_KEPT) this.#several.set(name, scope);
    return scope;
  }
}
