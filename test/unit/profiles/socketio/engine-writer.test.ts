import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'engine.io';
import { EngineWriter } from '../../../../src/profiles/socketio/engine-writer.js';
import { frameOf } from '../../../../src/profiles/socketio/socketio-wire.js';
import { waitUntil } from '../../../support/wait-until.js';

/** An engine connection whose transport takes bytes when the test says so. */
class HeldEngine extends EventEmitter {
  readyState = 'open';
  upgrading = false;
  readonly writeBuffer: unknown[] = [];
  readonly transport: { socket?: object; writable: boolean } = { writable: true };
  readonly sent: [string, unknown][] = [];
  /** What the transport was given, each time it took something. */
  readonly payloads: string[][] = [];
  #gathered: string[] = [];
  readonly closes: boolean[] = [];

  send(packet: string, options: unknown): void {
    this.sent.push([packet, options]);
    this.#gathered.push(packet);
    this.emit('packetCreate', {});
    if (!this.transport.writable) return;
    this.payloads.push(this.#gathered);
    this.#gathered = [];
  }

  close(discard = false): void {
    this.closes.push(discard);
    this.readyState = 'closed';
  }
}

/** A websocket's socket that takes bytes when the test says so. */
class HeldSocket extends EventEmitter {
  writableNeedDrain = false;
  readonly writes: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    return true;
  }
}

let engine: HeldEngine;
let socket: HeldSocket;
let writer: EngineWriter;
let drains: number;

beforeEach(() => {
  engine = new HeldEngine();
  socket = new HeldSocket();
  drains = 0;
  writer = newWriter();
});

const websocket = {};

function newWriter(): EngineWriter {
  const made = new EngineWriter(engine as unknown as Socket, (one) =>
    one === websocket ? (socket as unknown as Duplex) : undefined,
  );
  made.onDrain = () => {
    drains += 1;
  };
  return made;
}

function upgrade(to: object = websocket): void {
  engine.transport.socket = to;
  engine.emit('upgrade', engine.transport);
}

describe('EngineWriter', () => {
  test('sends packets in order, uncompressed, through the engine while there is no websocket', () => {
    writer.write(frameOf(['2["a"]', '2["b"]']));
    expect(engine.sent).toEqual([
      ['2["a"]', { compress: false }],
      ['2["b"]', { compress: false }],
    ]);
    expect(socket.writes).toEqual([]);
  });

  test('gives a waiting poll all packets of a frame as one payload, and the transport back as it was', () => {
    writer.write(frameOf(['2["a"]', '2["b"]', '2["c"]']));
    expect([engine.payloads, engine.transport.writable]).toEqual([[['2["a"]', '2["b"]', '2["c"]']], true]);
    engine.transport.writable = false;
    writer.write(frameOf(['2["d"]', '2["e"]']));
    expect([engine.payloads.length, engine.sent.length, engine.transport.writable]).toEqual([1, 5, false]);
  });

  test('writes ready-made bytes to the socket once there is a websocket', () => {
    upgrade();
    const frame = frameOf(['2["a"]', '2["b"]']);
    writer.write(frame);
    expect(engine.sent).toEqual([]);
    expect(socket.writes).toEqual([frame.bytes]);
    expect(frame.bytes.toString('latin1')).toBe('\x81\x0742["a"]\x81\x0742["b"]');
  });

  test('goes through the engine where the socket under its websocket is not known', () => {
    upgrade({});
    writer.write(frameOf(['2["a"]']));
    expect([engine.sent.length, socket.writes.length]).toEqual([1, 0]);
  });

  test('does not overtake what the engine had waiting before', () => {
    engine.writeBuffer.push({});
    writer = newWriter();
    upgrade();
    writer.write(frameOf(['2["a"]']));
    expect([engine.sent.length, socket.writes.length]).toEqual([1, 0]);
  });

  test('goes through the engine while the engine has packets of its own waiting, so as not to overtake them', () => {
    upgrade();
    engine.emit('packetCreate', {});
    writer.write(frameOf(['2["a"]']));
    expect([engine.sent.length, socket.writes.length]).toEqual([1, 0]);
  });

  test('is not writable while the socket holds bytes back, and tells when it is again', () => {
    upgrade();
    socket.writableNeedDrain = true;
    expect(writer.writable).toBe(false);
    socket.writableNeedDrain = false;
    socket.emit('drain');
    expect([writer.writable, drains]).toEqual([true, 1]);
  });

  test('is writable until something waits, and again, with word of it, once that has drained', () => {
    expect(writer.writable).toBe(true);
    writer.write(frameOf(['2["a"]']));
    expect([writer.writable, drains]).toEqual([false, 0]);
    engine.emit('drain');
    expect([writer.writable, drains]).toEqual([true, 1]);
  });

  test('notices what others send on the same connection, such as acks and pings', () => {
    engine.emit('packetCreate', {});
    expect(writer.writable).toBe(false);
  });

  test.each(['opening', 'closing', 'closed'])('is not writable while the connection is %s', (state) => {
    engine.readyState = state;
    expect(writer.writable).toBe(false);
  });

  test('closes the connection, and throws away what waits only when it is told to', () => {
    writer.close(false);
    writer.close(true);
    expect(engine.closes).toEqual([false, true]);
  });

  test('closes a connection that is being upgraded when that is done, or took too long; at once to throw away', async () => {
    engine.upgrading = true;
    writer.close(false);
    expect(engine.closes).toEqual([]);
    engine.emit('upgrade');
    await new Promise((resolve) => setImmediate(resolve));
    expect(engine.closes).toEqual([false]);
    writer.close(false);
    await waitUntil(() => engine.closes.length === 2, 'an upgrade that is never done to be given up');
    writer.close(true);
    expect(engine.closes).toEqual([false, false, true]);
  });
});
