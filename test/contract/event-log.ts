import { afterEach, describe, expect, test } from '@jest/globals';
import { Refusal } from '../../src/core/errors.js';
import type { NewEvent } from '../../src/core/event.js';
import type { EventLog, LogPage } from '../../src/core/log/event-log.js';
import { formatCursor, parseCursor } from '../../src/core/log/cursor.js';
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

/** What every event log does, wherever it is kept. */
export function eventLogContract(name: string, open: OpenLog): void {
  describe(`event log contract: ${name}`, () => {
    const opened: EventLog[] = [];

    async function started(maxEvents = 100_000): Promise<{ log: EventLog; tail: RecordedTail }> {
      const log = open({ maxEvents });
      opened.push(log);
      const tail = new RecordedTail();
      log.start(tail);
      await waitUntil(() => tail.caught.length > 0 && log.state === 'ready', 'the log to be ready');
      return { log, tail };
    }

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    test('starts with a reset, then is ready', async () => {
      const { log, tail } = await started();
      expect(tail.calls).toEqual(['reset', 'caughtUp']);
      expect([log.state, log.reason, tail.caught]).toEqual(['ready', null, [true]]);
      expect(parseCursor(tail.cursorOf(tail.resets[0] ?? ''))).toEqual({
        epoch: tail.epochs[0],
        id: tail.resets[0],
      });
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
      expect(compareLogIds(tail.resets[0] ?? '', ids[0] ?? '')).toBeLessThan(0);
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
      for (let cursor = tail.cursorOf(tail.resets[0] ?? ''); ; ) {
        const { entries, loss } = await pageAfter(log, cursor, 10);
        expect(loss).toBeNull();
        const last = entries.at(-1);
        if (last === undefined) break;
        expect(entries.length).toBeLessThanOrEqual(10);
        read.push(...entries.map(({ id }) => id));
        cursor = tail.cursorOf(last.id);
      }
      expect(read).toEqual(ids);
      const page = await pageAfter(log, tail.cursorOf(ids[19] ?? ''), 100);
      expect(page.entries.map(({ dataJson }) => dataJson)).toEqual(['20', '21', '22', '23', '24']);
    });

    test.each(['', 'nonsense', '12', '1-1', '1-1-1', '.1-1', 'x.1-1-1', 'x.', '-', '+', '$'])(
      '"%s" is no cursor of its: unknown',
      async (cursor) => {
        const { log } = await started();
        await appended(log, numbered(0, 3));
        expect(await pageAfter(log, cursor, 10)).toEqual({ entries: [], loss: 'unknown_cursor' });
      },
    );

    test('cursors of another epoch, and those that the log has not come to, are unknown', async () => {
      const { log, tail } = await started();
      const [id = ''] = await appended(log, numbered(0, 3));
      for (const cursor of [formatCursor('other', id), tail.cursorOf('999999999999999-0'), id]) {
        expect(await pageAfter(log, cursor, 10)).toEqual({ entries: [], loss: 'unknown_cursor' });
      }
    });

    test('the cursor of an empty log is one that clients come back with', async () => {
      const { log, tail } = await started();
      const empty = tail.cursorOf(tail.resets[0] ?? '');
      expect(await pageAfter(log, empty, 10)).toEqual({ entries: [], loss: null });
      const ids = await appended(log, numbered(0, 3));
      expect((await pageAfter(log, empty, 10)).entries.map(({ id }) => id)).toEqual(ids);
    });

    test('is bounded: after trimming, a cursor of a trimmed place has lost events, a younger one has not', async () => {
      const { log, tail } = await started(200);
      const ids: string[] = [];
      for (let from = 0; from < 2000; from += 100) {
        ids.push(...(await appended(log, numbered(from, from + 100))));
        // A follower that falls behind by more than the log keeps may be told of a break.
        await waitUntil(() => tail.received.length >= from + 100);
      }
      for (const index of [0, 500, 1000]) {
        expect(await pageAfter(log, tail.cursorOf(ids[index] ?? ''), 10)).toEqual({
          entries: [],
          loss: 'trimmed',
        });
      }
      const page = await pageAfter(log, tail.cursorOf(ids[1850] ?? ''), 1000);
      expect([page.loss, page.entries.map(({ id }) => id)]).toEqual([null, ids.slice(1851)]);
      // Trimming is no break: who follows has lost nothing.
      expect(tail.resets).toHaveLength(1);
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
