import { describe, expect, test } from '@jest/globals';
import { Hub } from '../../../../src/core/delivery/hub.js';
import { Session } from '../../../../src/core/delivery/session.js';
import { freeCaller } from '../../../support/caller.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';

let ids = 0;
function session(): Session {
  return new Session(`s${String(++ids)}`, freeCaller('someone'), 'sse', new RecordingOutlet());
}

describe('Hub', () => {
  test('knows who is in which room, and since when', () => {
    const hub = new Hub();
    const [one, two] = [session(), session()];
    hub.join(one, 'a', 3);
    hub.join(two, 'a', 5);
    hub.join(one, 'b', 7);
    expect([...hub.members('a')]).toEqual([one, two]);
    expect([...one.rooms]).toEqual([
      ['a', 3],
      ['b', 7],
    ]);
    expect([hub.size, Object.fromEntries(hub.largest(10))]).toEqual([2, { a: 2, b: 1 }]);
    expect(hub.members('nowhere').size).toBe(0);
  });

  test('joining twice changes nothing', () => {
    const hub = new Hub();
    const one = session();
    hub.join(one, 'a', 3);
    hub.join(one, 'a', 9);
    expect([one.rooms.get('a'), hub.members('a').size]).toEqual([3, 1]);
  });

  test('rooms without members are gone; leaving what one is not in is nothing', () => {
    const hub = new Hub();
    const [one, two] = [session(), session()];
    hub.join(one, 'a', 0);
    hub.join(two, 'a', 0);
    hub.join(one, 'b', 0);
    hub.leave(two, 'b');
    hub.leave(two, 'nowhere');
    hub.leaveAll(one);
    expect([one.rooms.size, hub.size, [...hub.members('a')]]).toEqual([0, 1, [two]]);
    hub.leaveAll(two);
    hub.leaveAll(two);
    expect([hub.size, hub.largest(10).size]).toEqual([0, 0]);
  });

  test('names the largest rooms, as many as are asked for', () => {
    const hub = new Hub();
    const sizes = { one: 1, five: 5, three: 3, other: 3, third: 3, two: 2 };
    for (const [room, size] of Object.entries(sizes)) {
      for (let member = 0; member < size; member += 1) hub.join(session(), room, 0);
    }
    expect(Object.fromEntries(hub.largest(6))).toEqual(sizes);
    expect(Object.fromEntries(hub.largest(5))).toEqual({ five: 5, three: 3, other: 3, third: 3, two: 2 });
    expect(Object.fromEntries(hub.largest(3))).toEqual({ five: 5, three: 3, other: 3 });
    expect(Object.fromEntries(hub.largest(1))).toEqual({ five: 5 });
    expect([...hub.names()].sort()).toEqual(Object.keys(sizes).sort());
  });
});
