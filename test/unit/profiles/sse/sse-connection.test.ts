import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Welcome } from '../../../../src/core/delivery/outlet.js';
import { Slice } from '../../../../src/core/delivery/slice.js';
import type { Event } from '../../../../src/core/event.js';
import { SseConnection } from '../../../../src/profiles/sse/sse-connection.js';
import { EventStreamParser } from '../../../support/event-stream-parser.js';
import { newEvent } from '../../../support/new-event.js';

/** A response of which only the head is used. */
class HeldResponse {
  head: [number, object] | undefined;
  flushed = false;
  readonly chunkedEncoding: boolean;

  constructor(chunkedEncoding: boolean) {
    this.chunkedEncoding = chunkedEncoding;
  }

  writeHead(status: number, headers: object): void {
    this.head = [status, headers];
  }

  flushHeaders(): void {
    this.flushed = true;
  }
}

/** A socket that keeps what it is given. */
class HeldSocket extends EventEmitter {
  writable = true;
  writableNeedDrain = false;
  destroyed = false;
  /** Whether it is to be closed once all is sent. */
  isEnding = false;
  readonly writes: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    return true;
  }

  destroySoon(): void {
    this.isEnding = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const GAP = { reason: 'trimmed', dropped: null, epoch: 'e', cursor: 'e.7-0' } as const;
const WELCOME: Welcome = {
  sessionId: 's',
  profile: 'SSE',
  rooms: ['a'],
  epoch: 'e',
  cursor: null,
  resumed: false,
  heartbeatMs: 10_000,
};

let response: HeldResponse;
let socket: HeldSocket;
let connection: SseConnection;

/** A connection whose bytes are those of the stream (HTTP/1.0), or where they come in chunks (HTTP/1.1). */
function connect(isChunked: boolean): void {
  response = new HeldResponse(isChunked);
  socket = new HeldSocket();
  const res = response as unknown as ServerResponse;
  connection = new SseConnection(res, socket as unknown as Socket, 1234.5, 'eventsource');
}

beforeEach(() => {
  jest.useFakeTimers();
  connect(false);
});

afterEach(() => {
  socket.destroy();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const sliceOf = (room: string, cursor: string, ...data: number[]): Slice => {
  const events = data.map(
    (number): Event => ({
      ...newEvent({ room, dataJson: String(number) }),
      id: `${String(number)}-0`,
      room,
      slot: null,
      position: number,
    }),
  );
  return new Slice(events, 0, cursor);
};

/** What a client that reads to the letter makes of everything written. */
function read(): EventStreamParser {
  const parser = new EventStreamParser();
  for (const bytes of socket.writes) parser.feed(bytes);
  return parser;
}

/** Rooms and data of the events of every message, and the id that was current then. */
const bundles = (): unknown[] =>
  read().messages.map(({ data, lastEventId }) => [
    (JSON.parse(data) as { room: string; data: number }[]).map(
      (event) => `${event.room}${String(event.data)}`,
    ),
    lastEventId,
  ]);

describe('SseConnection', () => {
  test('is accepted with the headers of a stream, and told the time to reconnect with the first block, once', () => {
    connection.accept();
    expect(response.head).toEqual([
      200,
      {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-cache, no-transform',
        'X-Accel-Buffering': 'no',
        'Cross-Origin-Resource-Policy': 'same-origin',
        'X-Content-Type-Options': 'nosniff',
        Connection: 'close',
      },
    ]);
    expect(socket.writes).toEqual([]);
    connection.welcome(WELCOME);
    connection.gap(GAP);
    expect(socket.writes.map(String)).toEqual([
      `retry: 1235\nevent: welcome\ndata: ${JSON.stringify(WELCOME)}\n\n`,
      `event: gap\ndata: ${JSON.stringify(GAP)}\n\n`,
    ]);
    expect(read().retryMs).toBe(1235);
  });

  test('who is turned away in the stream is told the time to reconnect, too', () => {
    connection.accept();
    connection.end('shutting_down');
    expect(socket.writes.map(String)).toEqual([
      'retry: 1235\nevent: draining\ndata: {"reason":"shutting_down"}\n\n',
    ]);
  });

  test('is writable until the socket holds bytes back, or is gone', () => {
    expect(connection.writable).toBe(true);
    socket.writableNeedDrain = true;
    expect(connection.writable).toBe(false);
    socket.writableNeedDrain = false;
    socket.writable = false;
    expect(connection.writable).toBe(false);
  });

  test('one room at one cursor is one message with its id, the same bytes for everybody', () => {
    const slice = sliceOf('a', '2-0', 1, 2);
    connection.deliver([slice], '2-0');
    connection.deliver([slice], '2-0');
    expect(socket.writes[0]).toBe(socket.writes[1]);
    expect(bundles()).toEqual([
      [['a1', 'a2'], '2-0'],
      [['a1', 'a2'], '2-0'],
    ]);
  });

  test('several rooms are one write, whose last message carries the id', () => {
    connection.deliver([sliceOf('a', '3-0', 1, 3), sliceOf('b', '3-0', 2)], '3-0');
    expect(socket.writes).toHaveLength(1);
    expect(bundles()).toEqual([
      [['a1', 'a3'], ''],
      [['b2'], '3-0'],
    ]);
  });

  test('a cursor that is not the last slice’s own comes in a message of its own', () => {
    connection.deliver([sliceOf('a', '1-0', 1)], '0-9');
    expect(bundles()).toEqual([
      [['a1'], ''],
      [[], '0-9'],
    ]);
  });

  test('without a cursor no id is sent, and without events an empty message carries it', () => {
    connection.deliver([sliceOf('a', '1-0', 1)], null);
    expect([bundles(), read().lastEventId]).toEqual([[[['a1'], '']], '']);
    connection.deliver([], '5-0');
    expect(bundles()[1]).toEqual([[], '5-0']);
    connection.deliver([], null);
    expect(socket.writes).toHaveLength(2);
  });

  test('notices are messages of their name', () => {
    connection.gap(GAP);
    connection.end('shutting_down');
    expect(read().messages.map(({ type, data }) => [type, JSON.parse(data)])).toEqual([
      ['gap', GAP],
      ['draining', { reason: 'shutting_down' }],
    ]);
    // Browsers lose what they read together with the end.
    expect([socket.isEnding, socket.destroyed]).toEqual([false, false]);
    jest.advanceTimersByTime(200);
    expect([socket.isEnding, socket.destroyed]).toEqual([true, false]);
  });

  test('is told why it ends even while the socket holds bytes back: they are sent before', () => {
    socket.writableNeedDrain = true;
    connection.end('transport_disabled');
    expect(read().messages.map(({ type }) => type)).toEqual(['profile_changed']);
    jest.advanceTimersByTime(200);
    expect([socket.isEnding, socket.destroyed]).toEqual([true, false]);
  });

  test('ends without a word for other reasons, and at once when the client takes nothing any more', () => {
    connection.end('internal');
    expect([socket.writes, socket.isEnding]).toEqual([[], true]);
    socket.destroy();
    connect(false);
    connection.end('slow_consumer');
    expect([socket.writes, socket.isEnding, socket.destroyed]).toEqual([[], false, true]);
  });

  test('a ping is a comment, moves the id along where it may, and counts as a write', () => {
    expect([connection.look(), connection.look()]).toEqual([1, 2]);
    connection.ping(null);
    expect([connection.look(), connection.look()]).toEqual([1, 2]);
    expect([read().comments, read().lastEventId]).toEqual([[' ping'], '']);
    connection.ping('8-0');
    expect([read().messages, read().lastEventId]).toEqual([[], '8-0']);
  });

  test('a ping repeats no id that the client has, whatever it had it from', () => {
    connection.welcome({ ...WELCOME, cursor: '1-0', resumed: true });
    connection.ping('1-0');
    connection.deliver([sliceOf('a', '2-0', 1)], '2-0');
    connection.ping('2-0');
    connection.ping('3-0');
    connection.ping('3-0');
    expect(socket.writes.map(String).filter((text) => text.startsWith(':'))).toEqual([
      ': ping\n\n',
      ': ping\n\n',
      ': ping\nid: 3-0\n\n',
      ': ping\n\n',
    ]);
  });

  test('over HTTP/1.1 every write is one whole chunk, and no last chunk says that the stream is whole', () => {
    connect(true);
    connection.accept();
    connection.welcome(WELCOME);
    connection.deliver([sliceOf('ä', '2-0', 1)], '2-0');
    connection.end('internal');
    for (const bytes of socket.writes) {
      const [size = ''] = bytes.toString('latin1').split('\r\n', 1);
      expect(bytes.length).toBe(size.length + 2 + Number.parseInt(size, 16) + 2);
      expect(bytes.subarray(-4).toString()).toBe('\n\n\r\n');
    }
    expect([socket.writes.length, socket.isEnding]).toEqual([2, true]);
  });
});
