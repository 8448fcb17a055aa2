import type { OpenConnection } from './connection.js';
import { NOTICES, readEvents, readGap, readWelcome } from './wire.js';

/**
 * Opens an event stream with the browser's EventSource. Its own reconnecting is not used: a gateway that was flipped
 * answers 404, after which an EventSource is closed for good, so every loss goes back to discovery instead.
 * Source: WHATWG HTML, "Server-sent events".
 */
export const openSseConnection: OpenConnection = (target, listener) => {
  const url = new URL(target.path, location.href);
  const cursor = target.cursor();
  if (target.rooms.length > 0) url.searchParams.set('rooms', target.rooms.join(','));
  if (cursor !== undefined) url.searchParams.set('lastEventId', cursor);
  const source = new EventSource(url);

  const on = (name: string, take: (data: unknown, lastEventId: string) => void): void => {
    source.addEventListener(name, (message: MessageEvent<string>) => {
      take(parse(message.data), message.lastEventId);
    });
  };
  on('message', (data, lastEventId) => {
    listener.received(readEvents(data), lastEventId === '' ? undefined : lastEventId);
  });
  on('welcome', (data) => {
    listener.welcomed(readWelcome(data));
  });
  on('gap', (data) => {
    listener.gapped(readGap(data));
  });
  for (const notice of NOTICES) {
    on(notice, () => {
      listener.noticed(notice);
    });
  }
  source.addEventListener('error', () => {
    source.close();
    listener.lost();
  });
  return {
    close: () => {
      source.close();
    },
  };
};

/** JSON, or undefined for what is none: a reader of unknown fields then finds nothing in it. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
