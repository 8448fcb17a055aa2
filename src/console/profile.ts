import { Fields } from './fields.js';

/** A wire that events can come over. */
export type Transport = 'sse' | 'websocket';

/** What a transport is called on the page. */
export const TRANSPORT_NAMES: Readonly<Record<Transport, string>> = { sse: 'SSE', websocket: 'Socket.IO' };

/** What a gateway serves, as `GET /api/profile` says. */
export interface Profile {
  /** `WEBSOCKET`, `SSE` or `HYBRID`. */
  readonly name: string;
  /** The path of each transport that is on. */
  readonly paths: Readonly<Partial<Record<Transport, string>>>;
  /** Where commands go; undefined when the gateway takes none over HTTP. */
  readonly controlPath: string | undefined;
  /** ms: the shortest and the longest wait before a reconnect, before jitter. */
  readonly reconnect: { readonly minMs: number; readonly maxMs: number };
}

/** Asks the gateway what it serves; waits 10 s at most. Throws when it gives no answer, or none that can be read. */
export async function fetchProfile(): Promise<Profile> {
  const response = await fetch('/api/profile', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`/api/profile answered ${String(response.status)}`);
  return readProfile(await response.json());
}

/** A discovery answer as it came; default waits are 1 s and 30 s. */
export function readProfile(value: unknown): Profile {
  const fields = new Fields(value);
  const transports = fields.fields('transports');
  const sse = transports.fields('sse').text('path');
  const websocket = transports.fields('websocket').text('path');
  const reconnect = fields.fields('reconnect');
  return {
    name: fields.text('profile') ?? 'unknown',
    paths: { ...(sse === undefined ? {} : { sse }), ...(websocket === undefined ? {} : { websocket }) },
    controlPath: fields.fields('control').text('path'),
    reconnect: { minMs: reconnect.number('minMs') ?? 1000, maxMs: reconnect.number('maxMs') ?? 30_000 },
  };
}
