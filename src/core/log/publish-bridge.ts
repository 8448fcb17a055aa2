import { Refusal } from '../errors.js';
import { BridgeTurn, type TurnParts } from './bridge-turn.js';
import type { Place } from './place.js';
import { PlacedSubscription, type SubscriptionSettings } from './placed-subscription.js';
import { parsePublished } from './published-message.js';
import { RefusedEvents } from './refused-events.js';

/** How often the lease is asked for or renewed, ms. */
const BEAT_MS = 250;

/** What a {@link PublishBridge} listens to. */
export interface BridgeSettings extends SubscriptionSettings {
  readonly maxDataBytes: number;
}

/**
 * What a node's bridge does: copies, stands by with the last seconds in memory, leaves copying to others for a while since
 * it missed something, or has no subscription.
 */
export type BridgeRole = 'copying' | 'standing by' | 'coming back' | 'not listening';

/**
 * Copies what existing publishers `PUBLISH` on Redis channels into the log, in order. Every node listens; the one that
 * holds the lease copies, the others keep what it has not copied yet, and whoever takes over goes on from there.
 */
export class PublishBridge {
  readonly #settings: BridgeSettings;
  readonly #parts: TurnParts;
  readonly #subscription: PlacedSubscription;
  readonly #turn: BridgeTurn;
  readonly #refused: RefusedEvents;
  #beating: Promise<void> | null = null;
  #endBeat: () => void = () => undefined;
  #closed = false;

  constructor(settings: BridgeSettings, parts: TurnParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#refused = new RefusedEvents('PUBLISH', parts);
    this.#turn = new BridgeTurn(parts);
    this.#subscription = new PlacedSubscription(settings, parts, {
      message: (text, room, place) => {
        this.#take(text, room, place);
      },
      marked: (mark, isFirst) => {
        if (isFirst) this.#turn.hearFrom(mark);
        this.#beat();
      },
      lost: (place) => {
        this.#turn.missAfter(place);
      },
    });
  }

  /** What it does now. */
  get role(): BridgeRole {
    if (!this.#subscription.listens) return 'not listening';
    if (this.#turn.holds) return 'copying';
    return this.#turn.isWhole ? 'standing by' : 'coming back';
  }

  /** Begins to listen; goes on by itself after a lost connection. */
  start(): void {
    this.#subscription.start();
    this.#endBeat = this.#parts.clock.every(BEAT_MS, () => {
      this.#beat();
    });
  }

  /** Stops listening, then copies what waits, as far as Redis takes it, and gives the lease back. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endBeat();
    const { place } = this.#subscription;
    this.#subscription.close();
    await this.#turn.close(place);
    this.#parts.ledger.close();
  }

  #take(text: string, room: string | undefined, place: Place): void {
    const { maxDataBytes } = this.#settings;
    const event = parsePublished(text, room, { maxDataBytes, nowMs: this.#parts.clock.now() });
    // Every node sees what is no event; one counts it.
    if (event instanceof Refusal) {
      if (this.#turn.holds) this.#refused.note(event);
    } else this.#turn.take(event, place);
  }

  #beat(): void {
    if (this.#beating !== null || this.#closed) return;
    this.#beating = this.#subscription
      .keepAlive(this.#turn.holds)
      .then(() => this.#turn.beat(this.#subscription.place))
      .finally(() => {
        this.#beating = null;
      });
  }
}
