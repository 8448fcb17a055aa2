import { isLoopback } from './address.js';
import { servesNothing, transportsFor } from './profile.js';
import type { Values } from './schema.js';

/** What is wrong between variables, each of which is good by itself. */
export interface Conflict {
  /** The variable to change, as the configuration names it. */
  readonly key: keyof Values;
  /** What would do. */
  readonly remedy: string;
}

/** Finds what is wrong between variables; a variable that is bad by itself is left out of `values`. */
export function crossCheck(values: Partial<Values>): Conflict[] {
  return [flushInterval, listenAddress, origins, tokens, previousSecret, defaultRooms, transports]
    .map((check) => check(values))
    .filter((conflict) => conflict !== undefined);
}

type Check = (values: Partial<Values>) => Conflict | undefined;

const flushInterval: Check = ({ flushIntervalMs, monitorTickMs }) => {
  if (flushIntervalMs === undefined || monitorTickMs === undefined) return undefined;
  if (flushIntervalMs >= monitorTickMs) return undefined;
  return { key: 'flushIntervalMs', remedy: `at least MONITOR_TICK_MS, ${String(monitorTickMs)} ms` };
};

const listenAddress: Check = ({ host, allowInsecure, authMode }) => {
  if (host === undefined || allowInsecure === undefined || authMode === undefined) return undefined;
  if (authMode === 'token' || allowInsecure || isLoopback(host)) return undefined;
  const remedy =
    'clients are not authenticated: AUTH_MODE=token, a loopback address (127.0.0.1, ::1, localhost), or ALLOW_INSECURE=true';
  return { key: 'host', remedy };
};

const origins: Check = ({ corsOrigins, allowInsecure, authMode }) => {
  if (corsOrigins === undefined || allowInsecure === undefined || authMode === undefined) return undefined;
  if (authMode === 'token' || allowInsecure || !corsOrigins.includes('*')) return undefined;
  const remedy =
    'clients are not authenticated, so every web page that a user of this machine opens could publish, send commands and flip: list origins by name, or set AUTH_MODE=token, or ALLOW_INSECURE=true';
  return { key: 'corsOrigins', remedy };
};

const tokens: Check = (values) => {
  if (values.authMode !== 'token' || !TOKEN_KEYS.every((key) => key in values)) return undefined;
  if (TOKEN_KEYS.some((key) => values[key] !== undefined)) return undefined;
  const remedy =
    'none, or token together with API_KEYS, API_KEYS_FILE, JWT_SECRET, JWT_PUBLIC_KEY_FILE or JWT_JWKS_URL: else nobody could be let in';
  return { key: 'authMode', remedy };
};

const TOKEN_KEYS = ['apiKeys', 'apiKeysFile', 'jwtSecret', 'jwtPublicKeyFile', 'jwtJwksUrl'] as const;

const previousSecret: Check = (values) => {
  if (values.jwtSecretPrevious === undefined || !('jwtSecret' in values)) return undefined;
  if (values.jwtSecret !== undefined) return undefined;
  return { key: 'jwtSecretPrevious', remedy: 'none, or set JWT_SECRET to the secret that signs new tokens' };
};

const defaultRooms: Check = ({ defaultRooms: rooms, maxRoomsPerSession }) => {
  if (rooms === undefined || maxRoomsPerSession === undefined) return undefined;
  if (rooms.length <= maxRoomsPerSession) return undefined;
  return {
    key: 'maxRoomsPerSession',
    remedy: `at least ${String(rooms.length)}, as many as DEFAULT_ROOMS has`,
  };
};

const transports: Check = (values) => {
  const { appProfile } = values;
  const everyOneIsGood = TRANSPORT_KEYS.every((key) => key in values);
  if (appProfile === undefined || !everyOneIsGood) return undefined;
  const { enableWs: websocket, enableSse: sse, enableControlHttp: control } = values;
  if (!servesNothing(transportsFor(appProfile, { websocket, sse, control }))) return undefined;
  const remedy = `nothing would be served under ${appProfile}: ENABLE_WS, ENABLE_SSE or ENABLE_CONTROL_HTTP must be on`;
  return { key: 'enableControlHttp', remedy };
};

const TRANSPORT_KEYS = ['enableWs', 'enableSse', 'enableControlHttp'] as const;
