import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import type { Clock } from '../../core/clock.js';
import type { Counters } from '../../core/metrics/counters.js';
import { PacketAllowance } from './packet-allowance.js';

/** Packets a second that one connection may send, and as many at once: a payload of polling holds 250,000. */
const PACKETS_PER_SECOND = 2000;

/** What is between two packets of a payload. Source: engine.io-protocol 4, "HTTP long-polling". */
const SEPARATOR = '\x1e';

/** The engine's transport of polling, for Engine.IO 4, as far as the engine does not declare it. */
interface PollingTransport {
  onData(payload: string): void;
}

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
    const { take, refuse } = this.#limit(() => {
      conn.close(true);
    });
    conn.on('packet', take);
    if (conn.transport.name !== 'polling' || conn.protocol !== 4) return;
    const polling = conn.transport as unknown as PollingTransport;
    const read = polling.onData.bind(polling);
    polling.onData = (payload) => {
      // The engine reads all of a payload before it shows the first packet.
      if (holdsTooMany(payload)) refuse();
      else read(payload);
    };
  }

  /**
   * Cuts a websocket that is sent too many messages or pings. Its library answers each ping, whether that can be written or
   * not; and on one that is to replace polling, the engine each probe.
   */
  watchWebsocket(websocket: EventEmitter, socket: Duplex): void {
    const { take } = this.#limit(() => {
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

  /** What takes a packet, and cuts when there are too many, and what refuses to take any, and cuts at once. */
  #limit(cut: () => void): { readonly take: () => void; readonly refuse: () => void } {
    const { clock, counters } = this.#parts;
    const allowance = new PacketAllowance(PACKETS_PER_SECOND, clock.elapsed());
    let isCut = false;
    const refuse = (): void => {
      if (isCut) return;
      isCut = true;
      counters.add('connections_cut', 'rate_limited');
      cut();
    };
    const take = (): void => {
      if (!isCut && !allowance.take(clock.elapsed())) refuse();
    };
    return { take, refuse };
  }
}

/** Whether a payload holds more packets than a connection may send at once. */
function holdsTooMany(payload: string): boolean {
  let at = -1;
  for (let packets = 0; packets < PACKETS_PER_SECOND; packets += 1) {
    at = payload.indexOf(SEPARATOR, at + 1);
    if (at === -1) return false;
  }
  return true;
}
