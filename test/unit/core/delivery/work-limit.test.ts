import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Caller } from '../../../../src/core/auth/caller.js';
import { Session } from '../../../../src/core/delivery/session.js';
import { WorkLimit } from '../../../../src/core/delivery/work-limit.js';
import { freeCaller, keyCaller } from '../../../support/caller.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { TurnedClock } from '../../../support/turned-clock.js';

let clock: TurnedClock;
let limit: WorkLimit;

beforeEach(() => {
  clock = new TurnedClock();
  limit = new WorkLimit({ perSession: 10, perPrincipal: 30 }, clock);
});

function sessionOf(caller: Caller): Session {
  return new Session('s', caller, 'sse', new RecordingOutlet());
}

/** ms to wait for one more session of a caller. */
function waitOf(caller: Caller, cost = 1): number {
  return limit.take(sessionOf(caller), caller, cost);
}

describe('WorkLimit', () => {
  test('limits a session, and leaves others of the same principal theirs', () => {
    const caller = keyCaller('key:a', {});
    const session = sessionOf(caller);
    expect([limit.take(session, caller, 20), limit.take(session, caller, 1)]).toEqual([0, 100]);
    expect(waitOf(caller)).toBe(0);
    clock.advance(100);
    expect(limit.take(session, caller, 1)).toBe(0);
  });

  test('limits a principal, however many sessions it has, and no other', () => {
    const caller = keyCaller('key:a', {});
    expect([waitOf(caller, 15), waitOf(caller, 15), waitOf(caller, 15)]).toEqual([0, 0, 34]);
    expect(waitOf(keyCaller('key:b', {}))).toBe(0);
  });

  test('work that is refused takes nothing', () => {
    const caller = keyCaller('key:a', {});
    waitOf(caller, 30);
    for (let index = 0; index < 100; index += 1) waitOf(caller, 30);
    clock.advance(34);
    expect(waitOf(caller)).toBe(0);
  });

  test('takes anonymous callers of one address block for one, known ones by their ids', () => {
    expect(waitOf(freeCaller('address:2001:db8:1:2::1'), 30)).toBe(0);
    expect(waitOf(freeCaller('address:2001:db8:1:2:ffff::9'))).toBe(34);
    expect(waitOf(freeCaller('address:2001:db8:1:3::1'))).toBe(0);
    expect(waitOf(keyCaller('user:2001:db8:1:2::1', {}))).toBe(0);
  });

  test('is none at a rate of 0', () => {
    limit = new WorkLimit({ perSession: 10, perPrincipal: 0 }, clock);
    const caller = keyCaller('key:a', {});
    const session = sessionOf(caller);
    for (let index = 0; index < 100; index += 1) expect(limit.take(session, caller, 1000)).toBe(0);
  });
});
