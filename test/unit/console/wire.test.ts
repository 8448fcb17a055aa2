import { describe, expect, it } from '@jest/globals';
import { readEvents, readGap, readWelcome } from '../../../src/console/wire.js';

describe('what the wires bring', () => {
  it('is read as events; what is none is left out', () => {
    const event = { id: '1-0', type: 'kb_update', room: 'monitor', key: 'k', data: [1], timestamp: 1.5 };
    const others = [null, 'x', {}, { id: '1-1' }, { type: 'kb_update' }, { id: 7, type: 'kb_update' }];
    expect(readEvents([...others, event, { id: '1-2', type: 't' }])).toEqual([
      event,
      { id: '1-2', type: 't', room: '', key: undefined, data: undefined, timestamp: undefined },
    ]);
  });

  it.each([undefined, null, {}, 'x'])('holds no events when it is %j', (bundle) => {
    expect(readEvents(bundle)).toEqual([]);
  });

  it('is read as a welcome; a null cursor is none', () => {
    const welcome = { sessionId: 's', profile: 'SSE', rooms: ['a'], cursor: null, resumed: false };
    expect(readWelcome({ ...welcome, heartbeatMs: 10_000 })).toEqual({ ...welcome, cursor: undefined });
    expect(readWelcome({ ...welcome, cursor: '1-0', resumed: true })).toMatchObject({
      cursor: '1-0',
      resumed: true,
    });
    expect(readWelcome(null)).toMatchObject({ rooms: [], resumed: false });
  });

  it('is read as a gap, of known size or not', () => {
    expect(readGap({ reason: 'trimmed', dropped: null })).toEqual({ reason: 'trimmed', dropped: undefined });
    expect(readGap({ reason: 'slow', dropped: 3 })).toEqual({ reason: 'slow', dropped: 3 });
    expect(readGap(undefined)).toEqual({ reason: 'unknown', dropped: undefined });
  });
});
