/** Where a connection goes and what it asks for. */
export interface ConnectionTarget {
  /** The transport's address, such as `https://gateway.example/api/events/stream`. */
  readonly url: string;
  /** Rooms to join; undefined: the gateway's default rooms. */
  readonly rooms: readonly string[] | undefined;
  /** Where to go on; null begins anew. */
  readonly cursor: string | null;
  readonly token: string | undefined;
  /** What the client calls itself; undefined: nothing. */
  readonly client: string | undefined;
  /** Ends the connection. What it still tells means nothing. */
  readonly signal: AbortSignal;
}

/** What a connection tells, until its signal is aborted. */
export interface ConnectionListener {
  /** Something came from the gateway. */
  readonly heard: () => void;
  /**
   * A message: `welcome`, `events`, `gap` or a notice, the same over all wires. `cursor`: with it, everything up to there
   * has come; null where it did not move.
   */
  readonly told: (name: string, value: unknown, cursor: string | null) => void;
  /** The connection ended, was refused (a {@link GatewayError}), or never came about. */
  readonly lost: (thrown: unknown) => void;
}

/** Asks the gateway something over the connection itself, waiting for the answer for at most so many ms. */
export type Ask = (name: string, value: unknown, timeoutMs: number) => Promise<unknown>;

/** Opens a connection over one wire; returns how to ask something over it, or null where its wire only listens. */
export type OpenConnection = (target: ConnectionTarget, listener: ConnectionListener) => Ask | null;
