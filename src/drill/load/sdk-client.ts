import { FlipgateClient, type StateChange, type Transport } from '../../client/index.js';
import { systemClock } from '../../core/clock.js';
import type { ConnectionFaults } from '../ledger/connection-ledger.js';
import type { Stretch } from '../ledger/fault-numbers.js';
import { SequenceLedger } from '../ledger/sequence-ledger.js';
import { ValueLedger } from '../ledger/value-ledger.js';
import { BUSY_ROOM, CALM_ROOM, readDrillData, STREAMS, VALUES } from '../publish/drill-event.js';
import type { Accountable } from './fault-tally.js';
import { Handover } from './handover.js';
import type { LoadRecord } from './load-record.js';

/** A client of the SDK, and what it was given: it has a cursor, so everything has to come. */
export class SdkClient implements Accountable {
  /** What it got, by publisher of `append` events. */
  readonly streams: ReadonlyMap<string, SequenceLedger> = new Map(
    STREAMS.map((name) => [name, new SequenceLedger()]),
  );
  readonly values = new ValueLedger(VALUES);
  readonly #client: FlipgateClient;
  readonly #record: LoadRecord;
  readonly #handover: Handover;
  #isLive = false;

  constructor(urls: readonly string[], prefer: Transport, record: LoadRecord) {
    this.#record = record;
    this.#handover = new Handover('sdk', systemClock, (interruption) => {
      record.interrupted(interruption);
    });
    this.#client = new FlipgateClient(urls, { rooms: [BUSY_ROOM, CALM_ROOM], prefer });
    this.#client.on('*', ({ data }) => {
      this.#take(data);
    });
    this.#client.onState((change) => {
      this.#changed(change);
    });
    this.#client.onWelcome(() => {
      this.#handover.began();
    });
    this.#client.onGap(({ reason }) => {
      record.happened({ kind: 'sdk', at: systemClock.now(), what: 'gap', reason });
    });
  }

  /** The transport it is connected over; null while it is not. */
  get transport(): Transport | null {
    return this.#client.state === 'live' ? this.#client.transport : null;
  }

  faults(publisher: string, stretch: Stretch): ConnectionFaults {
    const faults = this.streams.get(publisher)?.faults(stretch) ?? this.values.faults(publisher, stretch);
    return { ...faults, missed: [] };
  }

  close(): void {
    this.#client.close();
  }

  #take(data: unknown): void {
    const read = readDrillData(data);
    if (read === undefined) return;
    this.#record.delivered('sdk');
    this.#handover.event();
    if (read.key === undefined) this.streams.get(read.by)?.note(read.n);
    else this.values.note(read.key, read.n);
  }

  #changed({ state, code, reason, transport, retryInMs }: StateChange): void {
    if (state === 'live') {
      this.#isLive = true;
      return;
    }
    if (this.#isLive) {
      this.#isLive = false;
      this.#handover.ended();
      return;
    }
    // An attempt that came to nothing has it wait, or where the transport is off, try the other at once.
    const isOff = code === 'transport_disabled' && transport === null;
    if (retryInMs === null && !isOff) return;
    const what = isOff ? 'off' : 'refused';
    const why = code === null ? reason : `${code} (${reason})`;
    this.#record.happened({ kind: 'sdk', at: systemClock.now(), what, reason: why });
  }
}
