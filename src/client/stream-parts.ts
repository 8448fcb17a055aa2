import type { Ask, OpenConnection } from './connection.js';
import type { Emitter } from './emitter.js';
import type { TokenSource } from './http.js';
import type { StateChange } from './stream-state.js';
import type { Gap, GatewayEvent, ProfileDocument, Transport, Welcome } from './wire.js';

/** What a stream tells, by name. */
export interface StreamNews {
  state: StateChange;
  /** What the gateway serves was learned anew. */
  profile: ProfileDocument;
  welcome: Welcome;
  /** A new event; what a resume repeats has been left out. */
  event: GatewayEvent;
  gap: Gap;
}

/** What a stream is made of. */
export interface StreamParts {
  /** Addresses of nodes of one cluster, tried in turn. */
  readonly urls: readonly string[];
  /** Rooms to join; none: the gateway's default rooms. */
  readonly rooms?: readonly string[];
  readonly token?: TokenSource;
  /** The name it gives itself to the gateway, as a query; default: none. */
  readonly query?: string;
  /** Where to go on; undefined begins anew. */
  readonly cursor?: string;
  /** The transport to take where several are on. Default `sse`. */
  readonly prefer?: Transport;
  /** Gives what is said of a stream that is live; default: nothing. */
  readonly note?: () => string;
  readonly openers: Readonly<Partial<Record<Transport, OpenConnection>>>;
  /** What is served, where that need not be asked. */
  readonly profile?: ProfileDocument;
  /** Gives numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number;
  readonly news: Emitter<StreamNews>;
}

/** A session that is live. */
export interface LiveSession {
  readonly id: string;
  /** The url it is at. */
  readonly url: string;
  /** Asks over its connection; null where that only listens. */
  readonly ask: Ask | null;
}
