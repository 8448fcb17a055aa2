import { type ClientCounts, type ClientKind, forEachKind } from './client-kind.js';
import type { Session, Transport } from './session.js';

/** A number for each kind of client, for each transport. */
export type ClientsByTransport = Readonly<Record<Transport, ClientCounts>>;

/** The counts of a {@link ClientTally} so far. */
export interface ClientReading {
  /** Sessions that are open now. */
  readonly open: ClientsByTransport;
  /** Sessions of clients that came with a cursor from another transport, since the process started. */
  readonly returned: ClientsByTransport;
  /** Sessions that were ended because their transport was turned off, since the process started. */
  readonly turnedOff: ClientCounts;
}

type Count = Record<ClientKind, number>;

/** Counts the sessions of this process by the kind of their clients. */
export class ClientTally {
  readonly #open: Record<Transport, Count> = { websocket: zeros(), sse: zeros() };
  readonly #returned: Record<Transport, Count> = { websocket: zeros(), sse: zeros() };
  readonly #turnedOff: Count = zeros();

  /** A session was taken in; `from`: the transport of the one that it goes on from, as its client says, unchecked. */
  opened({ transport, outlet }: Session, from: unknown): void {
    this.#open[transport][outlet.client] += 1;
    const hasSwitched = from !== transport && (from === 'websocket' || from === 'sse');
    if (hasSwitched) this.#returned[transport][outlet.client] += 1;
  }

  /** A session is gone. */
  closed({ transport, outlet }: Session): void {
    this.#open[transport][outlet.client] -= 1;
  }

  /** A session is ended because its transport was turned off. */
  turnedOff({ outlet }: Session): void {
    this.#turnedOff[outlet.client] += 1;
  }

  /** Sessions that are open now. */
  open(): ClientsByTransport {
    return copyOf(this.#open);
  }

  /** Everything that was counted so far. */
  read(): ClientReading {
    return { open: this.open(), returned: copyOf(this.#returned), turnedOff: { ...this.#turnedOff } };
  }
}

function zeros(): Count {
  return forEachKind(() => 0);
}

function copyOf({ websocket, sse }: ClientsByTransport): ClientsByTransport {
  return { websocket: { ...websocket }, sse: { ...sse } };
}
