import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import { unmapped } from '../../core/address-block.js';
import { PROXY_GROUPS } from '../../core/config/address.js';

/** Finds the address a client has, behind proxies too. */
export class ClientAddresses {
  readonly #isTrusted: (address: string, hop: number) => boolean;
  readonly #trustsAnybody: boolean;

  /**
   * `trusted` as `TRUSTED_PROXIES` lists them. Of what a request says of where it comes from, only as much is believed as
   * they have added: nobody else can make up an address.
   */
  constructor(trusted: readonly string[]) {
    this.#trustsAnybody = trusted.length > 0;
    this.#isTrusted = proxyAddr.compile(trusted.flatMap((name) => PROXY_GROUPS.get(name) ?? [name]));
  }

  /** The address a request comes from; an IPv4 address always as such. `unknown` once its connection is gone. */
  of(req: IncomingMessage): string {
    const { remoteAddress } = req.socket;
    if (remoteAddress === undefined) return 'unknown';
    // Nearly always nobody says anything, or nobody is believed.
    if (!this.#trustsAnybody || req.headers['x-forwarded-for'] === undefined) return unmapped(remoteAddress);
    const hops = proxyAddr.all(req, this.#isTrusted).map(plain);
    // What is no address can only come from the client; the nearest hop that is one speaks for it.
    return hops.findLast((hop) => isIP(hop) !== 0) ?? 'unknown';
  }

  /** Whether connections from this address are a proxy's, and not a client's. */
  isProxy(address: string): boolean {
    return this.#isTrusted(plain(address), 0);
  }
}

/** Without a port, and without the prefix by which an IPv6 socket tells of IPv4. */
function plain(hop: string): string {
  const [, bracketed = hop] = /^\[([^\]]*)\](?::\d+)?$/.exec(hop) ?? [];
  const [, bare = bracketed] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(bracketed) ?? [];
  return unmapped(bare);
}
