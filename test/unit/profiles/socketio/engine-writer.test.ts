import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'engine.io';
import { EngineWriter } from '../../../../src/profiles/socketio/engine-writer.js';

/** An engine connection whose transport takes bytes when the test says so. */
class HeldEngine extends EventEmitter {
  readyState = 'open';
  readonly sent: [string, unknown][] = [];
  readonly closes: boolean[] = [];

  send(packet: string, options: unknown): void {
    this.sent.push([packet, options]);
    this.emit('packetCreate', {});
  }

  close(discard: boolean): void {
    this.closes.push(discard);
    this.readyState = 'closed';
  }
}

let engine: HeldEngine;
let writer: EngineWriter;
let drains: number;

beforeEach(() => {
  engine = new HeldEngine();
  drains = 0;
  writer = new EngineWriter(engine as unknown as Socket, () => {
    drains += 1;
  });
});

describe('EngineWriter', () => {
  test('sends packets in order, uncompressed', () => {
    writer.write(['2["a"]', '2["b"]']);
    expect(engine.sent).toEqual([
      ['2["a"]', { compress: false }],
      ['2["b"]', { compress: false }],
    ]);
  });

  test('is writable until something waits, and again, with word of it, once that has drained', () => {
    expect(writer.writable).toBe(true);
    writer.write(['2["a"]']);
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

  test('closes the connection, and throws away only what the client does not take', () => {
    writer.close();
    expect(engine.closes).toEqual([false]);
    writer.write(['2["a"]']);
    writer.close();
    expect(engine.closes).toEqual([false, true]);
  });
});
