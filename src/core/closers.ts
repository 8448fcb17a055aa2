import type { Clock } from './clock.js';
import type { Logger } from './logger.js';

/** What was opened and must be closed: in reverse order, each with a deadline, whatever the others do. */
export class Closers {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  readonly #closers: { readonly name: string; readonly close: () => unknown }[] = [];

  /** `deadlineMs` is how long one closer may take before the next has its turn. */
  constructor(clock: Clock, logger: Logger, deadlineMs: number) {
    this.#clock = clock;
    this.#logger = logger;
    this.#deadlineMs = deadlineMs;
  }

  /** `name` was opened; `close` closes it. */
  add(name: string, close: () => unknown): void {
    this.#closers.push({ name, close });
  }

  /** Closes all, last opened first. Never rejects: what fails or takes too long is logged and passed over. */
  async closeAll(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      const { name, close } = next;
      try {
        if (!(await this.#inTime(close))) this.#logger.warn('closing took too long', { name });
      } catch (error) {
        this.#logger.error('closing failed', { name, error });
      }
    }
  }

  #inTime(close: () => unknown): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#deadlineMs, () => {
        resolve(false);
      });
      const run = async (): Promise<void> => {
        await close();
        resolve(true);
      };
      run().catch(reject).finally(cancel);
    });
  }
}
