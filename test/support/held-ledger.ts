import { Refusal } from '../../src/core/errors.js';
import { BridgeLedger, type PlacedEvent } from '../../src/core/log/bridge-ledger.js';

/** A ledger on a real Redis that takes nothing while the test says so. */
export class HeldLedger extends BridgeLedger {
  reachable = true;
  /** Appends that were refused so far. */
  refusedAppends = 0;

  override append(token: string, events: readonly PlacedEvent[]): Promise<boolean | Refusal> {
    if (this.reachable) return super.append(token, events);
    this.refusedAppends += 1;
    return Promise.resolve(new Refusal('log_unavailable', 'away', 50));
  }
}
