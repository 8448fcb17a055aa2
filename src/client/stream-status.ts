import type { Emitter } from './emitter.js';
import { isOnline } from './page-events.js';
import type { StreamNews } from './stream-parts.js';
import type { StateChange } from './stream-state.js';

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

  /** Says what has changed; where nothing has, nothing is said. */
  say(change: Partial<StateChange>): void {
    const last = this.#now;
    this.#now = { ...last, ...change };
    if (this.#now.state === 'live') this.#wasLive = true;
    if (JSON.stringify(last) !== JSON.stringify(this.#now)) this.#news.emit('state', this.#now);
  }

  /** There is no live connection. */
  away(change: Omit<StateChange, 'state'>): void {
    const state = this.#wasLive ? 'reconnecting' : 'connecting';
    this.say({ ...change, state: isOnline() ? state : 'offline' });
  }
}
