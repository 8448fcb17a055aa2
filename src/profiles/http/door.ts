import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import type { HostPolicy } from './host-policy.js';
import type { OriginPolicy } from './origin-policy.js';
import { pathOf } from './reply.js';

/** Most characters of a request's target: `?rooms=` and tokens make it long. */
const MAX_URL = 8192;

/** What every request passes before anybody looks at what it wants: how long it is, whom it calls, what page sent it. */
export class Door {
  readonly #hosts: HostPolicy;
  readonly #origins: OriginPolicy;
  readonly #counters: Counters;

  constructor(hosts: HostPolicy, origins: OriginPolicy, counters: Counters) {
    this.#hosts = hosts;
    this.#origins = origins;
    this.#counters = counters;
  }

  /** Why a request, or an upgrade, is turned away; counted. */
  refusalFor(req: IncomingMessage): Refusal | undefined {
    const refusal = this.#look(req);
    if (refusal !== undefined) this.#counters.add('http_refused', refusal.code);
    return refusal;
  }

  #look(req: IncomingMessage): Refusal | undefined {
    if ((req.url ?? '').length > MAX_URL) {
      return new Refusal('url_too_long', `a URL has at most ${String(MAX_URL)} characters`);
    }
    // Source: RFC 9112, section 3.2. Programs of HTTP/1.0 may name none.
    if (req.headers.host === undefined && req.httpVersion !== '1.0') {
      return new Refusal('bad_request', 'a request names its Host');
    }
    const wrongHost = this.#hosts.refusalFor(req, pathOf(req));
    if (wrongHost !== undefined || this.#origins.allows(req)) return wrongHost;
    return new Refusal(
      'origin_not_allowed',
      'pages of this origin may not connect: list it in CORS_ORIGINS, or have the proxy pass on Host as it came',
    );
  }
}
