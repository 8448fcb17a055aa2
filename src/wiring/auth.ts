import { type Authenticator, OpenDoor } from '../core/auth/authenticator.js';
import type { ConfigFaults } from '../core/config/fault.js';
import type { Base } from './base.js';

/** Who finds out who clients are, as `AUTH_MODE` says; faults of keys, files and rights come back as such. */
export async function openAuth(base: Base): Promise<Authenticator | ConfigFaults> {
  if (base.config.authMode === 'none') return new OpenDoor();
  const { openTokens } = await import('./tokens.js');
  return openTokens(base);
}
