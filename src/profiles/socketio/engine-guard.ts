import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import type { Clock } from '../../core/clock.js';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import { PacketAllowance } from './packet-allowance.js';

/** Packets a second that one connection may send, and as many at once: a payload of polling holds 250,000. */
const PACKETS_PER_SECOND = 2000;

/** What an {@link EngineGuard} works with. */
export interface EngineGuardParts {
  readonly clock: Clock;
  /** Counts `sessions_refused`: `too_many_connections`; `connections_cut`: `rate_limited`. */
  readonly counters: Counters;
  /** Connections in all; 0 = no limit. */
  readonly maxConnections: number;
  /** Connections from one address; 0 = no limit. */
  readonly maxConnectionsPerAddress: number;
}

/**
 * What clients may do to the engine before, and beside, being sessions: how many connections there are (one that polls has no
 * socket to be counted by), how much they send, and that each is one session.
 */
export class EngineGuard {
  readonly #parts: EngineGuardParts;
  readonly #byAddress = new Map<string, number>();
  readonly #claimed = new WeakSet<EngineSocket>();
  #count = 0;

  constructor(parts: EngineGuardParts) {
    this.#parts = parts;
  }

  /** Why one more connection from `address` is refused now; undefined when it is not. */
  refusalFor(address: string): Refusal | undefined {
    const { maxConnections, maxConnectionsPerAddress, counters } = this.#parts;
    const isFull = maxConnections > 0 && this.#count >= maxConnections;
    const fromAddress = this.#byAddress.get(address) ?? 0;
    if (!isFull && (maxConnectionsPerAddress === 0 || fromAddress < maxConnectionsPerAddress))
      return undefined;
    counters.add('sessions_refused', 'too_many_connections');
    const what = isFull ? 'this node takes no more connections' : 'too many connections from this address';
    return new Refusal('too_many_connections', what, 5000);
  }

  /** Counts a connection until it is closed, and closes it when it sends too many packets. */
  watch(conn: EngineSocket, address: string): void {
    this.#count += 1;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    conn.once('close', () => {
      this.#leave(address);
    });
    const take = this.#taker(() => {
      // What else came with it is not looked at any more.
      conn.close();
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

  #leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    this.#count -= 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
