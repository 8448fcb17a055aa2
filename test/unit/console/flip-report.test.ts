import { describe, expect, it } from '@jest/globals';
import { Fields } from '../../../src/console/fields.js';
import {
  isAwaitingReturns,
  isUnderWay,
  movedInAll,
  readFlipReport,
} from '../../../src/console/flip-report.js';

describe('a report of flips', () => {
  it('is read as the gateway tells it', () => {
    const report = readFlipReport(
      new Fields({
        profile: 'SSE',
        flip: {
          id: 2,
          from: 'WEBSOCKET',
          to: 'SSE',
          by: 'address:127.0.0.1',
          via: 'http',
          startedAt: 1000,
          state: 'draining',
          sessions: {
            total: 10,
            left: 4,
            clients: {
              moved: 4,
              returned: 3,
              cutOff: 1,
              gone: 1,
              byKind: {
                sdk: { total: 5, left: 0, ended: 4 },
                bundle: { total: 0, left: 0, ended: 0 },
                eventsource: { total: 0, left: 0, ended: 0 },
                stock: { total: 5, left: 4, ended: 1 },
              },
            },
          },
          error: null,
        },
        rollout: {
          id: 1,
          to: 'SSE',
          startedAt: 900,
          state: 'failed',
          nodes: [
            {
              id: 'a',
              url: null,
              host: 'one',
              state: 'failed',
              sessions: null,
              error: { code: 'c', message: 'm' },
            },
            { id: 'b', url: 'http://b:5002/', state: 'done', sessions: { total: 3, left: 1 }, error: null },
            'nonsense',
          ],
        },
      }),
    );
    expect(report.flip).toMatchObject({
      id: 2,
      state: 'draining',
      sessions: {
        total: 10,
        left: 4,
        clients: {
          moved: 4,
          returned: 3,
          cutOff: 1,
          gone: 1,
          total: { sdk: 5, stock: 5 },
          ended: { sdk: 4, stock: 1 },
        },
      },
    });
    expect(isAwaitingReturns({ ...report, rollout: undefined })).toBe(true);
    expect(report.flip?.error).toBeUndefined();
    expect(report.rollout?.nodes).toEqual([
      { name: 'one', state: 'failed', sessions: undefined, error: 'c: m' },
      { name: 'b:5002', state: 'done', sessions: { total: 3, left: 1 }, error: undefined },
      { name: '', state: 'unknown', sessions: undefined, error: undefined },
    ]);
    expect(movedInAll(report.rollout?.nodes ?? [])).toEqual({ total: 3, left: 1 });
  });

  it('may tell of none', () => {
    expect(readFlipReport(new Fields({ profile: 'SSE', flip: null, rollout: null }))).toEqual({
      profile: 'SSE',
      flip: undefined,
      rollout: undefined,
    });
  });

  it('is watched until it is over', () => {
    expect((['switching', 'draining', 'running'] as const).map(isUnderWay)).toEqual([true, true, true]);
    expect((['done', 'failed', 'superseded', undefined] as const).map(isUnderWay)).toEqual(
      Array(4).fill(false),
    );
  });
});
