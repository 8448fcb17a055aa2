import { BridgeLedger } from './bridge-ledger.js';
import type { TurnParts } from './bridge-turn.js';
import { type BridgeRole, PublishBridge } from './publish-bridge.js';
import type { SubscriptionSettings } from './placed-subscription.js';
import type { NewEvent } from '../event.js';
import type { Shards } from './shards.js';
import { streamKey } from './stream-key.js';

/** What {@link PublishBridges} listen to, and where they copy it. */
export interface PublishBridgesSettings extends SubscriptionSettings {
  readonly keyPrefix: string;
  readonly shards: Shards;
  /** Entries each stream keeps, approximately. */
  readonly maxEvents: number;
  /** How long a lease lasts without renewal, ms. */
  readonly leaseMs: number;
  readonly maxDataBytes: number;
}

/** Roles, the first that one of several bridges has is told of all. */
const ROLES: readonly BridgeRole[] = ['not listening', 'coming back', 'copying', 'standing by'];

/**
 * A bridge for each shard of the log: what says how far copying got must be in one place with the stream. Each hears all
 * that is published, and copies the events that have a room in its shard.
 */
export class PublishBridges {
  readonly #bridges: readonly PublishBridge[];
  #closed = false;

  /** @param parts What each works with. @param roomsOf The rooms an event goes to. */
  constructor(
    settings: PublishBridgesSettings,
    parts: Omit<TurnParts, 'ledger'>,
    roomsOf: (event: NewEvent) => readonly string[],
  ) {
    const { shards, keyPrefix } = settings;
    this.#bridges = Array.from({ length: shards.count }, (_, shard) => {
      const stream = streamKey(keyPrefix, shards, shard);
      const ledger = new BridgeLedger({ ...settings, stream }, parts.logger);
      const takes = (event: NewEvent): boolean =>
        shards.count === 1 || roomsOf(event).some((room) => shards.ofRoom(room) === shard);
      return new PublishBridge({ ...settings, takes, countsRefused: shard === 0 }, { ...parts, ledger });
    });
  }

  /** What they do now; of several that do different things, what needs attention first. */
  get role(): BridgeRole {
    const roles = new Set(this.#bridges.map(({ role }) => role));
    return ROLES.find((role) => roles.has(role)) ?? 'not listening';
  }

  /** Begins to listen; no effect once closed. */
  start(): void {
    if (!this.#closed) for (const bridge of this.#bridges) bridge.start();
  }

  /** Stops all, each having copied what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#bridges.map((bridge) => bridge.close()));
  }
}
