import { Backoff } from './backoff.js';
import type { Ask } from './connection.js';
import { GatewayError, gatewayError, isPassing } from './gateway-error.js';
import { fetchProfile } from './fetch-profile.js';
import { get, tokenOf } from './http.js';
import { isFinal } from './is-final.js';
import { isOnline, listenToPage } from './page-events.js';
import { pause } from './persist.js';
import { type Silence, SilenceWatch } from './silence-watch.js';
import type { LiveSession, StreamParts } from './stream-parts.js';
import { StreamPlace } from './stream-place.js';
import { noAnswer, type StateChange } from './stream-state.js';
import { StreamStatus } from './stream-status.js';
import type { Gap, GatewayEvent, ProfileDocument, RoomState, Transport, Welcome } from './wire.js';

/** What the gateway tells its clients before it ends their streams. */
const NOTICES = ['draining', 'profile_changed', 'token_expired'];
/** Shortest wait before a node is asked again that only says that it goes down, ms. */
const DRAINING_MS = 2000;
/** Longest wait that a gateway, or a proxy before it, may ask for, ms. */
const MAX_WAIT_MS = 300_000;
/** Between two questions for a room's newest values, ms. */
const SHOW_AGAIN_MS = 500;
/** After so long the newest values of a room are taken from a node that still seems to be behind, ms. */
const SHOW_LATE_MS = 10_000;
/** What lived for so long was no failure, ms. */
const STEADY_MS = 1000;

/**
 * One stream of events whatever happens to its connection: asks what the gateway serves, takes that, and when it is lost
 * comes back, carrying the cursor from one wire and one node to the other.
 */
export class Stream {
  /** Where it is: rooms and cursor. */
  readonly place: StreamPlace;
  readonly #parts: StreamParts;
  readonly #backoff: Backoff;
  readonly #status: StreamStatus;
  readonly #watch: SilenceWatch;
  readonly #leavePage: () => void;
  #prefer: Transport;
  #profile: ProfileDocument | undefined;
  /** Counts through the urls. */
  #turn = 0;
  /** Ends the present attempt or connection; what an older one still brings is ignored. */
  #attempt = new AbortController();
  #session: LiveSession | undefined;
  #liveAt = 0;
  /** The transport it was live over last. */
  #liveOver: Transport | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** Connects at once, and stays connected. */
  constructor(parts: StreamParts) {
    const { rooms = [], cursor = null, prefer = 'sse', random = Math.random, urls, news } = parts;
    this.#parts = parts;
    this.#prefer = prefer;
    this.place = new StreamPlace(rooms, cursor, news);
    this.#backoff = new Backoff(random);
    this.#status = new StreamStatus(urls[0] ?? '', news);
    this.#watch = new SilenceWatch((what) => {
      this.#noted(what);
    });
    this.#leavePage = listenToPage(this);
    this.#connect('', null);
  }

  get state(): StateChange {
    return this.#status.now;
  }

  /** The session; undefined while there is none. */
  get session(): LiveSession | undefined {
    return this.#session;
  }

  /** Prefers `transport` where several are on; moves at once when another is in use. */
  use(transport: Transport): void {
    this.#prefer = transport;
    if (this.#profile?.transports[transport] && this.state.transport !== transport) this.#connect('', null);
  }

  /** The page or the machine may have been asleep: comes back at once where the connection can't have lived. */
  wake(): void {
    if (this.#watch.isStale) this.#connectAnew('the page woke up');
  }

  /** The network came or went. */
  networkChanged(): void {
    if (!isOnline() || this.#session === undefined) this.#connectAnew('the network changed');
  }

  /** Ends it for good. */
  close(reason = '', code: string | null = null): void {
    if (this.#status.isClosed) return;
    this.#drop();
    this.#watch.close();
    this.#leavePage();
    this.#status.say({ state: 'closed', transport: null, reason, code, retryInMs: null });
  }

  #noted(what: Silence): void {
    const reason = this.#watch.hasAnswered ? 'the connection fell silent' : noAnswer();
    if (what === 'woke') this.wake();
    else if (what === 'silent') this.#lost(new GatewayError(what, reason));
    else this.#away(reason, null, this.state.transport);
  }

  #connectAnew(reason: string): void {
    this.#backoff.reset();
    this.#connect(reason, null);
  }

  #connect(reason: string, code: string | null, known?: ProfileDocument): void {
    if (this.#status.isClosed) return;
    const signal = this.#drop();
    this.#watch.begin();
    this.#away(reason, code);
    this.#open(signal, known).catch((error: unknown) => {
      if (!signal.aborted) this.#lost(error);
    });
  }

  async #open(signal: AbortSignal, known: ProfileDocument | undefined): Promise<void> {
    const { openers, token: source, query = '' } = this.#parts;
    const { url, reason, code } = this.state;
    const profile = this.#parts.profile ?? known ?? (await fetchProfile(url, signal));
    if (signal.aborted) return;
    this.#learn(profile);
    const token = await tokenOf(source);
    if (signal.aborted) return;
    const other = this.#prefer === 'sse' ? 'websocket' : 'sse';
    const transport = profile.transports[this.#prefer] ? this.#prefer : other;
    const path = profile.transports[transport]?.path;
    const open = openers[transport];
    if (path === undefined || !open) throw new GatewayError('transport_disabled', 'no transport');
    this.#watch.begin();
    this.#away(reason, code, transport);
    let ask: Ask | null = null;
    const { asked: rooms, cursor } = this.place;
    const over = this.#liveOver;
    const from = query && over && over !== transport ? `&from=${over}` : '';
    ask = open(
      { url: url + path + query + from, rooms, cursor, token, signal },
      {
        heard: () => {
          if (!signal.aborted) this.#watch.heard();
        },
        lost: (error) => {
          if (!signal.aborted) this.#lost(error);
        },
        told: (name, value, moved) => {
          if (signal.aborted) return;
          if (name === 'events') this.place.take(value as GatewayEvent[], moved, signal);
          else if (name === 'welcome') this.#welcomed(value as Welcome, transport, { url, ask });
          else this.#told(name, value);
        },
      },
    );
  }

  #told(name: string, value: unknown): void {
    if (name === 'gap') {
      this.place.missed(value as Gap);
      this.#parts.news.emit('gap', value as Gap);
    }
    // These two only a shared worker tells, of the stream that it has.
    else if (name === 'profile') this.#learn(value as ProfileDocument);
    else if (name === 'state') this.#status.say(value as StateChange);
    else if (NOTICES.includes(name)) this.#noticed(name);
  }

  #learn(profile: ProfileDocument): void {
    this.#profile = profile;
    this.#backoff.setBounds(profile.reconnect.minMs, profile.reconnect.maxMs);
    this.#parts.news.emit('profile', profile);
  }

  #welcomed(welcome: Welcome, transport: Transport, at: Omit<LiveSession, 'id'>): void {
    const { news, note } = this.#parts;
    const session = { id: welcome.sessionId, ...at };
    const unknown = this.place.begin(welcome);
    this.#session = session;
    this.#liveAt = Date.now();
    this.#liveOver = transport;
    this.#watch.welcomed(welcome.heartbeatMs);
    this.#status.say({ state: 'live', transport, reason: note?.() ?? '', code: null });
    news.emit('welcome', welcome);
    for (const room of unknown) void this.#show(session, room);
  }

  /** Shows a room's newest values, once the node has them. */
  async #show(session: LiveSession, room: string): Promise<void> {
    const { token } = this.#parts;
    for (const since = Date.now(); this.#session === session; ) {
      try {
        const state = await get<RoomState>(`${session.url}/api/rooms/${room}/state`, { token });
        const isLate = Date.now() - since > SHOW_LATE_MS;
        if (this.#session !== session || this.place.show(state, isLate)) return;
      } catch (error) {
        if (!isPassing(error as GatewayError)) return;
      }
      await pause(SHOW_AGAIN_MS);
    }
  }

  #noticed(notice: string): void {
    const reason = `the gateway said ${notice}`;
    if (this.#session === undefined) {
      // Said to who was never welcomed, it is a refusal; its successor may be there any moment, so that waits do not grow.
      this.#backoff.reset();
      return this.#lost(new GatewayError(notice, reason, { retryAfterMs: DRAINING_MS }));
    }
    if (isFinal(notice, this.#parts.token)) return this.close(reason, notice);
    if (notice === 'draining') this.#turn += 1;
    this.#calm();
    this.#hurry(reason, notice);
  }

  #lost(thrown: unknown): void {
    const { code, message, profile, retryAfterMs } = gatewayError(thrown);
    if (isFinal(code, this.#parts.token)) return this.close(message, code);
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
    const waitMs = Math.min(MAX_WAIT_MS, atLeastMs) + this.#backoff.next();
    this.#away(reason, code, null, waitMs);
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

  #away(
    reason: string,
    code: string | null,
    transport: Transport | null = null,
    retryInMs: number | null = null,
  ): void {
    const { urls } = this.#parts;
    const url = urls[this.#turn % urls.length] ?? '';
    this.#status.away({ transport, url, reason, code, retryInMs });
  }
}
