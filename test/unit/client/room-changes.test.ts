import { afterEach, expect, it, jest } from '@jest/globals';
import type { ConnectionListener } from '../../../src/client/connection.js';
import { Emitter } from '../../../src/client/emitter.js';
import { changeRooms } from '../../../src/client/room-changes.js';
import { Stream } from '../../../src/client/stream.js';
import type { StreamNews } from '../../../src/client/stream-parts.js';

afterEach(() => {
  jest.useRealTimers();
});

it('a join that was answered for a session that is gone is done again for the one that has come', async () => {
  jest.useFakeTimers();
  const listeners: ConnectionListener[] = [];
  const asks: { readonly rooms: unknown; answer(rooms: readonly string[]): void }[] = [];
  const news = new Emitter<StreamNews>();
  const transports = { websocket: { path: '/socket.io' }, sse: null };
  const stream = new Stream({
    urls: ['http://one'],
    openers: {
      websocket: (_target, listener) => {
        listeners.push(listener);
        return (_name, rooms) =>
          new Promise((resolve) => {
            asks.push({
              rooms,
              answer: (all) => {
                resolve({ rooms: all });
              },
            });
          });
      },
    },
    profile: { profile: 'WEBSOCKET', transports, control: null, reconnect: { minMs: 10, maxMs: 10 } },
    random: () => 0.5,
    news,
  });
  const welcome = (sessionId: string): void => {
    const said = { sessionId, profile: '', rooms: ['a'], cursor: null, resumed: false, heartbeatMs: 10_000 };
    listeners.at(-1)?.told('welcome', said, null);
  };
  await jest.advanceTimersByTimeAsync(0);
  welcome('first');
  const joined = changeRooms(stream, news, 'join', ['b'], undefined);
  await jest.advanceTimersByTimeAsync(0);
  listeners.at(-1)?.told('profile_changed', {}, null);
  await jest.advanceTimersByTimeAsync(0);
  welcome('second');
  asks[0]?.answer(['a', 'b']);
  await jest.advanceTimersByTimeAsync(0);
  expect(stream.place.rooms).toEqual(['a']);
  await jest.advanceTimersByTimeAsync(2000);
  expect(asks.map(({ rooms }) => rooms)).toEqual([['b'], ['b']]);
  asks[1]?.answer(['a', 'b', 'c']);
  expect(await joined).toEqual(['a', 'b', 'c']);
  expect(stream.place.rooms).toEqual(['a', 'b', 'c']);
  stream.close();
});
