import type { Caller } from '../../src/core/auth/caller.js';
import { Rights, type RightsSpec } from '../../src/core/auth/rights.js';

/** A caller that may do everything. */
export function freeCaller(id = 'address:10.0.0.1'): Caller {
  return { id, rights: Rights.ALL, expiresAt: null, isKnown: false };
}

/** A caller with a key or token, that may do only this. */
export function keyCaller(id: string, rights: Partial<RightsSpec>, expiresAt: number | null = null): Caller {
  const spec = { subscribe: [], publish: [], command: [], admin: [], ...rights };
  return { id, rights: new Rights(spec), expiresAt, isKnown: true };
}
