import type { Gap, Welcome } from '../../src/core/delivery/outlet.js';
import { parseCursor } from '../../src/core/log/cursor.js';
import type { ErrorBody } from '../../src/core/errors.js';

/** An event as bundles carry it. */
export interface WireEvent {
  readonly id: string;
  readonly type: string;
  readonly room: string;
  readonly key?: string;
  readonly data: unknown;
  readonly timestamp: number;
}

/** One thing a client was sent. */
export type Received =
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'events'; readonly events: readonly WireEvent[]; readonly cursor: string | null }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'notice'; readonly name: string; readonly reason: unknown };

/** Everything a client was sent, in order, over however many connections. */
export class WireRecord {
  readonly all: Received[] = [];
  /** What the client would resume from; null while it was told nothing. */
  cursor: string | null;
  /** Signs of life without content. */
  heartbeats = 0;
  /** Times the connection was lost. */
  losses = 0;

  constructor(cursor: string | null) {
    this.cursor = cursor;
  }

  add(received: Received): void {
    this.all.push(received);
    if (received.kind === 'events' && received.cursor !== null) this.cursor = received.cursor;
  }

  /** The id up to which it has everything; undefined while it was told nothing. */
  get cursorId(): string | undefined {
    return parseCursor(this.cursor ?? '')?.id;
  }

  get welcomes(): readonly Welcome[] {
    return this.all.flatMap((one) => (one.kind === 'welcome' ? [one.welcome] : []));
  }

  get gaps(): readonly Gap[] {
    return this.all.flatMap((one) => (one.kind === 'gap' ? [one.gap] : []));
  }

  /** Why it was told to come back: `draining` or `profile_changed`, and the reason, in order. */
  get notices(): readonly { readonly name: string; readonly reason: unknown }[] {
    return this.all.flatMap((one) => (one.kind === 'notice' ? [{ name: one.name, reason: one.reason }] : []));
  }

  get drainings(): readonly unknown[] {
    return this.notices.filter(({ name }) => name === 'draining').map(({ reason }) => reason);
  }

  /** All events, as they came, doubles included. */
  get events(): readonly WireEvent[] {
    return this.all.flatMap((one) => (one.kind === 'events' ? one.events : []));
  }

  get ids(): readonly string[] {
    return this.events.map(({ id }) => id);
  }

  /** The data of all events of a room. */
  dataOf(room: string): readonly unknown[] {
    return this.events.filter((event) => event.room === room).map(({ data }) => data);
  }
}

/** What a request about rooms is answered with. */
export type RoomsAnswer = { readonly rooms: readonly string[] } | ErrorBody;

/** One connected client, whatever its wire. */
export interface WireClient {
  readonly got: WireRecord;
  join(rooms: unknown): Promise<RoomsAnswer>;
  leave(rooms: unknown): Promise<RoomsAnswer>;
  /** Resolves once nothing of the connection is left. */
  close(): Promise<void>;
}

/** How a client connects. */
export interface WireOptions {
  /** None: the default rooms. */
  readonly rooms?: readonly string[];
  readonly cursor?: string;
}

/** A way to be a client: a wire and the library that speaks it. */
export interface Wire {
  readonly name: string;
  readonly transport: 'websocket' | 'sse';
  /** Whether the client comes back by itself after its connection was lost. */
  readonly comesBack: boolean;
  /** Resolves once welcomed; rejects with {@link WireRefused}. */
  connect(url: string, options: WireOptions): Promise<WireClient>;
}

/** The gateway would not have the client. */
export class WireRefused extends Error {
  constructor(readonly error: ErrorBody['error']) {
    super(`refused: ${error.code}`);
  }
}
