import type { Fields } from './fields.js';

/** What a {@link StatusPoll} works with. */
export interface StatusPollParts {
  /** Asks; rejects when there is no answer. */
  readonly ask: () => Promise<Fields>;
  readonly heard: (answer: Fields) => void;
  /** There was no answer, or it was a refusal. */
  readonly failed: (thrown: unknown) => void;
  /** False while it is not to be asked; `refresh` looks again. */
  readonly isWanted: () => boolean;
  /** ms between two questions. */
  readonly everyMs: number;
}

/** Asks again and again while the page is visible and it is wanted; else not at all. */
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

  /** Asks now, out of turn, and goes on from here; does nothing while the page is hidden, or it is not wanted. */
  refresh(): void {
    clearTimeout(this.#timer);
    if (document.hidden || this.#isAsking || !this.#parts.isWanted()) return;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { ask, heard, failed, everyMs } = this.#parts;
    this.#isAsking = true;
    const answer = await ask().catch((thrown: unknown) => ({ thrown }));
    this.#isAsking = false;
    // The next question is asked whatever becomes of this answer.
    this.#timer = setTimeout(() => {
      this.refresh();
    }, everyMs);
    if ('thrown' in answer) failed(answer.thrown);
    else heard(answer);
  }
}
