import { setTimeout as sleep } from 'node:timers/promises';
import { publish } from './publish.js';

/** Pause between two publications, ms: about forty a second. */
const PAUSE_MS = 25;

/**
 * Publishes the events `counted` `{n: 1}`, `{n: 2}`, … one after another over HTTP, each until it is acknowledged.
 * One whose answer was lost with a killed gateway may be in the log twice, under two ids.
 */
export class CountedStream {
  readonly #url: string;
  readonly #ids: string[] = [];
  /** What came instead of an acknowledgement. */
  readonly failures: string[] = [];
  #running = true;
  #paused = false;
  readonly #done: Promise<void>;

  /** Begins at once, at the gateway at `url`. */
  constructor(url: string) {
    this.#url = url;
    this.#done = this.#run();
  }

  /** The ids of what was acknowledged so far, in order. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** Publishes nothing until {@link resume}; what is on its way may still be stored. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** Publishes no more; resolves once the last one is acknowledged. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    let n = 1;
    while (this.#running) {
      await sleep(PAUSE_MS);
      if (this.#paused) continue;
      try {
        this.#ids.push(...(await publish(this.#url, { type: 'counted', data: { n } })));
        n += 1;
      } catch (error) {
        // The gateway is away for now.
        this.failures.push(String(error));
      }
    }
  }
}
