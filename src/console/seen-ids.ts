/** The ids seen last, bounded: duplicates after a resume are near in time, so a short memory is enough. */
export class SeenIds {
  readonly #capacity: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  /** Remembers at least `capacity` ids and at most twice that. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Remembers `id`; true when it is new. */
  add(id: string): boolean {
    if (this.#newer.has(id) || this.#older.has(id)) return false;
    if (this.#newer.size >= this.#capacity) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(id);
    return true;
  }
}
