import type { Socket } from 'node:net';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import type { ClientAddresses } from './client-address.js';
import { refuseUpgrade } from './reply.js';

/** TCP connections beside those of sessions: requests, and those that have not said yet what they want. */
const SPARE = { inAll: 1000, perAddress: 16 };

/** What {@link ConnectionLimits} are told. */
export interface ConnectionLimitsOptions {
  /** Sessions in all; 0 = no limit. */
  readonly maxConnections: number;
  /** Sessions from one address; 0 = no limit. */
  readonly maxConnectionsPerAddress: number;
}

/** How many TCP connections are held open, in all and from one address: whoever only connects is counted too. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #addresses: ClientAddresses;
  readonly #counters: Counters;
  readonly #byAddress = new Map<string, number>();
  /** One for all: there are thousands. */
  readonly #onClose = (): void => {
    this.#count -= 1;
  };
  #count = 0;

  constructor(options: ConnectionLimitsOptions, addresses: ClientAddresses, counters: Counters) {
    this.#options = options;
    this.#addresses = addresses;
    this.#counters = counters;
  }

  /** Counts a connection until it is closed; false where it is one too many, and is told so and closed. */
  admit(socket: Socket): boolean {
    const { maxConnections, maxConnectionsPerAddress: perAddress } = this.#options;
    const address = socket.remoteAddress ?? '';
    // Behind a proxy all have its address; whose they are, their requests say.
    const isCounted = perAddress > 0 && !this.#addresses.isProxy(address);
    const already = this.#byAddress.get(address) ?? 0;
    if (maxConnections > 0 && this.#count >= maxConnections + SPARE.inAll) {
      return this.#refuse(socket, 'this node takes no more connections');
    }
    if (isCounted && already >= perAddress + SPARE.perAddress) {
      return this.#refuse(socket, 'too many connections from this address');
    }
    this.#count += 1;
    socket.on('close', this.#onClose);
    if (!isCounted) return true;
    this.#byAddress.set(address, already + 1);
    socket.once('close', () => {
      this.#leave(address);
    });
    return true;
  }

  #leave(address: string): void {
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
