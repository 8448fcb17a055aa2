/** Tells whoever wants to hear: `M` has what is told under each name. */
export class Emitter<M> {
  readonly #handlers = new Map<keyof M, Set<(value: never) => void>>();

  /** Adds a handler; returns what takes it back. */
  on<K extends keyof M>(name: K, handler: (value: M[K]) => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers);
    // Wrapped, so that one that is added twice is called twice, and taken back once.
    const own = (value: M[K]): void => {
      handler(value);
    };
    handlers.add(own);
    return () => {
      handlers.delete(own);
    };
  }

  /** Calls all handlers of a name; what one throws keeps it from none of the others, and becomes an uncaught error. */
  emit<K extends keyof M>(name: K, value: M[K]): void {
    for (const handler of this.#handlers.get(name) ?? []) {
      try {
        (handler as (value: M[K]) => void)(value);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}
