import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'engine.io';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { SignInGuard, type SignInGuardParts } from '../../../../src/profiles/socketio/sign-in-guard.js';
import { TurnedClock } from '../../../support/turned-clock.js';

/** A connection of the engine, over polling until it is upgraded. */
class HeldEngine extends EventEmitter {
  readyState = 'open';
  transport: { readonly name: string; readonly socket?: object; maxHttpBufferSize?: number } = {
    name: 'polling',
  };

  close(): void {
    this.readyState = 'closed';
    this.emit('close');
  }
}

let clock: TurnedClock;
let counters: Counters;
/** TCP connections of clients that were admitted. */
let signedIn: unknown[];

beforeEach(() => {
  clock = new TurnedClock();
  counters = new Counters();
  signedIn = [];
});

function newGuard(bounds: Partial<SignInGuardParts> = {}): SignInGuard {
  const parts = { maxConnections: 0, maxConnectionsPerAddress: 0, maxPendingPerAddress: 0, ...bounds };
  return new SignInGuard({
    ...parts,
    clock,
    counters,
    maxHttpBufferBytes: 1_000_000,
    signedIn: (socket) => void signedIn.push(socket),
  });
}

function polling(guard: SignInGuard, address = '1.2.3.4'): { held: HeldEngine; conn: Socket } {
  const held = new HeldEngine();
  const conn = held as unknown as Socket;
  guard.watch(conn, address);
  return { held, conn };
}

/** A new connection over a websocket; what `socket` is written comes from the client. */
function overWebsocket(guard: SignInGuard): { held: HeldEngine; conn: Socket; socket: PassThrough } {
  const websocket = new EventEmitter();
  const socket = new PassThrough();
  guard.watchWebsocket(websocket, socket, Buffer.alloc(0), undefined);
  socket.resume();
  const held = new HeldEngine();
  held.transport = { name: 'websocket', socket: websocket };
  const conn = held as unknown as Socket;
  guard.watch(conn, '1.2.3.4');
  return { held, conn, socket };
}

/** The client sends so many bytes. */
const send = (socket: PassThrough, bytes: number): Promise<void> =>
  new Promise((resolve) => socket.write(Buffer.alloc(bytes), () => setImmediate(resolve)));

describe('input before sign-in', () => {
  test('16 KiB over a websocket, finished messages or not; then it is destroyed', async () => {
    const { socket, held } = overWebsocket(newGuard());
    await send(socket, 16_384);
    expect(socket.destroyed).toBe(false);
    await send(socket, 1);
    expect(socket.writableEnded).toBe(true);
    clock.advance(2000);
    expect(socket.destroyed).toBe(true);
    expect(counters.get('connections_cut', 'too_large')).toBe(1);
    held.close();
  });

  test('as much as it likes once admitted, and again 16 KiB after its session ended', async () => {
    const guard = newGuard();
    const { socket, conn } = overWebsocket(guard);
    guard.admit(conn);
    expect(signedIn).toEqual([socket]);
    await send(socket, 100_000);
    expect(socket.destroyed).toBe(false);
    guard.release(conn);
    await send(socket, 16_384);
    expect(socket.destroyed).toBe(false);
    await send(socket, 1);
    expect(socket.writableEnded).toBe(true);
    clock.advance(2000);
    expect(socket.destroyed).toBe(true);
  });

  test('16 KiB of a request over polling, and of all requests together', () => {
    const guard = newGuard();
    const { held, conn } = polling(guard);
    expect(held.transport.maxHttpBufferSize).toBe(16_384);
    held.emit('packet', { data: 'x'.repeat(10_000) });
    expect(held.readyState).toBe('open');
    held.emit('packet', { data: 'x'.repeat(10_000) });
    expect(held.readyState).toBe('closed');
    const { held: member, conn: memberConn } = polling(guard);
    guard.admit(memberConn);
    expect(member.transport.maxHttpBufferSize).toBe(1_000_000);
    member.emit('packet', { data: 'x'.repeat(100_000) });
    expect(member.readyState).toBe('open');
    expect([guard.isAdmitted(conn), guard.isAdmitted(memberConn)]).toEqual([true, true]);
  });

  test.each([
    ['an attachment', Buffer.from('x')],
    ['an event that announces some', '51-["x",{"_placeholder":true,"num":0}]'],
    ['an ack that does', '61-0[]'],
  ])('nothing binary: %s', (_what, data) => {
    const { held } = polling(newGuard());
    held.emit('packet', { data });
    expect(held.readyState).toBe('closed');
    expect(counters.get('connections_cut', 'binary')).toBe(1);
  });
});

describe('time before sign-in', () => {
  test('10 s, then the connection and the socket under it are gone, once', () => {
    const { held, socket } = overWebsocket(newGuard());
    clock.advance(9999);
    expect([held.readyState, socket.destroyed]).toEqual(['open', false]);
    clock.advance(1);
    expect([held.readyState, socket.destroyed]).toEqual(['closed', true]);
    expect(counters.get('connections_cut', 'not_signed_in')).toBe(1);
  });

  test('members have as long as they like; after their session ended, 10 s', () => {
    const guard = newGuard();
    const { held, conn } = polling(guard);
    guard.admit(conn);
    clock.advance(60_000);
    expect(held.readyState).toBe('open');
    guard.release(conn);
    clock.advance(10_000);
    expect(held.readyState).toBe('closed');
  });

  test("a websocket that only asks to upgrade a member's connection", () => {
    const guard = newGuard();
    const { conn } = polling(guard);
    guard.admit(conn);
    const socket = new PassThrough();
    guard.watchWebsocket(new EventEmitter(), socket, Buffer.alloc(0), conn);
    clock.advance(10_000);
    expect(socket.destroyed).toBe(true);
  });

  test('an upgrade that is done ends the bounds, before the client is admitted or after', async () => {
    const guard = newGuard();
    for (const isFirst of [true, false]) {
      const { held, conn } = polling(guard);
      const websocket = new EventEmitter();
      const socket = new PassThrough();
      guard.watchWebsocket(websocket, socket, Buffer.alloc(0), conn);
      socket.resume();
      if (isFirst) guard.admit(conn);
      held.transport = { name: 'websocket', socket: websocket };
      held.emit('upgrade');
      if (!isFirst) guard.admit(conn);
      await send(socket, 100_000);
      clock.advance(60_000);
      expect([isFirst, held.readyState, socket.destroyed]).toEqual([isFirst, 'open', false]);
    }
  });
});

describe('places before sign-in', () => {
  test('the oldest of an address makes room for the newest, and members keep theirs', () => {
    const guard = newGuard({ maxPendingPerAddress: 2 });
    const member = polling(guard);
    guard.admit(member.conn);
    const all = [polling(guard), polling(guard), polling(guard), polling(guard, '5.6.7.8')];
    expect([member, ...all].map(({ held }) => held.readyState)).toEqual([
      'open',
      'closed',
      'open',
      'open',
      'open',
    ]);
    expect(counters.get('connections_cut', 'displaced')).toBe(1);
  });

  test('an address of this machine has as many as there are in all', () => {
    const guard = newGuard({ maxPendingPerAddress: 2, maxConnections: 1 });
    const all = Array.from({ length: 1002 }, () => polling(guard, '::1'));
    expect(all.filter(({ held }) => held.readyState === 'closed')).toHaveLength(1);
    expect(all[0]?.held.readyState).toBe('closed');
  });
});
