import { expect, test } from '@jest/globals';
import type { Sample } from '../../../src/drill/load/messages.js';
import { TimelineRecord } from '../../../src/drill/timeline.js';

function sample(at: number, changes: Partial<Sample> = {}): Sample {
  return {
    at,
    connected: { sse: 0, websocket: 0, legacy: 0 },
    delivered: { sdk: 0, legacy: 0 },
    interruptions: [],
    incidents: [],
    lagMs: 0,
    ...changes,
  };
}

test('a timeline adds up processes, whose samples come when they come', () => {
  const record = new TimelineRecord(2);
  for (let at = 900; at <= 2500; at += 200) {
    record.take(
      0,
      sample(at, { connected: { sse: 3, websocket: 1, legacy: 2 }, delivered: { sdk: 20, legacy: 2 } }),
    );
  }
  for (let at = 950; at <= 2500; at += 100) {
    record.take(
      1,
      sample(at, { connected: { sse: 1, websocket: 0, legacy: 1 }, delivered: { sdk: 5, legacy: 0 } }),
    );
  }
  const { points } = record.timeline(1000, 2000);
  expect(points.map(({ at }) => at)).toEqual([0, 0.25, 0.5, 0.75]);
  for (const { sse, websocket, legacy, sdkRate, legacyRate } of points) {
    expect([sse, websocket, legacy]).toEqual([4, 1, 3]);
    expect(sdkRate).toBeCloseTo(100 + 50);
    expect(legacyRate).toBeCloseTo(10);
  }
});

test('what happened belongs to the time when it happened', () => {
  const record = new TimelineRecord(1);
  const interruption = { kind: 'sdk', at: 1500, eventsMs: 80.4, awayMs: 20 } as const;
  const incident = { kind: 'legacy', at: 1999, what: 'refused', reason: 'ECONNREFUSED' } as const;
  record.take(0, sample(2100, { interruptions: [interruption], incidents: [incident], lagMs: 7 }));
  record.mark(1200, 'node 1 SIGTERM');
  expect([record.interruptions(1000, 1500), record.interruptions(1500, 1501)]).toEqual([[], [interruption]]);
  expect([record.incidents(1000, 2000), record.incidents(2000, 3000)]).toEqual([[incident], []]);
  expect([record.lagMs(1000, 2000), record.lagMs(2000, 3000)]).toEqual([0, 7]);
  expect(record.timeline(1000, 3000)).toMatchObject({
    interruptions: [{ at: 0.5, kind: 'sdk', ms: 80 }],
    marks: [{ at: 0.2, label: 'node 1 SIGTERM' }],
  });
});
