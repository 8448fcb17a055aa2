import { Refusal } from '../../src/core/errors.js';
import type { Place } from '../../src/core/log/place.js';
import {
  BridgeLedger,
  type LeaseAnswer,
  type LeaseRequest,
  type PlacedEvent,
} from '../../src/core/log/bridge-ledger.js';

/** A ledger on a real Redis that is out of reach while the test says so. */
export class HeldLedger extends BridgeLedger {
  reachable = true;
  /** Appends that were refused so far, … */
  refusedAppends = 0;
  /** … and leases that could not be given back. */
  refusedReleases = 0;

  override append(token: string, events: readonly PlacedEvent[]): Promise<boolean | Refusal> {
    if (this.reachable) return super.append(token, events);
    this.refusedAppends += 1;
    return Promise.resolve(new Refusal('log_unavailable', 'away', 50));
  }

  override hold(token: string, request: LeaseRequest): Promise<LeaseAnswer | Refusal> {
    return this.reachable
      ? super.hold(token, request)
      : Promise.resolve(new Refusal('log_unavailable', 'away'));
  }

  override release(token: string, copiedTo: Place | null, leaves: boolean): Promise<Refusal | undefined> {
    if (this.reachable) return super.release(token, copiedTo, leaves);
    this.refusedReleases += 1;
    return Promise.resolve(new Refusal('log_unavailable', 'away'));
  }
}
