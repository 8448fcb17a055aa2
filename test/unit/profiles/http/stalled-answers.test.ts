import type { Socket } from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { StalledAnswers } from '../../../../src/profiles/http/stalled-answers.js';

let counters: Counters;
let stalled: StalledAnswers;

beforeEach(() => {
  counters = new Counters();
  stalled = new StalledAnswers(counters);
});

/** A connection as far as it is looked at. */
class HeldSocket {
  bytesWritten = 0;
  writableLength = 0;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }
}

function watched(): HeldSocket {
  const socket = new HeldSocket();
  stalled.watch(socket.asSocket());
  return socket;
}

describe('StalledAnswers', () => {
  test('cuts who takes nothing for 10 s, counted, and nobody else', () => {
    const [idle, stuck, slow] = [watched(), watched(), watched()];
    Object.assign(stuck, { bytesWritten: 1000, writableLength: 400 });
    Object.assign(slow, { bytesWritten: 1000, writableLength: 900 });
    for (let now = 0; now < 10_000; now += 2000) {
      stalled.look(now);
      slow.writableLength -= 1;
    }
    expect([idle, stuck, slow].map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
    stalled.look(10_000);
    expect([idle, stuck, slow].map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
    expect(counters.get('answers_cut')).toBe(1);
  });

  test('more that is written to somebody who takes nothing is no progress', () => {
    const socket = watched();
    for (let now = 0; now <= 10_000; now += 2000) {
      socket.bytesWritten += 100;
      socket.writableLength += 100;
      stalled.look(now);
    }
    expect(socket.destroyed).toBe(true);
  });

  test('who has taken all begins anew with the next answer', () => {
    const socket = watched();
    for (const [now, writableLength] of [
      [0, 100],
      [8000, 0],
      [9000, 100],
      [18_000, 100],
    ] as const) {
      Object.assign(socket, { bytesWritten: 100, writableLength });
      stalled.look(now);
    }
    expect(socket.destroyed).toBe(false);
  });

  test('leaves alone what left HTTP', () => {
    const socket = watched();
    Object.assign(socket, { bytesWritten: 100, writableLength: 100 });
    stalled.look(0);
    stalled.leaveOut(socket.asSocket());
    stalled.look(20_000);
    expect(socket.destroyed).toBe(false);
  });
});
