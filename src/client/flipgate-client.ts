import { absolute } from './addresses.js';
import { SDK_NAME } from './client-name.js';
import type { OpenConnection } from './connection.js';
import { askOverHttp, type AskCommand, type ControlOptions, sendCommand } from './control-client.js';
import { GatewayError } from './gateway-error.js';
import { fetchProfile } from './fetch-profile.js';
import type { TokenSource } from './http.js';
import { liveSession } from './live-session.js';
import { isBrowser } from './page-events.js';
import { publishEvents } from './publish-events.js';
import { changeRooms, type RoomChange } from './room-changes.js';
import { openSocketIo } from './socket-io-connection.js';
import { openShared, type Sharing } from './sharing.js';
import { openSse } from './sse-connection.js';
import { Stream } from './stream.js';
import type { StateChange } from './stream-state.js';
import { Subscriber } from './subscriber.js';
import type { NewEvent, ProfileDocument, Transport, Welcome } from './wire.js';

/** What a {@link FlipgateClient} may be told. */
export interface ClientOptions {
  /** Rooms to join. Default: the gateway's default rooms. */
  readonly rooms?: readonly string[];
  /** Sent as `Authorization: Bearer`, and as `auth.token` over Socket.IO; a function is asked anew for each connection. */
  readonly token?: TokenSource;
  /** The transport to take where several are on. Default `sse`. */
  readonly prefer?: Transport;
  /** Goes on from there: kept from an earlier page. */
  readonly cursor?: string;
  /**
   * In browsers: the tabs of this page's origin share one stream, through a shared worker. Its script must be of that
   * origin: `true` takes the gateway's, which then must be at the page's origin, a text is the address of a copy of
   * `client-shared.js` (and `client.js` beside it). Where that can't be, the stream is the tab's own, and its state says so. In Node it
   * means nothing.
   */
  readonly shared?: boolean | string;
}

/**
 * A client of a gateway: one stream of events, over whichever transport is on, whatever happens to it; commands,
 * publications and rooms beside it. In browsers and in Node.
 */
export class FlipgateClient extends Subscriber {
  protected override readonly source: Stream;
  readonly #token: TokenSource | undefined;
  #profile: ProfileDocument | undefined;
  /** One change of rooms after another, so that the last answer says what there is. */
  #changes: Promise<unknown> = Promise.resolve();

  /** Connects at once. Several urls are nodes of one cluster, tried in turn. */
  constructor(url: string | readonly string[], options: ClientOptions = {}) {
    super();
    this.#token = options.token;
    this.news.on('profile', (profile) => {
      this.#profile = profile;
    });
    const urls = [url].flat().map(absolute);
    const { shared, token } = options;
    // In Node there is nobody to share with.
    const script = !isBrowser()
      ? undefined
      : shared === true
        ? `${String(urls[0])}/client-shared.js`
        : shared;
    const sharing: Sharing = { script: script ? absolute(script) : '', urls, token, note: '' };
    const opener = (transport: Transport, open: OpenConnection): OpenConnection =>
      script ? openShared(sharing, transport, open) : open;
    this.source = new Stream({
      ...options,
      urls,
      client: SDK_NAME,
      openers: { sse: opener('sse', openSse), websocket: opener('websocket', openSocketIo) },
      note: () => sharing.note,
      news: this.news,
    });
    this.news.on('welcome', ({ rooms }) => {
      // Who names no room is put into the default ones.
      if (this.source.place.asked?.length === 0) void this.leave(rooms).catch(() => undefined);
    });
  }

  /** The state, and why, as {@link onState} tells it. */
  get stateChange(): StateChange {
    return this.source.state;
  }

  /** The transport in use, or tried; null while there is none. */
  get transport(): Transport | null {
    return this.source.state.transport;
  }

  /** The rooms it is in, or was last. */
  get rooms(): readonly string[] {
    return this.source.place.rooms;
  }

  /** Hears what the gateway says at the beginning of each connection. Returns what takes it back. */
  onWelcome(handler: (welcome: Welcome) => void): () => void {
    return this.news.on('welcome', handler);
  }

  /** Hears what the gateway serves, each time that was learned. Returns what takes it back. */
  onProfile(handler: (profile: ProfileDocument) => void): () => void {
    return this.news.on('profile', handler);
  }

  /**
   * Sends a command, over HTTP, or where that takes none over the websocket; resolves with its result. Tries again, as
   * the same command, on 429 and 503 after the time the gateway names, and on lost connections. Rejects with a
   * {@link GatewayError}: the refusal, the command's failure, or `timeout`.
   */
  control(action: string, data?: unknown, options: ControlOptions = {}): Promise<unknown> {
    return sendCommand(this.#askCommand, action, data, options);
  }

  /**
   * Publishes one event, or 1–1000; resolves with their ids once the log has them. Tries again only where it is certain
   * that nothing was stored. Rejects with a {@link GatewayError}; `unreachable` and `outcome_unknown` mean that it is not known.
   */
  publish(events: NewEvent | readonly NewEvent[]): Promise<readonly string[]> {
    return publishEvents({ url: () => `${this.source.state.url}/api/events`, token: this.#token, events });
  }

  /** Joins rooms, now and whenever it comes back; resolves with all it is in then. */
  join(rooms: string | readonly string[]): Promise<readonly string[]> {
    return this.#change('join', rooms);
  }

  /** Leaves rooms; resolves with those it is in then. */
  leave(rooms: string | readonly string[]): Promise<readonly string[]> {
    return this.#change('leave', rooms);
  }

  /** Prefers a transport, and moves to it at once when it is on. */
  use(transport: Transport): void {
    this.source.use(transport);
  }

  readonly #askCommand: AskCommand = async (request) => {
    const { action, data, idempotencyKey, leftMs, signal } = request;
    const { control } = this.#profile ?? (await fetchProfile(this.source.state.url, SDK_NAME, signal));
    if (control) return askOverHttp(() => this.source.state.url + control.path, this.#token)(request);
    const session = await liveSession(this.source, this.news, leftMs);
    if (session.ask === null) throw new GatewayError('transport_disabled', 'no commands here');
    const body = await session.ask('control', { action, data, idempotencyKey }, leftMs);
    return { status: 0, body };
  };

  #change(change: RoomChange, rooms: string | readonly string[]): Promise<readonly string[]> {
    const done = this.#changes.then(() =>
      changeRooms(this.source, this.news, change, [rooms].flat(), this.#token),
    );
    this.#changes = done.catch(() => undefined);
    return done;
  }
}
