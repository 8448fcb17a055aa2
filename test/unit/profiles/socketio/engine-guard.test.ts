import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'engine.io';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { EngineGuard } from '../../../../src/profiles/socketio/engine-guard.js';
import { TurnedClock } from '../../../support/turned-clock.js';

class HeldEngine extends EventEmitter {
  closes = 0;
  readonly protocol = 4;
  /** Payloads that were read. */
  readonly payloads: string[] = [];
  readonly transport = {
    name: 'polling',
    onData: (payload: string): void => void this.payloads.push(payload),
  };

  close(): void {
    this.closes += 1;
  }
}

let clock: TurnedClock;
let counters: Counters;

beforeEach(() => {
  clock = new TurnedClock();
  counters = new Counters();
});

const newGuard = (): EngineGuard => new EngineGuard({ clock, counters });

function watched(guard: EngineGuard): HeldEngine {
  const conn = new HeldEngine();
  guard.watch(conn as unknown as Socket);
  return conn;
}

const emit = (from: EventEmitter, name: string, times: number): void => {
  for (let count = 0; count < times; count += 1) from.emit(name, {});
};

describe('connections', () => {
  test('are one session each', () => {
    const guard = newGuard();
    const conn = new HeldEngine() as unknown as Socket;
    expect([guard.claim(conn), guard.claim(conn)]).toEqual([true, false]);
    guard.release(conn);
    expect(guard.claim(conn)).toBe(true);
  });
});

describe('packets', () => {
  test('2000 a second are taken, for as long as it likes', () => {
    const conn = watched(newGuard());
    for (let second = 0; second < 5; second += 1) {
      emit(conn, 'packet', 1990);
      clock.advance(1000);
    }
    expect(conn.closes).toBe(0);
  });

  test('of a payload over polling are counted before it is read', () => {
    const conn = watched(newGuard());
    const most = Array.from({ length: 2000 }, () => '3').join('\x1e');
    conn.transport.onData(most);
    expect([conn.payloads, conn.closes]).toEqual([[most], 0]);
    conn.transport.onData(`${most}\x1e3`);
    expect([conn.payloads.length, conn.closes, counters.get('connections_cut', 'rate_limited')]).toEqual([
      1, 1, 1,
    ]);
  });

  test('of one that sends more, the connection is closed, once', () => {
    const conn = watched(newGuard());
    emit(conn, 'packet', 5000);
    expect([conn.closes, counters.get('connections_cut', 'rate_limited')]).toEqual([1, 1]);
  });

  test.each(['message', 'ping'])('a websocket is cut at too many of: %s', (name) => {
    const websocket = new EventEmitter();
    const socket = new PassThrough();
    newGuard().watchWebsocket(websocket, socket);
    emit(websocket, name, 1990);
    expect(socket.destroyed).toBe(false);
    emit(websocket, name, 20);
    expect([socket.destroyed, counters.get('connections_cut', 'rate_limited')]).toEqual([true, 1]);
  });
});
