/** Where the stream of events goes that only clients with a cursor are given, at full rate. */
export const BUSY_ROOM = 'drill';
/** The default room, which legacy clients are in: at most some events a second, by their contract. */
export const CALM_ROOM = 'default';
/** Types of events, by the way they are treated: `append` in the busy and in the calm room, and values by key. */
export const BUSY_TYPE = 'drill_event';
export const CALM_TYPE = 'drill_calm_event';
export const VALUE_TYPE = 'drill_value';

/** Names of the publishers whose events are `append` and in the busy room: they share the rate. */
export const BUSY = ['http', 'xadd', 'publish'] as const;
/** Name of the publisher of the calm stream. */
export const CALM = 'calm';
/** Name of the publisher of values. */
export const VALUES = 'values';
/** Names of all publishers whose events are `append`. */
export const STREAMS: readonly string[] = [...BUSY, CALM];

/** The payload of each event: who published it, as what number, and for a value, of which key. */
export interface DrillData {
  readonly by: string;
  readonly n: number;
  readonly key?: string;
}

/** An event as publishers send it. */
export interface DrillEvent {
  readonly type: string;
  readonly room: string;
  readonly key?: string;
  readonly data: DrillData;
}

/** What is in `data`; undefined for what no publisher of the drill sent. */
export function readDrillData(data: unknown): DrillData | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { by, n, key } = data as Record<string, unknown>;
  if (typeof by !== 'string' || typeof n !== 'number') return undefined;
  return typeof key === 'string' ? { by, n, key } : { by, n };
}
