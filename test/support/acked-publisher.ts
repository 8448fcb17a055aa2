import { setTimeout as sleep } from 'node:timers/promises';
import { requestJson } from './json-request.js';

/** Events of one publication, publishers at work at once for each gateway, and the pause after each publication, ms. */
const PER_PUBLICATION = 3;
const AT_ONCE = 4;
const PAUSE_MS = 20;

/** How a publication was answered. */
type Answer = 'stored' | 'refused' | 'unknown';

/**
 * Publishers that number their events and note how each publication was answered: `stored` (202), `refused` (503 that
 * says nothing was stored), or `unknown` (503 that does not know, or no answer at all). They publish nothing twice.
 */
export class AckedPublisher {
  readonly #numbers: Record<Answer, number[]> = { stored: [], refused: [], unknown: [] };
  /** What went wrong beside: answers no publisher should ever get. */
  readonly troubles: string[] = [];
  #next = 0;
  #running = true;
  readonly #done: Promise<unknown>;
  readonly #rooms: readonly string[];

  /** Begins at once, at the gateways at `urls`; number n goes to the nth of `rooms`, over and over, or to no room. */
  constructor(urls: readonly string[], rooms: readonly string[] = []) {
    this.#rooms = rooms;
    const all = urls.flatMap((url) => Array.from({ length: AT_ONCE }, () => this.#run(url)));
    this.#done = Promise.all(all);
  }

  /** The numbers that were answered so, in no order. */
  numbers(answer: Answer): readonly number[] {
    return this.#numbers[answer];
  }

  /** Publishes no more; resolves when all is answered. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  /** What is wrong with a log that holds these numbers; empty when nothing is. */
  faultsOf(logged: readonly number[]): string[] {
    const times = new Map<number, number>();
    for (const number of logged) times.set(number, (times.get(number) ?? 0) + 1);
    const isIn = (number: number): boolean => times.has(number);
    return [
      ...say(
        this.#numbers.stored.filter((number) => !isIn(number)),
        'stored, and lost',
      ),
      ...say(this.#numbers.refused.filter(isIn), 'refused, and stored'),
      ...say(
        [...times].flatMap(([number, count]) => (count > 1 ? [number] : [])),
        'doubled',
      ),
      ...this.troubles,
    ];
  }

  async #run(url: string): Promise<void> {
    while (this.#running) {
      const numbers = Array.from({ length: PER_PUBLICATION }, () => this.#next++);
      this.#numbers[await this.#publish(url, numbers)].push(...numbers);
      await sleep(PAUSE_MS);
    }
  }

  async #publish(url: string, numbers: readonly number[]): Promise<Answer> {
    const events = numbers.map((data) => {
      const room = this.#rooms[data % this.#rooms.length];
      return { type: 'counted', data, ...(room === undefined ? {} : { room }) };
    });
    const answer = await requestJson('POST', `${url}/api/events`, events).catch(() => undefined);
    // A gateway that was killed.
    if (answer === undefined) return 'unknown';
    if (answer.status === 202) return 'stored';
    const { error } = answer.json as { error: { code: string; message: string; retryable: boolean } };
    const isExpected =
      answer.status === 503 &&
      ['log_unavailable', 'outcome_unknown'].includes(error.code) &&
      answer.headers['retry-after'] !== undefined;
    if (!isExpected) this.troubles.push(`${String(answer.status)} ${answer.text}`);
    return error.code === 'log_unavailable' ? 'refused' : 'unknown';
  }
}

function say(numbers: readonly number[], what: string): string[] {
  return numbers.length === 0
    ? []
    : [`${String(numbers.length)} ${what}: ${numbers.slice(0, 10).join(', ')}`];
}
