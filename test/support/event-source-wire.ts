import { EventSource } from 'eventsource';
import { changeRooms, recordMessage, streamUrl } from './sse-request.js';
import { type Wire, WireRecord, WireRefused } from './wire-client.js';

const NAMES = ['message', 'welcome', 'gap', 'draining', 'profile_changed'] as const;

/** The stock EventSource of Node, which reconnects by itself with the id it was given last. */
export const eventSourceWire: Wire = {
  name: 'SSE by eventsource',
  transport: 'sse',
  comesBack: true,
  connect: (url, options) => {
    const got = new WireRecord(options.cursor ?? null);
    const address = streamUrl(url, options);
    if (options.cursor !== undefined) address.searchParams.set('lastEventId', options.cursor);
    let refused: WireRefused | undefined;
    const source = new EventSource(address, {
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (response.status !== 200) refused = new WireRefused((await response.json()).error);
        const { status, headers, redirected } = response;
        return { status, headers, redirected, url: response.url, body: countPings(response, got) };
      },
    });
    return new Promise((resolve, reject) => {
      for (const name of NAMES) {
        source.addEventListener(name, ({ data, lastEventId }: MessageEvent) => {
          recordMessage(got, name, String(data), lastEventId === '' ? null : lastEventId);
          if (name === 'welcome') resolve(client);
        });
      }
      source.addEventListener('error', () => {
        got.losses += 1;
        if (refused !== undefined) reject(refused);
      });
      const client = {
        got,
        join: (join: unknown) => changeRooms(url, got, { join }),
        leave: (leave: unknown) => changeRooms(url, got, { leave }),
        close: () => {
          source.close();
          return Promise.resolve();
        },
      };
    });
  },
};

/** The body, with its pings counted on the way: EventSource shows nobody a comment. */
function countPings(response: Response, got: WireRecord): ReadableStream<Uint8Array> | null {
  if (response.status !== 200 || response.body === null) return null;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      got.heartbeats += Buffer.from(chunk).toString().split('\n: ping').length - 1;
      if (Buffer.from(chunk).toString().startsWith(': ping')) got.heartbeats += 1;
      controller.enqueue(chunk);
    },
  });
  return response.body.pipeThrough(count);
}
