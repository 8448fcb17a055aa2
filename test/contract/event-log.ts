import { afterEach, describe, expect, test } from '@jest/globals';
import { Refusal } from '../../src/core/errors.js';
import type { NewEvent } from '../../src/core/event.js';
import type { EventLog, LogPage } from '../../src/core/log/event-log.js';
import { compareLogIds, isLogId } from '../../src/core/log/log-id.js';
import { newEvent, numbered } from '../support/new-event.js';
import { RecordedTail } from '../support/recorded-tail.js';
import { waitUntil } from '../support/wait-until.js';

/** Opens an empty log that keeps about `maxEvents`. The suite starts and closes it. */
export type OpenLog = (shape: { readonly maxEvents: number }) => EventLog;

/** Appends; throws when refused. */
async function appended(log: EventLog, events: readonly NewEvent[]): Promise<readonly string[]> {
  const ids = await log.append(events);
  if (ids instanceof Refusal) throw new Error(`refused: ${ids.code}`);
  return ids;
}

async function pageAfter(log: EventLog, cursor: string, limit: number): Promise<LogPage> {
  const page = await log.readAfter(cursor, limit);
  if (page instanceof Refusal) throw new Error(`refused: ${page.code}`);
  return page;
}

/** What follows the first reset of the id's shard. */
function floorOf({ shards }: EventLog, tail: RecordedTail, id = ''): string {
  return tail.resets.find((floor) => shards.ofId(floor) === shards.ofId(id)) ?? '';
}

/** What every event log does, wherever it is kept. */
export function eventLogContract(name: string, open: OpenLog): void {
  describe(`event log contract: ${name}`, () => {
    const opened: EventLog[] = [];

    async function started(maxEvents = 100_000): Promise<{ log: EventLog; tail: RecordedTail }> {
      const log = open({ maxEvents });
      opened.push(log);
      const tail = new RecordedTail();
      log.start(tail);
      await waitUntil(() => tail.states.length > 0, 'the log to be ready');
      return { log, tail };
    }

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    test('starts with a reset of each shard, then is ready', async () => {
      const { log, tail } = await started();
      const { count } = log.shards;
      expect(tail.calls).toEqual([...Array.from({ length: count }, () => 'reset'), 'state']);
      expect([log.state, tail.states]).toEqual(['ready', ['ready']]);
      expect(tail.resets.every(isLogId)).toBe(true);
      expect(new Set(tail.resets.map((id) => log.shards.ofId(id))).size).toBe(count);
    });

    test('what is appended comes to the tail as it was, once, in order', async () => {
      const { log, tail } = await started();
      const events = [
        newEvent({ type: 'a', room: undefined, key: 'größe 10 µm', dataJson: '{"x":[1,"\\u2028",null]}' }),
        newEvent({ type: 'b', room: 'r', key: undefined, dataJson: '"😀 \\n"', timestamp: 0.1 + 0.2 }),
        newEvent({ type: 'c', dataJson: '{\n  "pretty": true\n}' }),
      ];
      const ids = await appended(log, events);
      await waitUntil(() => tail.received.length >= 3);
      const received = [...tail.received].sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
      expect(received).toEqual(events.map((event, index) => ({ ...event, id: ids[index] })));
    });

    test('ids are unique and ordered, and those of the tail', async () => {
      const { log, tail } = await started();
      const ids: string[] = [];
      for (let from = 0; from < 300; from += 3) ids.push(...(await appended(log, numbered(from, from + 3))));
      await waitUntil(() => tail.received.length >= 300);
      expect(tail.ids).toEqual(ids);
      expect(new Set(ids).size).toBe(300);
      expect([...ids].sort(compareLogIds)).toEqual(ids);
      expect(ids.every(isLogId)).toBe(true);
      expect(compareLogIds(floorOf(log, tail, ids[0]), ids[0] ?? '')).toBeLessThan(0);
      expect(tail.data).toEqual(Array.from({ length: 300 }, (_, n) => n));
    });

    test('an array stays together, however many are appended at once', async () => {
      const { log, tail } = await started();
      await Promise.all(Array.from({ length: 50 }, (_, n) => appended(log, numbered(n * 10, n * 10 + 10))));
      await waitUntil(() => tail.received.length >= 500);
      const data = tail.data as number[];
      for (let from = 0; from < 500; from += 10) {
        const first = data[from] ?? 0;
        expect(first % 10).toBe(0);
        expect(data.slice(from, from + 10)).toEqual(Array.from({ length: 10 }, (_, n) => first + n));
      }
      expect(new Set(data).size).toBe(500);
    });

    test('nothing appended is nothing told', async () => {
      const { log, tail } = await started();
      expect(await log.append([])).toEqual([]);
      await appended(log, numbered(0, 1));
      await waitUntil(() => tail.received.length >= 1);
      expect(tail.data).toEqual([0]);
    });

    test('is read from any cursor on, a page at a time', async () => {
      const { log, tail } = await started();
      const ids = await appended(log, numbered(0, 25));
      const read: string[] = [];
      for (let cursor = floorOf(log, tail, ids[0]); ; ) {
        const { entries, whole } = await pageAfter(log, cursor, 10);
        expect(whole).toBe(true);
        const last = entries.at(-1);
        if (last === undefined) break;
        expect(entries.length).toBeLessThanOrEqual(10);
        read.push(...entries.map(({ id }) => id));
        cursor = last.id;
      }
      expect(read).toEqual(ids);
      const page = await pageAfter(log, ids[19] ?? '', 100);
      expect(page.entries.map(({ dataJson }) => dataJson)).toEqual(['20', '21', '22', '23', '24']);
    });

    test.each(['', 'nonsense', '12', '1-1-1', '-', '+', '$'])(
      '"%s" is no cursor: not whole',
      async (cursor) => {
        const { log } = await started();
        await appended(log, numbered(0, 3));
        expect(await pageAfter(log, cursor, 10)).toEqual({ entries: [], whole: false });
      },
    );

    test('a cursor that the log has not come to is none of its own: not whole', async () => {
      const { log } = await started();
      await appended(log, numbered(0, 3));
      expect(await pageAfter(log, '999999999999999-0', 10)).toEqual({ entries: [], whole: false });
    });

    test('is bounded: after trimming, a cursor of a trimmed place is not whole, a younger one is', async () => {
      const { log, tail } = await started(200);
      const ids: string[] = [];
      for (let from = 0; from < 2000; from += 100) {
        ids.push(...(await appended(log, numbered(from, from + 100))));
        // A follower that falls behind by more than the log keeps may be told of a break.
        await waitUntil(() => tail.received.length >= from + 100);
      }
      for (const index of [0, 500, 1000]) {
        expect(await pageAfter(log, ids[index] ?? '', 10)).toEqual({ entries: [], whole: false });
      }
      const page = await pageAfter(log, ids[1850] ?? '', 1000);
      expect([page.whole, page.entries.map(({ id }) => id)]).toEqual([true, ids.slice(1851)]);
      // Trimming is no break: who follows has lost nothing.
      expect(tail.resets).toHaveLength(log.shards.count);
      expect(tail.data).toEqual(Array.from({ length: 2000 }, (_, n) => n));
    });

    test('tells nothing any more once it is closed', async () => {
      const { log, tail } = await started();
      await appended(log, numbered(0, 3));
      await waitUntil(() => tail.received.length >= 3);
      await log.close();
      const calls = tail.calls.length;
      // Whether it is still taken or not: the answer has come, so would the entry have.
      await log.append(numbered(3, 4));
      await new Promise(setImmediate);
      expect(tail.calls).toHaveLength(calls);
    });
  });
}
