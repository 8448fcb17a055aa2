import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import type { Clock } from '../../core/clock.js';
import type { Counters } from '../../core/metrics/counters.js';
import { PacketAllowance } from './packet-allowance.js';

/** Packets a second that one connection may send, and as many at once: a payload of polling holds 250,000. */
const PACKETS_PER_SECOND = 2000;

/** What an {@link EngineGuard} works with. */
export interface EngineGuardParts {
  readonly clock: Clock;
  /** Counts `connections_cut`: `rate_limited`. */
  readonly counters: Counters;
}

/** Bounds how much the connections of Socket.IO send, and sees to it that each is one session. */
export class EngineGuard {
  readonly #parts: EngineGuardParts;
  readonly #claimed = new WeakSet<EngineSocket>();

  constructor(parts: EngineGuardParts) {
    this.#parts = parts;
  }

  /** Closes a connection when it sends too many packets. */
  watch(conn: EngineSocket): void {
    const take = this.#taker(() => {
      conn.close(true);
    });
    conn.on('packet', take);
  }

  /**
   * Cuts a websocket that is sent too many messages or pings. Its library answers each ping, whether that can be written or
   * not; and on one that is to replace polling, the engine each probe.
   */
  watchWebsocket(websocket: EventEmitter, socket: Duplex): void {
    const take = this.#taker(() => {
      socket.destroy();
    });
    websocket.on('message', take);
    websocket.on('ping', take);
  }

  /** True once, until {@link release}: a connection that asks to be let in several times at once is one session. */
  claim(conn: EngineSocket): boolean {
    if (this.#claimed.has(conn)) return false;
    this.#claimed.add(conn);
    return true;
  }

  /** Its session has ended, or was not let in. */
  release(conn: EngineSocket): void {
    this.#claimed.delete(conn);
  }

  #taker(cut: () => void): () => void {
    const { clock, counters } = this.#parts;
    const allowance = new PacketAllowance(PACKETS_PER_SECOND, clock.elapsed());
    let isCut = false;
    return () => {
      if (isCut || allowance.take(clock.elapsed())) return;
      isCut = true;
      counters.add('connections_cut', 'rate_limited');
      cut();
    };
  }
}
