import { Agent } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import { systemClock } from '../../core/clock.js';
import { type ConnectionFaults, ConnectionLedger } from '../ledger/connection-ledger.js';
import type { Stretch } from '../ledger/fault-numbers.js';
import { ValueLedger } from '../ledger/value-ledger.js';
import { CALM, CALM_TYPE, readDrillData, VALUE_TYPE, VALUES } from '../publish/drill-event.js';
import type { Accountable } from './fault-tally.js';
import { Handover } from './handover.js';
import type { LoadRecord } from './load-record.js';

/** A page of the old: the stock Socket.IO client with its defaults, which knows one URL and has no cursor. */
export class LegacyClient implements Accountable {
  /** What it got of the calm stream. */
  readonly calm = new ConnectionLedger();
  readonly values = new ValueLedger(VALUES);
  readonly #socket: Socket;

  /** `address`: what it connects from; undefined: what the system takes. */
  constructor(url: string, address: string | undefined, record: LoadRecord) {
    const handover = new Handover('legacy', systemClock, (interruption) => {
      record.interrupted(interruption);
    });
    this.#socket = io(url, { forceNew: true, ...(address === undefined ? {} : { agent: agentOf(address) }) });
    this.#socket.on('connect', () => {
      handover.began();
    });
    this.#socket.on('disconnect', () => {
      handover.ended();
      this.calm.broke();
      this.values.begin();
    });
    this.#socket.on('connect_error', (error) => {
      const { what, reason } = attemptOf(error);
      record.happened({ kind: 'legacy', at: Date.now(), what, reason });
    });
    this.#socket.on(CALM_TYPE, (data: unknown) => {
      const read = readDrillData(data);
      if (read === undefined) return;
      record.delivered('legacy');
      handover.event();
      this.calm.note(read.n);
    });
    this.#socket.on(VALUE_TYPE, (data: unknown) => {
      const read = readDrillData(data);
      if (read?.key === undefined) return;
      record.delivered('legacy');
      handover.event();
      this.values.note(read.key, read.n);
    });
  }

  get isConnected(): boolean {
    return this.#socket.connected;
  }

  faults(publisher: string, stretch: Stretch): ConnectionFaults {
    if (publisher === CALM) return this.calm.faults(stretch);
    return { ...this.values.faults(publisher, stretch), missed: [] };
  }

  close(): void {
    this.#socket.disconnect();
  }
}

/** Connections from this address, kept as the system's own agent keeps them. */
function agentOf(localAddress: string): string {
  // In Node.js the client hands it to http.request; its types know browsers only.
  return new Agent({ keepAlive: true, localAddress }) as unknown as string;
}

/** What came of an attempt to connect, by the client's own error: the status of an answer, or the system's code. */
function attemptOf(error: Error): { readonly what: 'refused' | 'off'; readonly reason: string } {
  const { description, context } = error as Error & { description?: unknown; context?: unknown };
  if (description === 404) return { what: 'off', reason: 'transport off' };
  if (typeof description === 'number' && description > 0) {
    return { what: 'refused', reason: `HTTP ${String(description)}` };
  }
  const { statusText } = (context ?? {}) as { statusText?: unknown };
  const { code } = (statusText ?? {}) as { code?: unknown };
  return { what: 'refused', reason: typeof code === 'string' ? code : error.message };
}
