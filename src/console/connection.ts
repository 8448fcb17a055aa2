import type { Gap, GatewayEvent, Notice, Welcome } from './wire.js';

/** One open stream, over either wire. */
export interface Connection {
  /** Ends it; its listener hears nothing more. */
  close(): void;
}

/** What a connection tells. After `lost` it tells nothing more. */
export interface ConnectionListener {
  welcomed(welcome: Welcome): void;
  /** `cursor`: everything up to there has arrived; undefined when this bundle does not move it. */
  received(events: GatewayEvent[], cursor: string | undefined): void;
  gapped(gap: Gap): void;
  /** The gateway is about to end this stream, and says why. */
  noticed(notice: Notice): void;
  /** The connection ended or never came about. */
  lost(): void;
}

/** Where a connection goes and what it asks for. */
export interface ConnectionTarget {
  /** The transport's path on the gateway, as discovery named it. */
  readonly path: string;
  /** Rooms to join; none means the gateway's default rooms. */
  readonly rooms: readonly string[];
  /** Where to go on; undefined for a fresh start. Asked each time the wire connects. */
  readonly cursor: () => string | undefined;
}

/** Opens a connection over one wire. Never throws for what the network does: the listener hears `lost`. */
export type OpenConnection = (target: ConnectionTarget, listener: ConnectionListener) => Connection;
