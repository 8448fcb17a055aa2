import { Emitter } from './emitter.js';
import type { StreamNews } from './stream-parts.js';
import type { ClientState, StateChange } from './stream-state.js';
import type { Gap, GatewayEvent } from './wire.js';

/** What the news come from. */
export interface Source {
  readonly state: StateChange;
  readonly place: { readonly cursor: string | null };
  close(): void;
}

/** What everything that has a stream of events offers. */
export abstract class Subscriber {
  protected readonly news = new Emitter<StreamNews>();
  protected abstract readonly source: Source;

  get state(): ClientState {
    return this.source.state.state;
  }

  /** Everything up to there has come, in all rooms; null before the first. To be kept, and given to a later client. */
  get cursor(): string | null {
    return this.source.place.cursor;
  }

  /** Hears the events of a type, or all of them (`*`). Returns what takes it back. */
  on(type: string, handler: (event: GatewayEvent) => void): () => void {
    return this.news.on('event', (event) => {
      if (type === '*' || type === event.type) handler(event);
    });
  }

  /** Hears each change of state, and at once the present one. Returns what takes it back. */
  onState(handler: (change: StateChange) => void): () => void {
    handler(this.source.state);
    return this.news.on('state', handler);
  }

  /** Hears of each stretch of events that could not be given. Returns what takes it back. */
  onGap(handler: (gap: Gap) => void): () => void {
    return this.news.on('gap', handler);
  }

  /** Ends it for good. */
  close(): void {
    this.source.close();
  }
}
