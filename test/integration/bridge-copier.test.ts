import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { BridgeCopier } from '../../src/core/log/bridge-copier.js';
import {
  BridgeLedger,
  type BridgeReport,
  type BridgeView,
  type CopyAnswer,
  type CopyRequest,
} from '../../src/core/log/bridge-ledger.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { silentLogger } from '../support/silent-logger.js';
import { TurnedClock } from '../support/turned-clock.js';

/** A ledger as another node would have left it: that one copied the interval of mark 1 up to `copiedTo`. */
class OthersLedger extends BridgeLedger {
  copiedTo = 0;
  readonly requests: CopyRequest[] = [];

  constructor() {
    super({ url: testRedisUrl(), stream: `test-${randomUUID()}`, maxEvents: 100 }, silentLogger);
  }

  override sync(_token: string, _report: BridgeReport): Promise<BridgeView> {
    const progress = new Map([[1, this.copiedTo]]);
    return Promise.resolve({ copier: 'other', oldestElsewhere: 1, progress, wasLost: false });
  }

  override copy(_token: string, request: CopyRequest): Promise<CopyAnswer> {
    this.requests.push(request);
    const to = Math.max(this.copiedTo, ...request.messages.map(({ count }) => count));
    const from = this.copiedTo;
    this.copiedTo = to;
    return Promise.resolve({ outcome: 'copied', isCopier: true, from, to, late: 0, error: undefined });
  }
}

describe('a BridgeCopier that stands by', () => {
  let ledger: OthersLedger;
  afterEach(() => {
    ledger.close();
  });

  test('leaves copying to a node that is behind but gets on, and takes over when it does not', async () => {
    ledger = new OthersLedger();
    const clock = new TurnedClock();
    const copier = new BridgeCopier({ ledger, clock, logger: silentLogger, counters: new Counters() });
    copier.mark(1);
    const event = { type: 'x', room: undefined, key: undefined, dataJson: '1', timestamp: 1 };
    for (let n = 0; n < 100; n += 1) copier.take({ event });
    const beats = async (count: number, perBeat: number): Promise<void> => {
      for (let beat = 0; beat < count; beat += 1) {
        clock.advance(250);
        ledger.copiedTo += perBeat;
        await copier.beat(true);
      }
    };
    await beats(20, 3);
    expect(ledger.requests).toEqual([]);
    await beats(3, 0);
    expect(ledger.requests).toEqual([]);
    await beats(2, 0);
    expect(ledger.requests.map(({ messages, takesOver }) => [messages[0]?.count, takesOver])).toEqual([
      [61, true],
    ]);
  });
});
