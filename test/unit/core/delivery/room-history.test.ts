import { describe, expect, test } from '@jest/globals';
import { RoomHistory } from '../../../../src/core/delivery/room-history.js';
import type { Event } from '../../../../src/core/event.js';
import { newEvent } from '../../../support/new-event.js';

function at(position: number, slot: string | null = null): Event {
  return { ...newEvent(), room: 'a', id: `1-${String(position)}`, slot, position };
}

describe('RoomHistory', () => {
  test('is empty at first, and whole from where it is told', () => {
    const room = new RoomHistory(7);
    expect(room).toMatchObject({ isEmpty: true, end: 0, wholeFrom: 7, latest: [] });
    expect(room.between(0, 100, 10)).toEqual([]);
  });

  test('gives stretches of itself, bounded by positions and number', () => {
    const room = new RoomHistory(0);
    for (const position of [2, 5, 6, 9]) room.push(at(position));
    const positions = (from: number, to: number, limit: number) =>
      room.between(from, to, limit).map(({ position }) => position);
    expect(room.end).toBe(10);
    expect(positions(0, 100, 100)).toEqual([2, 5, 6, 9]);
    expect(positions(5, 9, 100)).toEqual([5, 6]);
    expect(positions(3, 100, 2)).toEqual([5, 6]);
    expect(positions(7, 9, 100)).toEqual([]);
    expect(positions(9, 3, 100)).toEqual([]);
  });

  test('push tells what it superseded', () => {
    const room = new RoomHistory(0);
    const first = at(1, 's');
    expect(room.push(first)).toBeUndefined();
    expect(room.push(at(2))).toBeUndefined();
    expect(room.push(at(3, 't'))).toBeUndefined();
    expect(room.push(at(4, 's'))).toBe(first);
    expect(room.latest.map(({ position }) => position)).toEqual([3, 4]);
  });

  test('trim forgets the past, keeps the newest values, and says which', () => {
    const room = new RoomHistory(0);
    const kept = at(2, 't');
    for (const event of [at(1, 's'), kept, at(3), at(5, 's')]) room.push(event);
    expect(room.trim(5)).toEqual([kept]);
    expect(room.wholeFrom).toBe(4);
    expect(room.between(0, 100, 100).map(({ position }) => position)).toEqual([5]);
    expect(room.latest.map(({ position }) => position)).toEqual([2, 5]);
    expect(room.trim(5)).toEqual([]);
  });

  test('forget drops a value only while it is the newest of its slot', () => {
    const room = new RoomHistory(0);
    const [old, now] = [at(1, 's'), at(2, 's')];
    room.push(old);
    room.push(now);
    room.forget(old);
    expect(room.latest).toEqual([now]);
    room.trim(3);
    expect(room.isEmpty).toBe(false);
    room.forget(now);
    expect(room.isEmpty).toBe(true);
  });

  test('a break is a loss for all before it', () => {
    const room = new RoomHistory(0);
    room.breakAt(12);
    expect(room.wholeFrom).toBe(12);
  });
});
