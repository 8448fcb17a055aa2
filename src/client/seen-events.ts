import { isNewer } from './event-id.js';
import type { GatewayEvent } from './wire.js';

/** Most things whose newest event is remembered. */
const MOST = 20_000;

/**
 * The newest event that was told of each thing, so that none is told twice, and no older value after a newer one. Within a room a
 * stream brings events in the order of their ids, and a stream that goes on from its cursor repeats what came after that; a
 * node that is behind may repeat a value that the node before it had left out for a newer one.
 *
 * A thing is (room, type, key). An event without a key may be the newest value of its type, or of those whose data has the same
 * members, or one of many that all count: only the gateway knows. So it must be newer than all of its room and type.
 *
 * The memory lasts as long as the log's epoch, or until the gateway does not know the client's cursor. Bounded: beyond it, what has not changed for longest is forgotten. Of such a
 * thing an older value can be told again; the newest then is, too.
 */
export class SeenEvents {
  /** Ids, the least recently changed first; by (room, type, key), (room, type), and (room, type, members of the data). */
  readonly #newest = new Map<string, string>();
  /** Things whose newest event may be told once more. */
  readonly #again = new Set<string>();
  #epoch: string | undefined;

  /** True unless it is known to be another log's. */
  isOf(epoch: string | undefined): boolean {
    return (epoch ?? this.#epoch) === (this.#epoch ?? epoch);
  }

  /** The next events are of this epoch: ids of another say nothing of them. A gateway that names none has the epoch it had. */
  enter(epoch: string | undefined): void {
    if (!this.isOf(epoch)) this.forget();
    this.#epoch = epoch ?? this.#epoch;
  }

  /** Forgets all ids: they can't be compared with those that follow. */
  forget(): void {
    this.#newest.clear();
    this.#again.clear();
  }

  /**
   * Remembers an event; true when it is to be told. `isPartial`: older values of its room may not have come yet, so that without a
   * key it has to be newer only than those whose data has the same members.
   */
  add(event: GatewayEvent, isPartial = false): boolean {
    const { id } = event;
    const line = lineOf(event);
    const thing = event.key === undefined ? `${line}\n${membersOf(event.data)}` : line;
    const isNew = isNewer(id, this.#newestOf(isPartial ? thing : line));
    if (!isNew && !(id === this.#newestOf(thing) && this.#again.has(thing))) return false;
    this.#again.delete(thing);
    for (const name of [thing, line]) {
      if (!isNewer(id, this.#newestOf(name))) continue;
      this.#newest.delete(name);
      this.#newest.set(name, id);
    }
    for (const [oldest] of this.#newest) {
      if (this.#newest.size <= MOST) break;
      this.#newest.delete(oldest);
      this.#again.delete(oldest);
    }
    return true;
  }

  /** True when events without a key are known that are newer than a room's newest values: those are of a node that is behind. */
  isAheadOf(values: readonly GatewayEvent[]): boolean {
    const newest = new Map<string, string>();
    for (const event of values) {
      const line = lineOf(event);
      if (event.key === undefined && isNewer(event.id, newest.get(line) ?? '')) newest.set(line, event.id);
    }
    return [...newest].some(([line, id]) => isNewer(this.#newestOf(line), id));
  }

  /** A room begins anew, or all of them: its newest values are told again, but none that is older. */
  repeat(room?: string): void {
    for (const name of this.#newest.keys()) {
      if (room === undefined || name.startsWith(`${room} `)) this.#again.add(name);
    }
  }

  /** Newer events of the same room and type are told again when they come again: this one may have taken their place. */
  repeatNewer(event: GatewayEvent): void {
    const line = lineOf(event);
    if (!isNewer(this.#newestOf(line), event.id)) return;
    for (const [name, id] of this.#newest) {
      if (name.startsWith(`${line}\n`) && isNewer(id, event.id)) this.#again.add(name);
    }
  }

  /** The stream goes on where it was: nothing is told again, but in these rooms. */
  goOn(except: ReadonlyMap<string, unknown>): void {
    for (const name of this.#again) {
      if (!except.has(name.slice(0, name.indexOf(' ')))) this.#again.delete(name);
    }
  }

  #newestOf(name: string): string {
    return this.#newest.get(name) ?? '';
  }
}

/** The name under which an event has to be newer than all others. Neither rooms nor types have spaces; keys have no line ends. */
function lineOf({ room, type, key }: GatewayEvent): string {
  return key === undefined ? `${room} ${type}` : `${room} ${type} ${key}`;
}

/** The sorted names of an object's members, or the kind of any other value. Source: core/event-types.ts, `per: shape`. */
function membersOf(data: unknown): string {
  if (Array.isArray(data)) return 'array';
  if (typeof data !== 'object' || data === null) return typeof data;
  return JSON.stringify(Object.keys(data).sort());
}
