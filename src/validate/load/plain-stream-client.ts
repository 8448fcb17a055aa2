import { readSse } from '../../client/sse-reader.js';
import type { ClientKind } from '../client-kind.js';
import type { LoadClient, LoadClientParts } from './load-client.js';
import { roomName } from './load-shape.js';
import type { Received } from './received.js';

/** Reads a stream of Server-Sent Events of which each message is one event. */
export class PlainStreamClient implements LoadClient {
  readonly kind: ClientKind = 'sse';
  readonly received: Received;
  readonly #stop = new AbortController();
  #isThere = false;

  constructor({ server, received, refused }: LoadClientParts) {
    this.received = received;
    this.#read(`${server.url}/api/events/stream?rooms=${roomName(received.room)}`).catch((error: unknown) => {
      this.#isThere = false;
      if (!this.#stop.signal.aborted) refused(String(error));
    });
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  close(): void {
    this.#stop.abort();
  }

  async #read(url: string): Promise<void> {
    const { body } = await fetch(url, { signal: this.#stop.signal });
    if (body === null) throw new Error('an answer without a stream');
    this.#isThere = true;
    const take = readSse(({ data }) => {
      if (data !== null) this.received.take((JSON.parse(data) as { data?: unknown }).data);
    });
    const decoder = new TextDecoder();
    for await (const bytes of body) take(decoder.decode(bytes as Uint8Array, { stream: true }));
    throw new Error('the stream ended');
  }
}
