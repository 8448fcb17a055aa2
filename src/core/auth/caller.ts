import type { Principal } from '../command.js';
import type { Rights } from './rights.js';

/** A principal at the door: with what it may do, and until when. */
export interface Caller extends Principal {
  readonly rights: Rights;
  /** When what it showed expires, epoch ms; null: never. */
  readonly expiresAt: number | null;
  /** True when it showed a key or a token: its id then is its own, and nobody else's. */
  readonly isKnown: boolean;
}

/** Whether two callers are one client, as far as can be known: identified callers by their id; anonymous ones always. */
export function isSameClient(one: Caller, other: Caller): boolean {
  return one.isKnown || other.isKnown ? one.id === other.id : true;
}
