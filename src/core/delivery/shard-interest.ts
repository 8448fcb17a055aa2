import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { EventLog } from '../log/event-log.js';
import type { Timeline } from './timeline.js';

/** For how long a shard is followed that nobody has a room in any more, ms. */
const LINGER_MS = 60_000;
/** How long one who asks for a room waits until its shard has been read, ms. */
const PATIENCE_MS = 5000;

/** What {@link ShardInterest} works with. */
export interface ShardInterestParts {
  readonly log: EventLog;
  readonly timeline: Timeline;
  readonly clock: Clock;
  /** The room whose shard is always followed, so that an outage is noticed without any session. */
  readonly mainRoom: string;
}

/**
 * Which shards of the log this process needs: those in which a session has a room, or that somebody asked for lately. A
 * shard is followed from its oldest entry on, and ready once that has come to its end.
 */
export class ShardInterest {
  readonly #parts: ShardInterestParts;
  readonly #main: number;
  readonly #ready = new Set<number>();
  readonly #wantedAt = new Map<number, number>();
  readonly #askers = new Set<() => void>();

  constructor(parts: ShardInterestParts) {
    this.#parts = parts;
    this.#main = parts.timeline.shards.ofRoom(parts.mainRoom);
  }

  /** True when what the room was sent can be given from the timeline. */
  isReady(room: string): boolean {
    return this.#ready.has(this.#parts.timeline.shards.ofRoom(room));
  }

  /** Has the room's shard followed. */
  want(room: string): void {
    const { log, timeline, clock } = this.#parts;
    const shard = timeline.shards.ofRoom(room);
    this.#wantedAt.set(shard, clock.elapsed());
    log.follow(shard);
  }

  /** Has the room's shard followed for a while; resolves when it is ready, or refuses. */
  async whenReady(room: string): Promise<Refusal | undefined> {
    this.want(room);
    const { clock, timeline } = this.#parts;
    // A log of one shard is told as far as it has been read.
    if (this.isReady(room) || timeline.shards.count === 1) return undefined;
    await new Promise<void>((resolve) => {
      const ask = (): void => {
        if (this.isReady(room)) stop();
      };
      const stop = (): void => {
        endWait();
        this.#askers.delete(ask);
        resolve();
      };
      const endWait = clock.after(PATIENCE_MS, stop);
      this.#askers.add(ask);
    });
    if (this.isReady(room)) return undefined;
    return new Refusal('not_ready', 'the part of the log that has this room can not be read yet', 1000);
  }

  /** The shard has been read to its end. */
  caughtUp(shard: number): void {
    this.#ready.add(shard);
    for (const ask of this.#askers) ask();
  }

  /** Lets go of shards that have been of no use for long; `rooms` are those that have members. */
  sweep(rooms: Iterable<string>): void {
    const { log, timeline, clock } = this.#parts;
    if (log.followed.length === 1) return;
    const now = clock.elapsed();
    this.#wantedAt.set(this.#main, now);
    for (const room of rooms) this.#wantedAt.set(timeline.shards.ofRoom(room), now);
    for (const shard of log.followed) {
      const wantedAt = this.#wantedAt.get(shard);
      if (wantedAt === undefined) this.#wantedAt.set(shard, now);
      else if (now - wantedAt >= LINGER_MS) this.#letGo(shard);
    }
  }

  #letGo(shard: number): void {
    const { log, timeline } = this.#parts;
    log.unfollow(shard);
    this.#ready.delete(shard);
    this.#wantedAt.delete(shard);
    timeline.forget(shard);
  }
}
