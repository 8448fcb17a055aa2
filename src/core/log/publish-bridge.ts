import { Refusal } from '../errors.js';
import { BridgeCopier, type CopierParts } from './bridge-copier.js';
import { PlacedSubscription, type SubscriptionSettings } from './placed-subscription.js';
import { parsePublished } from './published-message.js';

/** How often nodes exchange how far they copied, ms. */
const BEAT_MS = 250;

/** What a {@link PublishBridge} listens to. */
export interface BridgeSettings extends SubscriptionSettings {
  /** Most bytes of an event's data. */
  readonly maxDataBytes: number;
}

/**
 * The role of a node's bridge: it copies at once, copies only what the copying node left for a second, waits for earlier
 * messages that it missed and another node may have, or has no subscription.
 */
export type BridgeRole = 'copying' | 'standing by' | 'coming back' | 'not listening';

/**
 * Copies the messages that publishers `PUBLISH` on Redis channels into the log, in order. Every node listens and copies
 * what is not copied yet; one does so at once.
 */
export class PublishBridge {
  readonly #settings: BridgeSettings;
  readonly #parts: CopierParts;
  readonly #subscription: PlacedSubscription;
  readonly #copier: BridgeCopier;
  #beating: Promise<void> | null = null;
  #endBeat: () => void = () => undefined;
  #closed = false;

  constructor(settings: BridgeSettings, parts: CopierParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#copier = new BridgeCopier(parts);
    this.#subscription = new PlacedSubscription(settings, parts, {
      message: (bytes, channel, room) => {
        this.#take(bytes, channel, room);
      },
      marked: (mark) => {
        this.#copier.mark(mark);
        this.#beat();
      },
      lost: () => {
        this.#copier.break();
        this.#beat();
      },
    });
  }

  /** What it does now. */
  get role(): BridgeRole {
    if (!this.#subscription.listens) return 'not listening';
    if (this.#copier.copies) return 'copying';
    return this.#copier.waits ? 'coming back' : 'standing by';
  }

  /** Begins to listen; goes on by itself after a lost connection. */
  start(): void {
    this.#subscription.start();
    this.#endBeat = this.#parts.clock.every(BEAT_MS, () => {
      this.#beat();
    });
  }

  /** Stops listening, then copies what waits, as far as Redis takes it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endBeat();
    this.#subscription.close();
    await this.#copier.close();
    this.#parts.ledger.close();
  }

  #take(bytes: Buffer, channel: string, room: string | undefined): void {
    const { maxDataBytes } = this.#settings;
    const event = parsePublished(bytes, room, { maxDataBytes, nowMs: this.#parts.clock.now() });
    this.#copier.take(event instanceof Refusal ? { refusal: event, channel } : { event });
  }

  #beat(): void {
    if (this.#beating !== null || this.#closed) return;
    this.#beating = this.#copier.beat(this.#subscription.listens).finally(() => {
      this.#beating = null;
    });
  }
}
