import type { ProfileName, TransportOverrides, Transports } from './profile.js';
import type { Values } from './schema.js';

/** Variables whose effective value depends on others, or on where flipgate is installed. */
type Derived =
  | 'appProfile'
  | 'enableWs'
  | 'enableSse'
  | 'enableControlHttp'
  | 'hostMonitor'
  | 'eventTypesFile'
  | 'legacyEventsFile'
  | 'envFile'
  | 'configDir';

/**
 * The configuration as the rest of flipgate reads it: checked, complete, and in the units the names carry
 * (times in ms, sizes in bytes). What each value does is said where its variable is defined.
 */
export interface Config extends Omit<Values, Derived> {
  /** `APP_PROFILE`. */
  readonly profile: ProfileName;
  /** What is served at the start: the profile's transports, overridden. At least one is on. */
  readonly transports: Transports;
  /** `ENABLE_WS`, `ENABLE_SSE`, `ENABLE_CONTROL_HTTP`: they hold after a flip too. */
  readonly transportOverrides: TransportOverrides;
  /** `HOST_MONITOR`; by default on without Redis. */
  readonly hostMonitor: boolean;
  /** `EVENT_TYPES_FILE`, absolute. */
  readonly eventTypesFile: string;
  /** `LEGACY_EVENTS_FILE`, absolute. */
  readonly legacyEventsFile: string;
  /** `ENV_FILE`, absolute; there may be no such file. */
  readonly envFile: string;
  /** `CONFIG_DIR`, absolute; without it `config/` of the working directory, which need not be there. */
  readonly configDir: string;
}
