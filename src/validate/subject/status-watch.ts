import { setTimeout as sleep } from 'node:timers/promises';
import { readStatus, type StatusReading } from './status-reading.js';
import { isUnmeasured, type Unmeasured } from './subject.js';

/** Pause between two readings, ms. */
const EVERY_MS = 500;

/** Reads a gateway's status again and again. */
export class StatusWatch {
  readonly readings: StatusReading[] = [];
  #refusal: Unmeasured | undefined;
  #stopping = false;
  readonly #done: Promise<void>;

  /** Begins at once. */
  constructor(url: string, token: string | undefined) {
    this.#done = this.#watch(url, token);
  }

  /** Why there is no reading; undefined where there is one. */
  get refusal(): Unmeasured | undefined {
    return this.readings.length > 0 ? undefined : (this.#refusal ?? { why: 'the status was not read' });
  }

  /** Reads once more, and no more; resolves when that is done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #watch(url: string, token: string | undefined): Promise<void> {
    for (let isLast = false; !isLast; ) {
      isLast = this.#stopping;
      const reading = await readStatus(url, token);
      if (isUnmeasured(reading)) this.#refusal = reading;
      else this.readings.push(reading);
      if (!this.#stopping) await sleep(EVERY_MS);
    }
  }
}
