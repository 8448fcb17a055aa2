import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Drain } from '../../../../src/core/delivery/drain.js';
import { Session } from '../../../../src/core/delivery/session.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { freeCaller } from '../../../support/caller.js';
import { TurnedClock } from '../../../support/turned-clock.js';

/** Sessions, those of the first `legacy` of them legacy clients', and when each was ended, ms since the start. */
class Drained {
  readonly clock = new TurnedClock();
  readonly sessions: Session[];
  readonly ended = new Map<Session, number>();
  readonly drain: Drain;
  readonly #startedAt = this.clock.elapsed();

  constructor(count: number, overMs: number, legacy = 0, random: () => number = Math.random) {
    this.sessions = Array.from({ length: count }, (_, index) => this.session(index < legacy));
    this.drain = new Drain({
      clock: this.clock,
      random,
      overMs,
      leaving: () => this.sessions.filter(({ state }) => state !== 'closed'),
      end: (session) => {
        if (session.state === 'closed') return;
        expect(this.ended.has(session)).toBe(false);
        session.state = 'closed';
        this.ended.set(session, this.clock.elapsed() - this.#startedAt);
      },
    });
  }

  session(isLegacy: boolean): Session {
    const outlet = new RecordingOutlet();
    outlet.isTold = !isLegacy;
    const session = new Session(crypto.randomUUID(), freeCaller('p'), 'websocket', outlet);
    session.state = 'live';
    return session;
  }
}

describe('a drain', () => {
  test('ends each session once, within the time, evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 8000 }), (count, overMs) => {
        const { clock, ended, drain } = new Drained(count, overMs);
        const takesMs = Math.min(overMs, count * 10);
        clock.advance(takesMs + 10);
        expect([drain.total, drain.left, ended.size]).toEqual([count, 0, count]);
        expect(clock.timers).toBe(0);
        // Of each tenth of the time no more than its share, and what jitter and ticks of 10 ms may move.
        const share = takesMs === 0 ? count : Math.ceil((count / takesMs) * (takesMs / 10 + 20)) + 2;
        for (let tenth = 0; tenth < 10; tenth += 1) {
          const from = (takesMs / 10) * tenth;
          const within = [...ended.values()].filter((at) => at > from && at <= from + takesMs / 10);
          expect(within.length).toBeLessThanOrEqual(share);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('has few sessions go quickly', () => {
    const { clock, drain } = new Drained(3, 60_000);
    clock.advance(40);
    expect(drain.left).toBe(0);
  });

  test('ends those that can be told first, and legacy clients last', () => {
    const { clock, sessions, ended } = new Drained(200, 5000, 100);
    clock.advance(6000);
    const times = (from: number, to: number): number[] =>
      sessions.slice(from, to).map((session) => ended.get(session) ?? NaN);
    expect(Math.max(...times(100, 200))).toBeLessThanOrEqual(Math.min(...times(0, 100)));
  });

  test('ends, at its end, who came in meanwhile', async () => {
    const drained = new Drained(10, 1000);
    const late = drained.session(false);
    drained.sessions.push(late);
    drained.clock.advance(110);
    await drained.drain.done;
    expect(drained.ended.has(late)).toBe(true);
  });

  test('passes over sessions that went by themselves', () => {
    const { clock, sessions, ended, drain } = new Drained(10, 1000);
    for (const session of sessions.slice(0, 4)) session.state = 'closed';
    expect(drain.left).toBe(6);
    clock.advance(110);
    expect(ended.size).toBe(6);
  });

  test('that is stopped ends no more', () => {
    const { clock, ended, drain } = new Drained(100, 1000);
    clock.advance(500);
    drain.stop();
    const before = ended.size;
    expect(before).toBeGreaterThan(30);
    clock.advance(5000);
    expect(ended.size).toBe(before);
    expect(drain.left).toBe(100 - before);
    expect(clock.timers).toBe(0);
  });
});
