import type { Socket } from 'node:net';
import { addressBlock, unmapped } from '../../core/address-block.js';
import { isLoopback } from '../../core/config/address.js';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import { CallerConnections } from './caller-connections.js';
import type { ClientAddresses } from './client-address.js';
import { PendingConnections } from './pending-connections.js';
import { refuseUpgrade } from './reply.js';

/** TCP connections beside those of sessions: requests, probes, and clients that have not signed in. */
export const SPARE_CONNECTIONS = { inAll: 1000, perAddress: 16 };

/** Bounds of {@link ConnectionLimits}, as the configuration names them. */
export interface ConnectionLimitsOptions {
  /** Sessions in all; 0 = no limit. */
  readonly maxConnections: number;
  /** Sessions from one address; 0 = no limit. */
  readonly maxConnectionsPerAddress: number;
  /** Connections from one address whose clients have not signed in; 0 = no limit. */
  readonly maxPendingPerAddress: number;
}

/**
 * Bounds the TCP connections of this process, in all and by address (IPv6: by /64). A connection is pending until its client
 * has signed in. Pending connections keep nobody out: where there is no place, a new connection takes that of the
 * oldest pending one, which is closed; then that of one of a caller that has very many for its requests. So members and probes
 * find places however many silent connections there are.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #addresses: ClientAddresses;
  readonly #counters: Counters;
  /** Open connections with the address they count for; undefined for those of proxies, whose address says nothing. */
  readonly #open = new Map<Socket, string | undefined>();
  readonly #byAddress = new Map<string, number>();
  readonly #pending = new PendingConnections<Socket>();
  readonly #ofCallers = new CallerConnections<Socket>();
  /** One function for all sockets: there are thousands. */
  readonly #onClose: (this: Socket) => void;

  constructor(options: ConnectionLimitsOptions, addresses: ClientAddresses, counters: Counters) {
    this.#options = options;
    this.#addresses = addresses;
    this.#counters = counters;
    const forget = (socket: Socket): void => {
      this.#forget(socket);
    };
    this.#onClose = function () {
      forget(this);
    };
  }

  /** Counts a connection until it is closed. Returns false where it is one too many: it is told so and closed. */
  admit(socket: Socket): boolean {
    const { maxConnections } = this.#options;
    const remote = unmapped(socket.remoteAddress ?? '');
    // Behind a proxy all clients have its address; their requests name their own.
    const address = this.#addresses.isProxy(remote) ? undefined : addressBlock(remote);
    if (address !== undefined && !this.#makeRoomFor(address, isLoopback(remote))) {
      return this.#refuse(socket, 'too many connections from this address');
    }
    const isFull = maxConnections > 0 && this.#open.size >= maxConnections + SPARE_CONNECTIONS.inAll;
    if (isFull && !this.#displace()) return this.#refuse(socket, 'this node takes no more connections');
    this.#open.set(socket, address);
    if (address !== undefined) this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    this.#pending.add(socket, address ?? '');
    socket.on('close', this.#onClose);
    return true;
  }

  /** A request on a connection was made by this known caller: the connection is pending no more. */
  signedIn(socket: Socket, caller: string): void {
    if (!this.#pending.has(socket)) return;
    this.#pending.remove(socket);
    this.#ofCallers.add(socket, caller);
  }

  /** The client of a connection has a session: the connection is closed for no other any more. */
  hasSession(socket: Socket): void {
    this.#pending.remove(socket);
    this.#ofCallers.remove(socket);
  }

  /** True once there is room for one more connection from the address. */
  #makeRoomFor(address: string, isLocal: boolean): boolean {
    const { maxConnectionsPerAddress: most, maxPendingPerAddress: mostPending } = this.#options;
    const already = this.#byAddress.get(address) ?? 0;
    if (most > 0 && already >= most + SPARE_CONNECTIONS.perAddress) return this.#displace(address);
    // A proxy on this machine that the configuration does not name has all clients behind it.
    const isBounded = mostPending > 0 && !isLocal;
    if (isBounded && this.#pending.countOf(address) >= mostPending) this.#displace(address);
    return true;
  }

  /** Closes the oldest pending connection of one address, or, without one, of all, or a surplus one; false when there is none. */
  #displace(address?: string): boolean {
    const pending = this.#pending.takeOldest(address);
    const oldest = pending ?? (address === undefined ? this.#ofCallers.takeSurplus() : undefined);
    if (oldest === undefined) return false;
    this.#counters.add('connections_cut', 'displaced');
    this.#forget(oldest);
    oldest.destroy();
    return true;
  }

  #forget(socket: Socket): void {
    const address = this.#open.get(socket);
    if (!this.#open.delete(socket)) return;
    this.#pending.remove(socket);
    this.#ofCallers.remove(socket);
    if (address === undefined) return;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }

  #refuse(socket: Socket, message: string): false {
    this.#counters.add('http_refused', 'too_many_connections');
    refuseUpgrade(socket, new Refusal('too_many_connections', message, 5000));
    return false;
  }
}
