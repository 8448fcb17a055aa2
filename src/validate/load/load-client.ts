import type { ClientKind } from '../client-kind.js';
import type { LoadServer } from './messages.js';
import type { Received } from './received.js';

/** A client that is connected for its load. */
export interface LoadClient {
  readonly kind: ClientKind;
  readonly received: Received;
  /** Connected, and in its room. */
  readonly isThere: boolean;
  close(): void;
}

/** What a client is made of. */
export interface LoadClientParts {
  readonly server: LoadServer;
  readonly received: Received;
  /** Is told of each connection that ended, and each attempt that came to nothing, with a reason in a few words. */
  readonly refused: (reason: string) => void;
}
