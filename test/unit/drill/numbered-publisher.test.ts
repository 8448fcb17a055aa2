import { describe, expect, test } from '@jest/globals';
import { NumberedPublisher } from '../../../src/drill/publish/numbered-publisher.js';
import { TurnedClock } from '../../support/turned-clock.js';

/** A publisher whose publications are answered when the test says so. */
function publisherAt(rate: number) {
  const clock = new TurnedClock();
  const asked: { numbers: readonly number[]; answer: (stored: boolean) => void }[] = [];
  const publisher = new NumberedPublisher({
    name: 'http',
    rate,
    clock,
    publish: (numbers) => new Promise((answer) => asked.push({ numbers, answer })),
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const answer = async (stored: boolean): Promise<void> => {
    asked.at(-1)?.answer(stored);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { publisher, asked, pass, answer };
}

describe('a numbered publisher', () => {
  test('publishes what is due, one publication after another, each number once', async () => {
    const { publisher, asked, pass, answer } = publisherAt(100);
    publisher.start();
    await pass(40);
    expect(asked).toHaveLength(1);
    await pass(200);
    // What became due meanwhile waits for the answer.
    expect([asked.length, publisher.done]).toEqual([1, 0]);
    await answer(true);
    await pass(20);
    await answer(true);
    const numbers = asked.flatMap((one) => one.numbers);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect([publisher.done, numbers.length]).toEqual([numbers.length, 26]);
    expect(publisher.unknown).toEqual([]);
  });

  test('knows of which numbers it does not know whether they were stored, and never sends them again', async () => {
    const { publisher, asked, pass, answer } = publisherAt(100);
    publisher.start();
    await pass(20);
    await answer(false);
    await pass(20);
    await answer(true);
    expect(publisher.unknown).toEqual(asked[0]?.numbers);
    const numbers = asked.flatMap((one) => one.numbers);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('catches up in publications of a bounded size', async () => {
    const { publisher, asked, pass, answer } = publisherAt(1000);
    publisher.start();
    await pass(20);
    await pass(5000);
    await answer(true);
    await pass(20);
    expect(asked[1]?.numbers).toHaveLength(200);
  });

  test('stops once the last publication is answered', async () => {
    const { publisher, asked, pass, answer } = publisherAt(100);
    publisher.start();
    await pass(20);
    let stopped = false;
    const stop = async (): Promise<void> => {
      await publisher.stop();
      stopped = true;
    };
    const stopping = stop();
    await pass(20);
    expect(stopped).toBe(false);
    await answer(true);
    await pass(40);
    await stopping;
    expect([asked.length, publisher.done > 0]).toEqual([1, true]);
  });
});
