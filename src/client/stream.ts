import { Backoff } from './backoff.js';
import type { Ask } from './connection.js';
import { GatewayError, unreachable } from './gateway-error.js';
import { tokenOf } from './http.js';
import { JoinedRooms } from './joined-rooms.js';
import { isOnline, listenToPage } from './page-events.js';
import { SeenEvents } from './seen-events.js';
import { SilenceWatch } from './silence-watch.js';
import type { LiveSession, StreamParts } from './stream-parts.js';
import { NO_ANSWER, type StateChange } from './stream-state.js';
import type { Gap, GatewayEvent, ProfileDocument, Transport, Welcome } from './wire.js';

/** Codes with which a stream is refused for good. Source: core/errors.ts, `stay_away`. */
const STAY_AWAY = ['bad_request', 'invalid_room', 'too_many_rooms', 'origin_not_allowed'];
/** What the gateway tells its clients before it ends their streams. */
const NOTICES: Readonly<Record<string, string>> = {
  draining: 'the gateway closes its connections',
  profile_changed: 'the profile changed',
  token_expired: 'the token expired',
};
/** What lived for so long was no failure, ms. */
const STEADY_MS = 1000;

/**
 * One stream of events whatever happens to its connection: asks what the gateway serves, takes that, and when it is lost
 * comes back, carrying the cursor from one wire and one node to the other.
 */
export class Stream {
  readonly #parts: StreamParts;
  readonly #backoff: Backoff;
  readonly #watch: SilenceWatch;
  readonly #leavePage: () => void;
  readonly #seen = new SeenEvents();
  readonly #joined = new JoinedRooms();
  #prefer: Transport;
  #profile: ProfileDocument | undefined;
  /** Rooms to ask for; undefined: the gateway's default rooms. */
  #asked: readonly string[] | undefined;
  #rooms: readonly string[];
  #cursor: string | null;
  #turn = 0;
  /** Ends the present attempt or connection; what an older one still brings is ignored. */
  #attempt = new AbortController();
  #session: LiveSession | undefined;
  #liveAt = 0;
  #wasLive = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting = new Set<() => void>();
  #state: StateChange;

  /** Connects at once, and stays connected. */
  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
    this.#prefer = parts.prefer ?? 'sse';
    this.#rooms = parts.rooms ?? [];
    if (this.#rooms.length > 0) this.#asked = this.#rooms;
    this.#cursor = parts.cursor ?? null;
    this.#state = {
      state: 'connecting',
      transport: null,
      url: this.#urlInTurn,
      reason: '',
      code: null,
      retryInMs: null,
    };
    this.#watch = new SilenceWatch({
      hinted: () => {
        this.#sayAway(NO_ANSWER, null, this.#state.transport);
      },
      silent: (hasAnswered) => {
        this.#lost(new GatewayError('silent', hasAnswered ? 'the connection fell silent' : NO_ANSWER));
      },
      woke: () => {
        this.wake();
      },
    });
    this.#leavePage = listenToPage(this);
    this.#connect('', null);
  }

  get state(): StateChange {
    return this.#state;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  /** The rooms it is in, or was last. */
  get rooms(): readonly string[] {
    return this.#rooms;
  }

  /** Prefers `transport` where several are on; moves at once when another is in use. */
  use(transport: Transport): void {
    this.#prefer = transport;
    const isOn = (this.#profile?.transports[transport] ?? null) !== null;
    if (isOn && this.#state.transport !== transport) this.#connect('', null);
  }

  /** The page or the machine may have been asleep: comes back at once where the connection can't have lived. */
  wake(): void {
    if (this.#watch.isStale) this.#connectAnew('the page woke up');
  }

  /** The network came or went. */
  networkChanged(): void {
    if (!isOnline() || this.#session === undefined) this.#connectAnew('the network changed');
  }

  /** The session, once it is live. Rejects when the stream is closed before, or it takes longer. */
  live(timeoutMs: number): Promise<LiveSession> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new GatewayError('timeout', 'the stream is not live'));
      }, timeoutMs);
      const look = (): void => {
        const isClosed = this.#state.state === 'closed';
        if (this.#session === undefined && !isClosed) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        if (this.#session === undefined) reject(new GatewayError('closed', 'the client is closed'));
        else resolve(this.#session);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The session is about to join these rooms: those it does not have begin anew. */
  joining(rooms: readonly string[]): void {
    for (const room of rooms) {
      if (this.#rooms.includes(room)) continue;
      this.#seen.forget(room);
      this.#joined.add(room);
    }
  }

  /** The rooms the session has now; to be asked for when it comes back. */
  roomsChanged(rooms: readonly string[]): void {
    this.#asked = rooms;
    this.#rooms = rooms;
  }

  /** Ends it for good. */
  close(reason = '', code: string | null = null): void {
    if (this.#state.state === 'closed') return;
    this.#drop();
    this.#watch.close();
    this.#leavePage();
    this.#say({ ...this.#state, state: 'closed', transport: null, reason, code, retryInMs: null });
    this.#wakeWaiting();
  }

  #connectAnew(reason: string): void {
    this.#backoff.reset();
    this.#connect(reason, null);
  }

  #connect(reason: string, code: string | null, known?: ProfileDocument): void {
    if (this.#state.state === 'closed') return;
    const signal = this.#drop();
    this.#watch.begin();
    this.#sayAway(reason, code);
    this.#open(signal, known).catch((error: unknown) => {
      if (!signal.aborted) this.#lost(error instanceof GatewayError ? error : unreachable(String(error)));
    });
  }

  async #open(signal: AbortSignal, known: ProfileDocument | undefined): Promise<void> {
    const { openers, gateway, news, token: source } = this.#parts;
    const { url } = this.#state;
    const profile = known ?? (await gateway.profileAt(url, signal));
    if (signal.aborted) return;
    this.#learn(profile);
    const token = await tokenOf(source);
    if (signal.aborted) return;
    const transport = this.#choose(profile);
    const path = profile.transports[transport]?.path;
    const open = openers[transport];
    if (path === undefined || open === undefined) {
      throw new GatewayError('transport_disabled', 'no transport is on');
    }
    this.#watch.begin();
    this.#sayAway(this.#state.reason, this.#state.code, transport);
    let ask: Ask | null = null;
    const whileOpen =
      <A extends unknown[]>(task: (...values: A) => void) =>
      (...values: A): void => {
        if (!signal.aborted) task(...values);
      };
    const target = { url: url + path, rooms: this.#asked, cursor: this.#cursor, token, signal };
    ask = open(target, {
      heard: whileOpen(() => {
        this.#watch.heard();
      }),
      lost: whileOpen((error) => {
        this.#lost(error);
      }),
      told: whileOpen((name, value, cursor) => {
        if (name === 'events') this.#received(value as GatewayEvent[], cursor, signal);
        else if (name === 'welcome') this.#welcomed(value as Welcome, transport, { url, ask });
        else if (name === 'gap') news.emit('gap', value as Gap);
        else if (name === 'profile') this.#learn(value as ProfileDocument);
        else if (name === 'state') this.#say(value as StateChange);
        else this.#noticed(name);
      }),
    });
  }

  #learn(profile: ProfileDocument): void {
    this.#profile = profile;
    this.#backoff.setBounds(profile.reconnect.minMs, profile.reconnect.maxMs);
    this.#parts.news.emit('profile', profile);
  }

  #choose({ transports }: ProfileDocument): Transport {
    const other = this.#prefer === 'sse' ? 'websocket' : 'sse';
    return transports[this.#prefer] === null ? other : this.#prefer;
  }

  #welcomed(welcome: Welcome, transport: Transport, at: Omit<LiveSession, 'id'>): void {
    const { news, note } = this.#parts;
    const session = { id: welcome.sessionId, ...at };
    const joined = this.#joined.names;
    if (!welcome.resumed) {
      // It begins anew: the node may be a moment behind, and what comes after the older values is no double.
      this.#seen.forget();
      this.#joined.clear();
    }
    this.#rooms = welcome.rooms;
    this.#wasLive = true;
    this.#session = session;
    this.#liveAt = Date.now();
    this.#watch.welcomed(welcome.heartbeatMs);
    this.#say({
      ...this.#state,
      state: 'live',
      transport,
      reason: note?.() ?? '',
      code: null,
      retryInMs: null,
    });
    news.emit('welcome', welcome);
    this.#wakeWaiting();
    if (welcome.resumed) for (const room of joined) void this.#fill(session, room);
  }

  /** Shows the values of a room that was joined since the cursor was given, which the node would take for known. */
  async #fill(session: LiveSession, room: string): Promise<void> {
    const events = await this.#parts.gateway.stateOf(session.url, room).catch(() => []);
    if (this.#session !== session) return;
    // Not noted as seen: an older value of the same thing may still be on its way, and then this one comes after it.
    for (const event of events) if (!this.#seen.has(room, event.id)) this.#parts.news.emit('event', event);
  }

  #received(events: readonly GatewayEvent[], cursor: string | null, signal: AbortSignal): void {
    // Over SSE, who names no room is in the default rooms.
    const hasNoRoom = this.#asked?.length === 0;
    for (const event of hasNoRoom ? [] : events) {
      if (signal.aborted) return;
      if (this.#seen.add(event.room, event.id)) this.#parts.news.emit('event', event);
    }
    if (cursor === null) return;
    this.#cursor = cursor;
    this.#seen.settle();
    this.#joined.settle();
  }

  #noticed(notice: string): void {
    const reason = NOTICES[notice];
    if (reason === undefined) return;
    // Said to who was never welcomed, it is a refusal.
    if (this.#session === undefined) return this.#lost(new GatewayError(notice, reason));
    if (notice === 'draining') this.#turn += 1;
    this.#calm();
    this.#hurry(reason, notice);
  }

  #lost(error: GatewayError): void {
    const { code, message, profile, retryAfterMs } = error;
    if (STAY_AWAY.includes(code)) return this.close(message, code);
    this.#calm();
    if (profile !== null) return this.#hurry(message, code, profile);
    this.#turn += 1;
    this.#wait(message, code, retryAfterMs ?? 0);
  }

  /** What has lived for a while was no failure. */
  #calm(): void {
    if (this.#session !== undefined && Date.now() - this.#liveAt > STEADY_MS) this.#backoff.reset();
  }

  /** Comes back at once: the server has spread its clients. */
  #hurry(reason: string, code: string, known?: ProfileDocument): void {
    if (this.#backoff.mayHurry()) this.#connect(reason, code, known);
    else this.#wait(reason, code, 0);
  }

  #wait(reason: string, code: string, atLeastMs: number): void {
    this.#drop();
    this.#watch.rest();
    const waitMs = atLeastMs + this.#backoff.next();
    this.#sayAway(reason, code, null, waitMs);
    this.#retry = setTimeout(() => {
      this.#connect(reason, code);
    }, waitMs);
  }

  /** Ends what there is; returns the signal of what comes next. */
  #drop(): AbortSignal {
    clearTimeout(this.#retry);
    this.#session = undefined;
    this.#attempt.abort();
    this.#attempt = new AbortController();
    return this.#attempt.signal;
  }

  get #urlInTurn(): string {
    const { urls } = this.#parts;
    return urls[this.#turn % urls.length] ?? '';
  }

  #wakeWaiting(): void {
    for (const look of this.#waiting) look();
  }

  #sayAway(
    reason: string,
    code: string | null,
    transport: Transport | null = null,
    retryInMs: number | null = null,
  ): void {
    const away = this.#wasLive ? 'reconnecting' : 'connecting';
    const state = isOnline() ? away : 'offline';
    this.#say({ state, transport, url: this.#urlInTurn, reason, code, retryInMs });
  }

  #say(change: StateChange): void {
    const last = this.#state;
    this.#state = change;
    if (JSON.stringify(last) !== JSON.stringify(change)) this.#parts.news.emit('state', change);
  }
}
