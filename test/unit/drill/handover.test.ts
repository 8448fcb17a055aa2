import { describe, expect, test } from '@jest/globals';
import { Handover } from '../../../src/drill/load/handover.js';
import type { Interruption } from '../../../src/drill/load/messages.js';
import { TurnedClock } from '../../support/turned-clock.js';

function watched() {
  const clock = new TurnedClock();
  const told: Interruption[] = [];
  return { clock, told, handover: new Handover('sdk', clock, (one) => told.push(one)) };
}

describe('a handover', () => {
  test('is measured from the last event before to the first after, and from end to beginning', () => {
    const { clock, told, handover } = watched();
    handover.began();
    handover.event();
    clock.advance(30);
    handover.ended();
    const at = clock.now();
    clock.advance(100);
    handover.ended();
    clock.advance(100);
    handover.began();
    clock.advance(50);
    handover.event();
    clock.advance(50);
    handover.event();
    expect(told).toEqual([{ kind: 'sdk', at, eventsMs: 280, awayMs: 200 }]);
  });

  test('is none while nothing ended, and not over before an event came over the new connection', () => {
    const { clock, told, handover } = watched();
    handover.event();
    handover.began();
    handover.event();
    handover.ended();
    clock.advance(10);
    // A connection that is going may still bring something.
    handover.event();
    clock.advance(10);
    handover.began();
    expect(told).toEqual([]);
    clock.advance(10);
    handover.event();
    expect(told).toMatchObject([{ eventsMs: 20, awayMs: 20 }]);
  });
});
