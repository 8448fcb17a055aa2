import { afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { LogEntry } from '../../src/core/event.js';
import { numbered } from '../support/new-event.js';
import { OpenedLogs } from '../support/opened-logs.js';
import { RecordedTail } from '../support/recorded-tail.js';
import { waitUntil } from '../support/wait-until.js';

const logs = new OpenedLogs();
afterEach(() => logs.closeAll());

type Step =
  | { readonly do: 'add'; readonly count: number; readonly maxLength: number }
  | { readonly do: 'trim'; readonly maxLength: number }
  | { readonly do: 'delete'; readonly fromEnd: number }
  | { readonly do: 'replace' | 'settle' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      count: fc.integer({ min: 1, max: 40 }),
      maxLength: fc.constantFrom(0, 1, 5, 1000, 1000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('trim' as const), maxLength: fc.constantFrom(0, 1, 10) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('delete' as const), fromEnd: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'replace' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'settle' as const }) },
);

/** Adds numbered entries in one step, each trimming the stream. Ids may come again after the stream was deleted. */
const ADD = `for n = ARGV[1], ARGV[2] do
  redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'type', 'x', 'data', string.format('%.0f', n))
end`;

/** A tail that keeps entries and breaks in one list: a number, or null for a break. */
class OrderedTail extends RecordedTail {
  readonly told: (number | null)[] = [];

  override reset(epoch: string, floor: string): void {
    super.reset(epoch, floor);
    this.told.push(null);
  }

  override entries(batch: readonly LogEntry[]): void {
    super.entries(batch);
    this.told.push(...batch.map(({ dataJson }) => Number(dataJson)));
  }
}

/** Numbers up to `count` that were neither told nor covered by a break between the told ones around them. */
function silentLosses(count: number, told: readonly (number | null)[]): number[] {
  const placeOf = new Map(told.map((number, place) => [number, place]));
  const lost: number[] = [];
  let waiting: number[] = [];
  let last = -1;
  for (let number = 0; number < count; number += 1) {
    const place = placeOf.get(number);
    if (place === undefined) {
      waiting.push(number);
      continue;
    }
    if (!told.slice(last + 1, place).includes(null)) lost.push(...waiting);
    waiting = [];
    last = place;
  }
  return [...lost, ...waiting];
}

async function disturb(step: Exclude<Step, { do: 'add' }>, redis: Redis, key: string): Promise<void> {
  if (step.do === 'trim') await redis.xtrim(key, 'MAXLEN', step.maxLength);
  else if (step.do === 'replace') await redis.del(key);
  else if (step.do === 'delete') {
    const newest = await redis.xrevrange(key, '+', '-', 'COUNT', step.fromEnd + 1);
    const [id] = newest.at(-1) ?? [];
    if (id !== undefined) await redis.xdel(key, id);
  }
}

describe('whatever happens to the stream', () => {
  test('each entry is told, in order, or there is a break where it is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { log, key } = logs.open();
        const redis = logs.connect();
        const tail = new OrderedTail();
        log.start(tail);
        await waitUntil(() => log.state === 'ready', 'the log to be ready');
        let count = 0;
        const settle = async (): Promise<void> => {
          const number = count++;
          expect(await log.append(numbered(number, count))).toHaveLength(1);
          await waitUntil(() => tail.told.at(-1) === number, 'the last entry');
        };
        for (const one of steps) {
          if (one.do === 'settle') await settle();
          else if (one.do === 'add') {
            await redis.eval(ADD, 1, key, count, count + one.count - 1, one.maxLength);
            count += one.count;
          } else await disturb(one, redis, key);
        }
        await settle();
        expect(silentLosses(count, tail.told)).toEqual([]);
        const numbers = tail.told.filter((number) => number !== null);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        await logs.closeAll();
      }),
      { numRuns: 60 },
    );
  }, 90_000);
});
