import type { ConnectionListener, ConnectionTarget, OpenConnection } from './connection.js';
import { unreachable } from './gateway-error.js';
import { authorization, errorOf, readAnswer, UNCACHED } from './http.js';
import { readSse } from './sse-reader.js';

/**
 * Opens a stream of Server-Sent Events with `fetch`: other than an EventSource it sees statuses and error bodies and can
 * send a token, and it is the same in browsers and in Node.
 */
export const openSse: OpenConnection = (target, listener) => {
  read(target, listener).catch(listener.lost);
  return null;
};

async function read(target: ConnectionTarget, { heard, told }: ConnectionListener): Promise<never> {
  const { url, rooms, cursor, token, signal } = target;
  const address = new URL(url);
  if (rooms?.length) address.searchParams.set('rooms', rooms.join(','));
  // Not the header: for that, a browser would ask a gateway of another origin first.
  if (cursor !== null) address.searchParams.set('lastEventId', cursor);
  // As an EventSource asks: over plain http the gateway takes a page's cookie for a stream by that.
  const headers = { Accept: 'text/event-stream', ...authorization(token) };
  const response = await fetch(address, { ...UNCACHED, headers, signal });
  heard();
  if (!response.ok || response.body === null) throw errorOf(await readAnswer(response));
  const feed = readSse(({ event, data, id }) => {
    told(event === 'message' ? 'events' : event, JSON.parse(data ?? '[]'), id || null);
  });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw unreachable();
    heard();
    feed(decoder.decode(value, { stream: true }));
  }
}
