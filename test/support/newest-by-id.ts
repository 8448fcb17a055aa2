import type { Received, WireEvent } from './wire-client.js';

/**
 * What a client of its own does with what it was sent, by the rule of PROTOCOL.md, "Doubles and older values", word for word and
 * with nothing of the SDK.
 */
export class NewestById {
  /** The events that were applied, in order. */
  readonly applied: WireEvent[] = [];
  readonly #newest = new Map<string, readonly [ms: bigint, sequence: bigint]>();
  #epoch: string | undefined;

  /** Something came. */
  take(received: Received): void {
    if (received.kind === 'welcome') this.#enter(received.welcome.epoch);
    else if (received.kind === 'gap') {
      if (received.gap.reason === 'unknown_cursor') this.#newest.clear();
      this.#enter(received.gap.epoch);
    } else if (received.kind === 'events') for (const event of received.events) this.#apply(event);
  }

  #enter(epoch: string): void {
    if (epoch !== this.#epoch) this.#newest.clear();
    this.#epoch = epoch;
  }

  #apply(event: WireEvent): void {
    const thing = JSON.stringify([event.room, event.type, event.key ?? null]);
    const [ms = 0n, sequence = 0n] = event.id.split('-').map(BigInt);
    const newest = this.#newest.get(thing);
    if (newest !== undefined && (ms < newest[0] || (ms === newest[0] && sequence <= newest[1]))) return;
    this.#newest.set(thing, [ms, sequence]);
    this.applied.push(event);
  }
}
