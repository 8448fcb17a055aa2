import { beforeEach, describe, expect, test } from '@jest/globals';
import { Session } from '../../../../src/core/delivery/session.js';
import { Sweeper } from '../../../../src/core/delivery/sweeper.js';
import { Timeline } from '../../../../src/core/delivery/timeline.js';
import type { LogEntry } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { newEvent } from '../../../support/new-event.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { freeCaller } from '../../../support/caller.js';
import { TurnedClock } from '../../../support/turned-clock.js';

/** A clock on which every look takes 10 ms, longer than a stretch may. */
class HurriedClock extends TurnedClock {
  #looks = 0;

  override elapsed(): number {
    this.#looks += 1;
    return this.#looks * 10;
  }
}

let clock: HurriedClock;
let timeline: Timeline;
let sessions: Session[];
let tooSlow: Session[];
let sweeper: Sweeper;
let count: number;

beforeEach(() => {
  clock = new HurriedClock();
  timeline = new Timeline(
    new EventTypes(new Map(), ['default']),
    { maxEvents: 1, maxBytes: 1e9 },
    new Counters(),
  );
  timeline.reset('e', 'held.0-0');
  sessions = Array.from({ length: 200 }, (_, index) => {
    const session = new Session(String(index), freeCaller('p'), 'sse', new RecordingOutlet());
    session.enter('quiet', 0);
    session.state = 'live';
    return session;
  });
  tooSlow = [];
  sweeper = new Sweeper({
    sessions,
    timeline,
    clock,
    maxBacklogMs: 1000,
    onTooSlow: (session) => tooSlow.push(session),
  });
  count = 0;
});

const append = (room: string): void => {
  const entry: LogEntry = { ...newEvent({ room }), id: `${String((count += 1))}-0` };
  timeline.append([entry]);
};

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await clock.turn(0);
};

/** How many sessions stand at the head. */
const current = (): number => sessions.filter(({ position }) => position === timeline.head).length;

describe('Sweeper', () => {
  test('lets others run between its stretches, and does not begin again before it is through', async () => {
    append('other');
    const swept = sweeper.sweep();
    void sweeper.sweep();
    expect(current()).toBe(50);
    clock.flushSoon();
    await new Promise(setImmediate);
    expect(current()).toBe(100);
    await settle();
    await swept;
    expect(current()).toBe(200);
  });

  test('a room that comes and goes while it works is no gap to sessions it has been at', async () => {
    const swept = sweeper.sweep();
    append('passing');
    append('other');
    await settle();
    await swept;
    expect(sessions.filter(({ rooms, position }) => !timeline.isWholeFor(rooms, position))).toEqual([]);
  });

  test('a connection that takes nothing is too slow after the limit, whether anything awaits it or not', async () => {
    const [stuck] = sessions as [Session];
    (stuck.outlet as RecordingOutlet).writable = false;
    for (let sweep = 0; sweep < 40; sweep += 1) {
      const swept = sweeper.sweep();
      await settle();
      await swept;
    }
    expect(new Set(tooSlow)).toEqual(new Set([stuck]));
  });
});
