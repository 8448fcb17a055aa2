/** Types of the events: newest values by key, and events that all count. */
export const VALUE_TYPE = 'validate_value';
export const APPEND_TYPE = 'validate_event';

/** Which events are published, and where: the same at each run of it. */
export interface LoadShape {
  /** Events with a key, a second, ≥ 1. */
  readonly rate: number;
  /** Events without one, a second, ≥ 0. */
  readonly append: number;
  /** Keys that take turns by chance, ≥ 1. */
  readonly keys: number;
  /** Characters of payload in each event, ≥ 0. */
  readonly bytes: number;
  /** Rooms that share keys and clients, 1 to `keys`. */
  readonly rooms: number;
}

/** What the nth event is. */
export interface ShapedEvent {
  /** Number of its key; null for one without. */
  readonly key: number | null;
  /** How many events without a key came before it. */
  readonly appended: number;
  /** Number of its room. */
  readonly room: number;
}

/** Events a second, of both sorts. */
export function eventsPerSecond({ rate, append }: LoadShape): number {
  return rate + append;
}

/** The event of number `n` ≥ 0: those without a key stand evenly between the others, whose keys come by chance. */
export function eventAt(shape: LoadShape, n: number): ShapedEvent {
  const appended = appendedBefore(shape, n);
  if (appendedBefore(shape, n + 1) > appended) return { key: null, appended, room: appended % shape.rooms };
  const key = scattered(n) % shape.keys;
  return { key, appended, room: key % shape.rooms };
}

/** How many of the first `n` events have no key. */
export function appendedBefore({ rate, append }: LoadShape, n: number): number {
  return Math.floor((n * append) / (rate + append));
}

/** What a client of a room should have when the first `upTo` events are published. */
export interface Owed {
  /** Newest event by number of key; −1 for a key that had none, or is of another room. */
  readonly values: Int32Array;
  /** Events without a key. */
  readonly appends: number;
}

/** What is owed, by room. */
export function owedAfter(shape: LoadShape, upTo: number): readonly Owed[] {
  const rooms = Array.from({ length: shape.rooms }, () => ({
    values: new Int32Array(shape.keys).fill(-1),
    appends: 0,
  }));
  for (let n = 0; n < upTo; n += 1) {
    const { key, room } = eventAt(shape, n);
    const owed = rooms[room];
    if (owed === undefined) continue;
    if (key === null) owed.appends += 1;
    else owed.values[key] = n;
  }
  return rooms;
}

/** The room's name. Rooms of their own: nobody else is in them, and gets any of it. */
export function roomName(room: number): string {
  return `validate-${String(room + 1)}`;
}

/** A number that looks like chance, the same for the same `n`. Source: Marsaglia, Xorshift RNGs (2003). */
function scattered(n: number): number {
  let bits = Math.imul(n + 1, 0x9e3779b1);
  for (let round = 0; round < 2; round += 1) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
  }
  return bits >>> 0;
}
