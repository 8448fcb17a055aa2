import { io } from 'socket.io-client';
import { waitUntil } from './wait-until.js';
import { type RoomsAnswer, type Wire, type WireClient, WireRecord, WireRefused } from './wire-client.js';

/** The stock Socket.IO client that asks for bundles, over one of its transports; it names its cursor as it returns. */
export function bundleWire(transport: 'websocket' | 'polling'): Wire {
  return {
    name: `Socket.IO bundle over ${transport}`,
    transport: 'websocket',
    comesBack: true,
    connect: (url, { rooms, cursor }) => {
      const got = new WireRecord(cursor ?? null);
      const socket = io(url, {
        transports: [transport],
        forceNew: true,
        reconnectionDelay: 100,
        auth: (done) => done({ bundle: true, rooms, lastEventId: got.cursor ?? undefined }),
      });
      socket.io.on('ping', () => {
        got.heartbeats += 1;
      });
      socket.on('disconnect', () => {
        got.losses += 1;
      });
      socket.on('events', (events, cursor) => got.add({ kind: 'events', events, cursor }));
      socket.on('gap', (gap) => got.add({ kind: 'gap', gap }));
      for (const name of ['draining', 'profile_changed'] as const) {
        socket.on(name, ({ reason }) => got.add({ kind: 'notice', name, reason }));
      }
      const change = (name: string, rooms: unknown): Promise<RoomsAnswer> =>
        socket.timeout(5000).emitWithAck(name, rooms);
      return new Promise((resolve, reject) => {
        socket.on('welcome', (welcome) => {
          got.add({ kind: 'welcome', welcome });
          resolve(client);
        });
        socket.on('connect_error', (error: Error & { data?: { error?: never } }) => {
          if (error.data?.error === undefined) return;
          socket.disconnect();
          reject(new WireRefused(error.data.error));
        });
        const client: WireClient = {
          got,
          join: (rooms) => change('join', rooms),
          leave: (rooms) => change('leave', rooms),
          close: async () => {
            socket.disconnect();
            await waitUntil(() => socket.io.engine.readyState === 'closed', 'the client to close');
          },
        };
      });
    },
  };
}
