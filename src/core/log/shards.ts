import { crc32 } from './crc32.js';
import { isLogId, MAX_SEQUENCE, msOf, sequenceOf } from './log-id.js';

/** Most shards a log may have. */
export const MAX_SHARDS = 64;
/** Longest a component of a cursor can be, its separator included. */
const MAX_COMPONENT = 32;

/**
 * How a log is divided. A room lies in one shard: the CRC-32 of its name modulo {@link count}. Within a shard ids are
 * ordered; that of an entry tells its shard, so that ids are unique over all of them. A cursor has an id of each shard it
 * speaks of. A log of one shard has the ids of its store, and its cursors are such ids.
 */
export class Shards {
  /** How many there are; numbered from 0. */
  readonly count: number;
  /** Largest sequence an id may have in the store of a shard. */
  readonly maxSequence: number;

  /** @param count From 1 to {@link MAX_SHARDS}. */
  constructor(count: number) {
    this.count = count;
    this.maxSequence = Math.floor((MAX_SEQUENCE - count + 1) / count);
  }

  /** The shard of a room. */
  ofRoom(room: string): number {
    return this.count === 1 ? 0 : crc32(room) % this.count;
  }

  /** The shard of an id of the log. */
  ofId(id: string): number {
    return this.count === 1 ? 0 : sequenceOf(id) % this.count;
  }

  /** True for an id of a shard's store that can be an id of the log. */
  canHold(storedId: string): boolean {
    return this.count === 1 || (isLogId(storedId) && sequenceOf(storedId) <= this.maxSequence);
  }

  /** The id in the log of what a shard's store has under `storedId`; of one that it can't hold, the last before it. */
  logId(shard: number, storedId: string): string {
    if (this.count === 1) return storedId;
    const sequence = Math.min(sequenceOf(storedId), this.maxSequence);
    return `${String(msOf(storedId))}-${String(sequence * this.count + shard)}`;
  }

  /** The inverse of {@link logId}: the id in the store of its shard. */
  storedId(id: string): string {
    if (this.count === 1) return id;
    return `${String(msOf(id))}-${String(Math.floor(sequenceOf(id) / this.count))}`;
  }

  /** The cursor that speaks of the shards of these ids, one of each shard; of several shards it may be none. */
  cursorOf(ids: readonly string[]): string {
    return this.count === 1 ? (ids[0] as string) : `${String(this.count)}.${ids.join('.')}`;
  }

  /**
   * The ids in a cursor, by shard; undefined for what is none of this log's, whatever text it is. A log that is divided
   * otherwise has other cursors.
   */
  idsIn(cursor: string): ReadonlyMap<number, string> | undefined {
    if (this.count === 1) return isLogId(cursor) ? new Map([[0, cursor]]) : undefined;
    if (cursor.length > (this.count + 1) * MAX_COMPONENT) return undefined;
    const prefix = `${String(this.count)}.`;
    if (!cursor.startsWith(prefix)) return undefined;
    const ids = cursor === prefix ? [] : cursor.slice(prefix.length).split('.');
    const byShard = new Map(ids.map((id) => [this.ofId(id), id]));
    return byShard.size === ids.length && ids.every(isLogId) ? byShard : undefined;
  }
}
