import { type ClientCounts, type ClientKind, forEachKind } from './client-kind.js';
import type { Session, Transport } from './session.js';

/** A number for each kind of client, for each transport. */
export type ClientsByTransport = Readonly<Record<Transport, ClientCounts>>;

/** What a {@link ClientTally} has counted so far. */
export interface ClientReading {
  /** Sessions that are open now. */
  readonly open: ClientsByTransport;
  /** Sessions that began with a cursor, since the process started: their clients had a session before. */
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

  /** A session was taken in; `hasCursor`: it goes on from an earlier one. */
  opened({ transport, outlet }: Session, hasCursor: boolean): void {
    this.#open[transport][outlet.client] += 1;
    if (hasCursor) this.#returned[transport][outlet.client] += 1;
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
