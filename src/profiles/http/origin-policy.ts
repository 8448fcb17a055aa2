import type { IncomingMessage } from 'node:http';
import { leadsTo } from './authority.js';

/** The type that an `EventSource` asks for. Scripts, images, styles and links of a page ask for others. */
const STREAM_TYPE = 'text/event-stream';

/**
 * Decides which web pages may use the gateway: those it serves itself, and those of the listed origins (`*`: any).
 * Requests without an `Origin` are not its concern: programs make them, and pages that may be served by the gateway.
 */
export class OriginPolicy {
  readonly #origins: ReadonlySet<string>;

  /** `origins` as `https://app.example.org`, or `*`. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** True for a request without an origin, and for one of a page that may use the gateway. */
  allows(req: IncomingMessage): boolean {
    const { origin, host } = req.headers;
    return origin === undefined || this.isListed(origin) || leadsTo(origin, host);
  }

  /**
   * Whether the cookie of a request counts. A browser sends it with each request to the host, whichever page causes the request,
   * and whichever port that page comes from. So the request must say that its page is the gateway's own, or one whose origin is
   * listed by name, never one that `*` lets in:
   * - by `Origin`, where there is one;
   * - by `Sec-Fetch-Site`, which browsers send to https and to localhost, as `same-origin`, or `none` for an address that the
   *   user has typed;
   * - else as the request of an `EventSource`, which has an `Origin` unless it is the own page's, or by `Referer`.
   *
   * Sources: W3C Fetch Metadata; RFC 6265, section 8.5 (cookies know no ports).
   */
  takesCookieOf(req: IncomingMessage): boolean {
    const { origin, host, referer, accept } = req.headers;
    if (origin !== undefined) return leadsTo(origin, host) || this.isNamed(origin);
    const site = req.headers['sec-fetch-site'];
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    return accept === STREAM_TYPE || (referer !== undefined && leadsTo(referer, host));
  }

  /** True for an origin that is listed by its name: one whose pages may send cookies. */
  isNamed(origin: string): boolean {
    return origin !== '*' && this.#origins.has(origin);
  }

  /** True for an origin of the list: one that is answered with CORS headers. */
  isListed(origin: string): boolean {
    return this.#origins.has('*') || this.#origins.has(origin);
  }
}
