import { Redis } from 'ioredis';

/** How often a batch is published, ms, and how many messages are in one: 500 a second. */
const EVERY_MS = 20;
const PER_BATCH = 10;

/**
 * A publisher as they exist: numbered messages on a channel, 500 a second, every tenth of them twice, identical. Goes on
 * until it is stopped.
 */
export class PublishedNumbers {
  readonly #redis: Redis;
  readonly #channel: string;
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #sent: Promise<unknown> = Promise.resolve();

  constructor(url: string, channel: string) {
    this.#redis = new Redis(url);
    this.#channel = channel;
    this.#timer = setInterval(() => {
      this.#publish();
    }, EVERY_MS);
  }

  /** Numbers published so far. */
  get count(): number {
    return this.#next;
  }

  /** What has to be in the log: every number, in order, every tenth twice. */
  get expected(): number[] {
    return Array.from({ length: this.#next }, (_, n) => (isTwin(n) ? [n, n] : [n])).flat();
  }

  /** Publishes no more; resolves when Redis has it all. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sent;
    if (this.#redis.status !== 'end') await this.#redis.quit();
  }

  #publish(): void {
    const pipeline = this.#redis.pipeline();
    for (let count = 0; count < PER_BATCH; count += 1) {
      const text = JSON.stringify({ type: 'counted', data: this.#next, timestamp: 1_732_219_200 });
      pipeline.publish(this.#channel, text);
      if (isTwin(this.#next)) pipeline.publish(this.#channel, text);
      this.#next += 1;
    }
    this.#sent = pipeline.exec();
  }
}

function isTwin(number: number): boolean {
  return number % 10 === 0;
}
