import type { ClientOptions, FlipgateClient } from './flipgate-client.js';
import { GatewayError } from './gateway-error.js';
import type { TokenSource } from './http.js';
import { beginRoom } from './room-beginning.js';
import { SharedTab } from './shared-tab.js';
import { TabTokens } from './tab-tokens.js';
import type { FromTab, FromWorker, PostedError } from './tab-messages.js';
import type { GatewayEvent, Welcome } from './wire.js';

/** How often tabs are told that the worker lives, ms. */
const BEAT_MS = 1000;
/** What a tab's stream takes for a heartbeat, ms: it bears two and a half of them. */
const HEARTBEAT_MS = 4000;
/** A tab that did not answer for so long is dead, or frozen, ms. */
const DEAD_MS = 15_000;
/** For how long events are kept for tabs whose beginning comes from a node that is a moment behind, ms; … */
const RECENT_MS = 2000;
/** … and how many of them. */
const MAX_RECENT = 5000;

type Opening = Extract<FromTab, { name: 'open' }>;
type Question = Extract<FromTab, { name: 'ask' }>;

/** Makes the client that has the stream. */
export type ConnectClient = (urls: readonly string[], options: ClientOptions) => FlipgateClient;

/**
 * The worker's end of a shared stream: one client for all tabs, in all their rooms; each tab hears its own. A tab that comes
 * later gets a beginning of its rooms from the gateway, and then what is newer: nothing is missed between the two.
 */
export class TabHub {
  readonly #connect: ConnectClient;
  readonly #tabs = new Set<SharedTab>();
  readonly #tokens = new TabTokens();
  #client: FlipgateClient | undefined;
  #token: TokenSource | undefined;
  #welcome: Welcome | undefined;
  #epoch: string | undefined;
  /** Who came before the stream was live for the first time. */
  #early: (() => void)[] = [];
  /** The gateway's default rooms, where the stream began with those. */
  #defaultRooms: readonly string[] = [];
  #recent: { readonly event: GatewayEvent; readonly at: number }[] = [];
  #isFlushing = false;

  constructor(connect: ConnectClient) {
    this.#connect = connect;
    setInterval(() => {
      this.#beat();
    }, BEAT_MS);
  }

  /** A tab has come. */
  add(port: MessagePort): void {
    const tab = new SharedTab(port);
    port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => {
      tab.aliveAt = Date.now();
      if (data.name === 'open') this.#open(tab, data);
      else if (data.name === 'close') this.#remove(tab);
      else if (data.name === 'token') this.#tokens.answer(data.id, data.token);
      else if (data.name === 'ask') void this.#answer(tab, data);
    });
    port.start();
  }

  #open(tab: SharedTab, opening: Opening): void {
    const { rooms } = opening;
    if (rooms !== undefined) tab.rooms = new Set(rooms);
    this.#tabs.add(tab);
    if (this.#client === undefined) {
      // The stream's own beginning is the tab's.
      tab.hasBegun = true;
      this.#start(opening);
    } else if (this.#welcome === undefined) {
      this.#early.push(() => void this.#begin(tab, opening));
    } else void this.#begin(tab, opening);
  }

  #start({ urls, rooms, cursor, transport, token }: Opening): void {
    // One that is always the same is told apart, since it can't be had anew once it has expired.
    if (typeof token === 'string') this.#token = token;
    else this.#token = token ? () => this.#tokens.ask(this.#tabs) : undefined;
    const client = this.#connect(urls, {
      ...(rooms === undefined ? {} : { rooms }),
      ...(cursor === null ? {} : { cursor }),
      ...(this.#token === undefined ? {} : { token: this.#token }),
      prefer: transport,
    });
    this.#client = client;
    client.onProfile((value) => {
      this.#tell({ name: 'profile', value });
    });
    client.onGap((value) => {
      // Events that came before it are told before it.
      this.#flush();
      this.#epoch = value.epoch ?? this.#epoch;
      if (value.reason !== 'overflow') this.#beginAnew();
      this.#tell({ name: 'gap', value });
    });
    client.onWelcome((welcome) => {
      this.#welcomed(welcome, rooms === undefined);
    });
    client.onState((value) => {
      if (value.state === 'closed' && value.code !== null) this.#refuse(value.code, value.reason);
      else if (this.#welcome !== undefined || value.state !== 'live') this.#tell({ name: 'state', value });
    });
    client.on('*', (event) => {
      this.#take(event);
    });
  }

  #welcomed(welcome: Welcome, hasDefaultRooms: boolean): void {
    if (this.#welcome === undefined && hasDefaultRooms) {
      this.#defaultRooms = welcome.rooms;
      for (const tab of this.#tabs) tab.rooms ??= new Set(welcome.rooms);
    }
    this.#welcome = welcome;
    this.#epoch = welcome.epoch ?? this.#epoch;
    if (!welcome.resumed) this.#beginAnew();
    for (const tab of this.#tabs) {
      if (tab.hasBegun) this.#tellWelcome(tab, welcome);
    }
    for (const begin of this.#early.splice(0)) begin();
  }

  #beginAnew(): void {
    this.#recent = [];
    for (const tab of this.#tabs) tab.beginAnew();
  }

  #tellWelcome(tab: SharedTab, welcome: Welcome): void {
    tab.tell({
      name: 'welcome',
      value: { ...welcome, rooms: [...(tab.rooms ?? [])], heartbeatMs: HEARTBEAT_MS },
    });
    const state = this.#client?.stateChange;
    if (state !== undefined) tab.tell({ name: 'state', value: state });
  }

  /** Takes a tab into a stream that is under way. */
  async #begin(tab: SharedTab, { cursor, transport }: Opening): Promise<void> {
    const client = this.#client;
    const welcome = this.#welcome;
    if (client === undefined || welcome === undefined || !this.#tabs.has(tab)) return;
    client.use(transport);
    const rooms = [...(tab.rooms ?? this.#defaultRooms)];
    tab.rooms = new Set(rooms);
    for (const room of rooms) tab.await(room, this.#recentOf(room));
    try {
      await this.#join(client, rooms);
    } catch (error) {
      this.#remove(tab);
      // With a stream of its own it may be welcome, and is told why if it isn't.
      return tab.tell({ name: 'unshared', reason: posted(error).message });
    }
    const gateway = {
      url: (): string => client.stateChange.url,
      token: this.#token,
      epoch: () => this.#epoch,
      isWanted: () => this.#tabs.has(tab),
    };
    const beginnings = await Promise.all(rooms.map((room) => beginRoom(gateway, room, cursor)));
    if (!this.#tabs.has(tab)) return;
    const resumed = cursor !== null && beginnings.every(({ isWhole }) => isWhole);
    tab.hasBegun = true;
    this.#tellWelcome(tab, { ...(this.#welcome ?? welcome), cursor: resumed ? cursor : null, resumed });
    if (cursor !== null && !resumed) {
      tab.tell({ name: 'gap', value: { reason: 'shared', dropped: null, cursor: client.cursor ?? '' } });
    }
    rooms.forEach((room, index) => {
      tab.begin(room, beginnings[index]?.events ?? []);
    });
    tab.flush(client.cursor);
  }

  /** Joins those of the rooms in which the stream is not. */
  async #join(client: FlipgateClient, rooms: readonly string[]): Promise<void> {
    const missing = rooms.filter((room) => !client.rooms.includes(room));
    if (missing.length > 0) await client.join(missing);
  }

  /** Leaves those of the rooms in which no tab is any more. */
  async #leave(rooms: Iterable<string>): Promise<void> {
    const unused = [...rooms].filter((room) => ![...this.#tabs].some((tab) => tab.rooms?.has(room)));
    if (unused.length > 0) await this.#client?.leave(unused);
  }

  async #answer(tab: SharedTab, { id, what, value }: Question): Promise<void> {
    const answer = await this.#do(tab, what, value).catch((error: unknown) => ({ error: posted(error) }));
    tab.tell({ name: 'answer', id, value: answer });
  }

  async #do(tab: SharedTab, what: string, value: unknown): Promise<unknown> {
    const client = this.#client;
    if (client === undefined) throw new GatewayError('closed', 'the shared stream is closed');
    if (what === 'control') {
      const { action, data, idempotencyKey } = value as {
        action: string;
        data: unknown;
        idempotencyKey: string;
      };
      return { status: 'succeeded', result: await client.control(action, data, { idempotencyKey }) };
    }
    const rooms = value as readonly string[];
    if (what === 'join') {
      const fresh = rooms.filter((room) => tab.rooms?.has(room) !== true);
      const shared = fresh.filter((room) => client.rooms.includes(room));
      // Of a room that is new to the stream, the newest values come by the stream.
      for (const room of fresh) tab.rooms?.add(room);
      for (const room of shared) tab.await(room, this.#recentOf(room));
      await this.#join(client, fresh);
      for (const room of shared) void this.#show(tab, client, room);
    } else {
      for (const room of rooms) tab.leave(room);
      await this.#leave(rooms);
    }
    return { rooms: [...(tab.rooms ?? [])] };
  }

  async #show(tab: SharedTab, client: FlipgateClient, room: string): Promise<void> {
    const gateway = {
      url: (): string => client.stateChange.url,
      token: this.#token,
      epoch: () => this.#epoch,
      isWanted: () => this.#tabs.has(tab) && tab.rooms?.has(room) === true,
    };
    const { events } = await beginRoom(gateway, room, null);
    tab.begin(room, events);
    tab.flush(client.cursor);
  }

  #take(event: GatewayEvent): void {
    const now = Date.now();
    this.#recent.push({ event, at: now });
    while (this.#recent.length > MAX_RECENT || (this.#recent[0]?.at ?? now) < now - RECENT_MS)
      this.#recent.shift();
    for (const tab of this.#tabs) tab.take(event);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // By then the whole bundle has come, and the cursor with it.
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #recentOf(room: string): GatewayEvent[] {
    return this.#recent.map(({ event }) => event).filter((event) => event.room === room);
  }

  #flush(): void {
    for (const tab of this.#tabs) tab.flush(this.#client?.cursor ?? null);
  }

  #beat(): void {
    for (const tab of this.#tabs) {
      tab.tell({ name: 'heard' });
      if (Date.now() - tab.aliveAt > DEAD_MS) this.#remove(tab);
    }
    this.#flush();
  }

  #tell(message: FromWorker): void {
    for (const tab of this.#tabs) tab.tell(message);
  }

  #refuse(code: string, message: string): void {
    this.#tell({ name: 'lost', error: { code, message, retryable: false, retryAfterMs: null } });
    this.#tabs.clear();
    this.#end();
  }

  #remove(tab: SharedTab): void {
    if (!this.#tabs.delete(tab)) return;
    if (this.#tabs.size === 0) this.#end();
    else void this.#leave(tab.rooms ?? []).catch(() => undefined);
  }

  #end(): void {
    this.#client?.close();
    this.#client = this.#welcome = this.#epoch = undefined;
    this.#early = [];
    this.#recent = [];
  }
}

function posted(error: unknown): PostedError {
  const { code, message, retryable, retryAfterMs } =
    error instanceof GatewayError ? error : new GatewayError('internal', String(error));
  return { code, message, retryable, retryAfterMs };
}
