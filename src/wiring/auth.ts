import { type Authenticator, OpenDoor } from '../core/auth/authenticator.js';
import type { Config } from '../core/config/config.js';
import type { ConfigFaults } from '../core/config/fault.js';
import type { Base } from './base.js';

/** Who finds out who clients are. */
export interface OpenedAuth {
  readonly authenticator: Authenticator;
  /**
   * The API keys of `config` count from now on. Returns the ids of callers that were let in by others, or with other rights;
   * faults, and then nothing has changed. Undefined where there are none.
   */
  readonly takeKeys?: (config: Config) => ReadonlySet<string> | ConfigFaults;
}

/** As `AUTH_MODE` says; faults of keys, files and rights come back as such. */
export async function openAuth(base: Base): Promise<OpenedAuth | ConfigFaults> {
  if (base.config.authMode === 'none') return { authenticator: new OpenDoor() };
  const { openTokens } = await import('./tokens.js');
  return openTokens(base);
}
