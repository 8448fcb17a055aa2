import type { Backoff } from './backoff.js';
import type { Connection, ConnectionListener, OpenConnection } from './connection.js';
import type { Profile, Transport } from './profile.js';
import { SeenIds } from './seen-ids.js';
import type { Gap, GatewayEvent, Notice, Welcome } from './wire.js';

/** How the stream is: not yet there, there, or lost and on its way back. */
export type StreamState = 'connecting' | 'live' | 'reconnecting';

/** What a stream tells the page. */
export interface StreamListener {
  /** `detail` says why, for people; empty when there is nothing to say. */
  stateChanged(state: StreamState, detail: string): void;
  profileLearned(profile: Profile): void;
  /** The transport in use; undefined while there is none. */
  transportChanged(transport: Transport | undefined): void;
  welcomed(welcome: Welcome): void;
  /** New events only, in order; what a resume repeats has been left out. */
  received(events: readonly GatewayEvent[]): void;
  gapped(gap: Gap): void;
  noticed(notice: Notice): void;
}

/** What a stream is made of. */
export interface StreamParts {
  /** Rooms to join; none means the gateway's default rooms. */
  readonly rooms: readonly string[];
  readonly listener: StreamListener;
  readonly openers: Readonly<Record<Transport, OpenConnection>>;
  /** Asks the gateway what it serves; rejects when it cannot tell. */
  readonly discover: () => Promise<Profile>;
  readonly backoff: Backoff;
}

/** ms a connection may take to say welcome before it counts as lost. */
const WELCOME_TIMEOUT_MS = 15_000;
/** A resume repeats at most what one flush held; this is far more. */
const SEEN_IDS = 5000;

/**
 * One stream of events whatever happens to its transport: it asks the gateway what is on, takes that, and when it is
 * lost asks again, carrying the cursor from one wire to the other.
 */
export class EventStream {
  readonly #parts: StreamParts;
  readonly #seen = new SeenIds(SEEN_IDS);
  #wasLive = false;
  #preferred: Transport = 'sse';
  #current: Transport | undefined;
  #connection: Connection | undefined;
  #cursor: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Which attempt is the present one; what an older one still brings is ignored. */
  #attempt = 0;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Connects, and stays connected from then on. */
  start(): void {
    void this.#connect();
  }

  /** Prefers `transport` where several are on; moves at once when another is in use. */
  prefer(transport: Transport): void {
    this.#preferred = transport;
    if (this.#current === transport) return;
    this.#drop();
    this.#parts.listener.stateChanged(this.#wasLive ? 'reconnecting' : 'connecting', '');
    void this.#connect();
  }

  /** Asks what the gateway serves, without touching the connection: after a profile changed. */
  async refreshProfile(): Promise<void> {
    try {
      this.#learn(await this.#parts.discover());
    } catch {
      // Not reachable now: the loss of the connection says so, and asks again.
    }
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt;
    let profile: Profile;
    try {
      profile = await this.#parts.discover();
    } catch {
      if (attempt === this.#attempt) this.#retry('the gateway does not answer');
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#learn(profile);
    const transport = this.#choose(profile);
    const path = transport === undefined ? undefined : profile.paths[transport];
    if (transport === undefined || path === undefined) {
      this.#retry('no transport is on');
      return;
    }
    this.#current = transport;
    this.#parts.listener.transportChanged(transport);
    const target = { path, rooms: this.#parts.rooms, cursor: () => this.#cursor };
    this.#timer = setTimeout(() => {
      this.#retry('no welcome came');
    }, WELCOME_TIMEOUT_MS);
    this.#connection = this.#parts.openers[transport](target, this.#listen(attempt));
  }

  #choose(profile: Profile): Transport | undefined {
    if (profile.paths[this.#preferred] !== undefined) return this.#preferred;
    if (profile.paths.sse !== undefined) return 'sse';
    return profile.paths.websocket === undefined ? undefined : 'websocket';
  }

  #listen(attempt: number): ConnectionListener {
    const { listener, backoff } = this.#parts;
    return {
      welcomed: (welcome) => {
        if (attempt !== this.#attempt) return;
        clearTimeout(this.#timer);
        backoff.reset();
        this.#wasLive = true;
        // A first welcome is a place to resume from; later ones must not jump over what is still to come.
        this.#cursor ??= welcome.cursor;
        this.#parts.listener.stateChanged('live', '');
        listener.welcomed(welcome);
      },
      received: (events, cursor) => {
        if (attempt !== this.#attempt) return;
        const fresh = events.filter((event) => this.#seen.add(event.id));
        if (cursor !== undefined) this.#cursor = cursor;
        if (fresh.length > 0) listener.received(fresh);
      },
      gapped: (gap) => {
        if (attempt === this.#attempt) listener.gapped(gap);
      },
      noticed: (notice) => {
        if (attempt === this.#attempt) listener.noticed(notice);
      },
      lost: () => {
        if (attempt === this.#attempt) this.#retry('the connection was lost');
      },
    };
  }

  #learn(profile: Profile): void {
    this.#parts.backoff.setBounds(profile.reconnect.minMs, profile.reconnect.maxMs);
    this.#parts.listener.profileLearned(profile);
  }

  #retry(reason: string): void {
    this.#drop();
    const waitMs = this.#parts.backoff.next();
    const when =
      waitMs < 1000 ? 'asking again now' : `asking again in ${String(Math.round(waitMs / 1000))} s`;
    this.#parts.listener.stateChanged(this.#wasLive ? 'reconnecting' : 'connecting', `${reason}, ${when}`);
    this.#timer = setTimeout(() => {
      void this.#connect();
    }, waitMs);
  }

  #drop(): void {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#connection = undefined;
    this.#current = undefined;
    this.#parts.listener.transportChanged(undefined);
  }
}
