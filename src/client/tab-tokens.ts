import type { SharedTab } from './shared-tab.js';

/** How long a tab may take to give a token, ms. */
const PATIENCE_MS = 10_000;

/** Asks the tabs for a token, since a worker can't be given the page's function. */
export class TabTokens {
  readonly #waiting = new Map<number, (token: string | undefined) => void>();
  #asked = 0;

  /** All tabs are asked, since some may be frozen; the first answer is taken. Rejects when none comes. */
  ask(tabs: Iterable<SharedTab>): Promise<string> {
    const id = (this.#asked += 1);
    for (const tab of tabs) tab.tell({ name: 'token', id });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.answer(id, undefined);
      }, PATIENCE_MS);
      this.#waiting.set(id, (token) => {
        clearTimeout(timer);
        if (token === undefined) reject(new Error('no tab gives a token'));
        else resolve(token);
      });
    });
  }

  answer(id: number, token: string | undefined): void {
    this.#waiting.get(id)?.(token);
    this.#waiting.delete(id);
  }
}
