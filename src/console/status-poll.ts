import type { Fields } from './fields.js';

/** What a {@link StatusPoll} works with. */
export interface StatusPollParts {
  /** Asks; rejects when there is no answer. */
  readonly ask: () => Promise<Fields>;
  readonly heard: (answer: Fields) => void;
  /** There was no answer. */
  readonly failed: () => void;
  /** ms between two questions. */
  readonly everyMs: number;
}

/** Asks again and again while the page is visible; not at all while it is hidden. */
export class StatusPoll {
  readonly #parts: StatusPollParts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;

  constructor(parts: StatusPollParts) {
    this.#parts = parts;
    document.addEventListener('visibilitychange', () => {
      this.refresh();
    });
  }

  /** Asks now, out of turn, and goes on from here; does nothing while the page is hidden. */
  refresh(): void {
    clearTimeout(this.#timer);
    if (document.hidden || this.#isAsking) return;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { ask, heard, failed, everyMs } = this.#parts;
    this.#isAsking = true;
    const answer = await ask().catch(() => undefined);
    this.#isAsking = false;
    // The next question is asked whatever becomes of this answer.
    this.#timer = setTimeout(() => {
      this.refresh();
    }, everyMs);
    if (answer === undefined) failed();
    else heard(answer);
  }
}
