import type { ProfileName, Transports } from '../../core/config/profile.js';
import { Refusal } from '../../core/errors.js';

/** Where Socket.IO is served. */
export const WEBSOCKET_PATH = '/socket.io';
/** Where streams of Server-Sent Events are served. */
export const SSE_PATH = '/api/events/stream';
/** Where commands are taken. */
export const CONTROL_PATH = '/api/control';
/** Shortest and longest pause of a client between two attempts to connect, ms. */
const RECONNECT_MS = { min: 1000, max: 30_000 };

/** What this process serves now. */
export interface Served {
  readonly profile: ProfileName;
  readonly transports: Transports;
  /** ms over which returning clients spread. */
  readonly reconnectJitterMs: number;
}

/** The body of `GET /api/profile`: which transports are on, and where. */
export interface ProfileDocument {
  readonly profile: ProfileName;
  readonly transports: {
    readonly websocket: { readonly path: string } | null;
    readonly sse: { readonly path: string } | null;
  };
  readonly control: { readonly path: string } | null;
  /** How to come back after a lost connection: exponential pauses between these, ms, plus random jitter. */
  readonly reconnect: { readonly minMs: number; readonly maxMs: number; readonly jitterMs: number };
}

/** Describes what is served. */
export function profileDocument(served: Served): ProfileDocument {
  const { websocket, sse, control } = served.transports;
  return {
    profile: served.profile,
    transports: {
      websocket: websocket ? { path: WEBSOCKET_PATH } : null,
      sse: sse ? { path: SSE_PATH } : null,
    },
    control: control ? { path: CONTROL_PATH } : null,
    reconnect: { minMs: RECONNECT_MS.min, maxMs: RECONNECT_MS.max, jitterMs: served.reconnectJitterMs },
  };
}

/** The stock client, which pages load as a script from below {@link WEBSOCKET_PATH}, and its source map. */
const CLIENT_SCRIPT = /^\/socket\.io\/socket\.io(\.esm)?(\.min)?\.js(\.map)?$/;
/** Paths that pages read by programs of theirs, never as a script, an image or a style. In any letter case, as Express has it. */
const DATA = /^\/(api|socket\.io|metrics)(\/|$)/i;

/** True for two spellings of one path, as Express has it: letter case and a slash at the end make no difference. */
export function isSamePath(path: string, mount: string): boolean {
  return path.replace(/\/$/, '').toLowerCase() === mount;
}

/** True for the path of Engine.IO, and for the scripts of the stock client. What else is below it is not there. */
export function isSocketIoPath(path: string): boolean {
  return path === WEBSOCKET_PATH || path === `${WEBSOCKET_PATH}/` || CLIENT_SCRIPT.test(path);
}

/** True for a path that answers with data of the gateway, which a page may read by `fetch`, a stream or a websocket only. */
export function isDataPath(path: string): boolean {
  return DATA.test(path) && !CLIENT_SCRIPT.test(path);
}

/** The transport whose path this is, on or off. */
export function transportAt(path: string): 'websocket' | 'sse' | undefined {
  if (isSamePath(path, SSE_PATH)) return 'sse';
  return isSocketIoPath(path) ? 'websocket' : undefined;
}

/**
 * The answer at the path of a transport that does not take it; the profile document goes beside it. Where it is on, the
 * node is going down.
 */
export function transportDisabled(served: Served, path: string): Refusal {
  const transport = transportAt(path);
  if (transport !== undefined && served.transports[transport]) {
    return new Refusal('shutting_down', 'this node is going down', 1000);
  }
  return new Refusal(
    'transport_disabled',
    `not served under the profile ${served.profile}: take what GET /api/profile names, or flip the gateway`,
  );
}
