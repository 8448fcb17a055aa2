import { Refusal } from '../../src/core/errors.js';
import {
  BridgeLedger,
  type BridgeReport,
  type BridgeView,
  type CopyAnswer,
  type CopyRequest,
} from '../../src/core/log/bridge-ledger.js';

/** A ledger on a real Redis that is out of reach while the test says so. */
export class HeldLedger extends BridgeLedger {
  reachable = true;
  /** Requests to copy so far. */
  copies = 0;
  /** Those that were refused here. */
  refusedCopies = 0;
  /** Messages of the request that was refused last. */
  refusedMessages = 0;

  override copy(token: string, request: CopyRequest): Promise<CopyAnswer | Refusal> {
    this.copies += 1;
    if (this.reachable) return super.copy(token, request);
    this.refusedCopies += 1;
    this.refusedMessages = request.messages.length;
    return Promise.resolve(new Refusal('log_unavailable', 'away', 50));
  }

  override sync(token: string, report: BridgeReport): Promise<BridgeView | Refusal> {
    return this.reachable
      ? super.sync(token, report)
      : Promise.resolve(new Refusal('log_unavailable', 'away'));
  }

  override leave(token: string): Promise<Refusal | undefined> {
    return this.reachable ? super.leave(token) : Promise.resolve(new Refusal('log_unavailable', 'away'));
  }
}
