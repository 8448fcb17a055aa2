import type { Emitter } from './emitter.js';
import { isOnline } from './page-events.js';
import type { StreamNews } from './stream-parts.js';
import type { StateChange } from './stream-state.js';
import type { Transport } from './wire.js';

/** What a stream is up to, and says of it. */
export class StreamStatus {
  readonly #news: Emitter<StreamNews>;
  #wasLive = false;
  #now: StateChange;

  constructor(url: string, news: Emitter<StreamNews>) {
    this.#news = news;
    this.#now = { state: 'connecting', transport: null, url, reason: '', code: null, retryInMs: null };
  }

  get now(): StateChange {
    return this.#now;
  }

  get isClosed(): boolean {
    return this.#now.state === 'closed';
  }

  /** There is no live connection. */
  away(change: Omit<StateChange, 'state'>): void {
    const state = this.#wasLive ? 'reconnecting' : 'connecting';
    this.say({ ...change, state: isOnline() ? state : 'offline' });
  }

  live(transport: Transport, reason: string): void {
    this.#wasLive = true;
    this.say({ ...this.#now, state: 'live', transport, reason, code: null });
  }

  closed(reason: string, code: string | null): void {
    this.say({ ...this.#now, state: 'closed', transport: null, reason, code, retryInMs: null });
  }

  /** Says it as it is; where nothing changed, nothing is said. */
  say(change: StateChange): void {
    const last = this.#now;
    this.#now = change;
    if (JSON.stringify(last) !== JSON.stringify(change)) this.#news.emit('state', change);
  }
}
