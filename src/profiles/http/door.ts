import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import { isAbsolute, leadsTo } from './authority.js';
import type { HostPolicy } from './host-policy.js';
import type { OriginPolicy } from './origin-policy.js';
import { isDataPath, transportAt } from './profile-document.js';
import { repeatedIn } from './query.js';
import { originForm, pathOf, queryOf } from './reply.js';

/** Most characters of a request's target: `?rooms=` and tokens make it long. */
const MAX_URL = 8192;

/** Headers of which Node keeps the first and drops the others, whatever a proxy has looked at. */
const ONCE: ReadonlySet<string> = new Set(['host', 'authorization']);

/**
 * The filter that every request and every upgrade passes before anything looks at what it wants: how long its target is, which
 * host it names, which page sent it, and whether its query is clear.
 */
export class Door {
  readonly #hosts: HostPolicy;
  readonly #origins: OriginPolicy;
  readonly #counters: Counters;

  constructor(hosts: HostPolicy, origins: OriginPolicy, counters: Counters) {
    this.#hosts = hosts;
    this.#origins = origins;
    this.#counters = counters;
  }

  /** Why a request, or an upgrade, is refused; counted. Brings its target into origin form: a path with its query. */
  refusalFor(req: IncomingMessage): Refusal | undefined {
    const target = req.url ?? '/';
    req.url = originForm(target);
    const path = pathOf(req);
    const refusal =
      refusalForMode(req, path) ??
      refusalForTarget(target, req) ??
      this.#hosts.refusalFor(req, path) ??
      this.#refusalForOrigin(req) ??
      refusalForQuery(req, path);
    if (refusal !== undefined) this.#counters.add('http_refused', refusal.code);
    return refusal;
  }

  #refusalForOrigin(req: IncomingMessage): Refusal | undefined {
    if (this.#origins.allows(req)) return undefined;
    return new Refusal(
      'origin_not_allowed',
      'pages of this origin may not connect: list it in CORS_ORIGINS, or have the proxy pass on Host as it came',
    );
  }
}

/**
 * A request of a page that names no origin, whatever page that is: one of a script tag, an image, a style, or a `fetch` that
 * waives the answer. Source: W3C Fetch Metadata.
 */
function refusalForMode(req: IncomingMessage, path: string): Refusal | undefined {
  if (req.headers['sec-fetch-mode'] !== 'no-cors' || !isDataPath(path)) return undefined;
  return new Refusal(
    'origin_not_allowed',
    'this is no script, image or style: pages ask for it by fetch, EventSource or a websocket, not by a tag or in the mode no-cors',
  );
}

function refusalForTarget(target: string, req: IncomingMessage): Refusal | undefined {
  if (target.length > MAX_URL) {
    return new Refusal('url_too_long', `a URL has at most ${String(MAX_URL)} characters`);
  }
  // Parsers of URLs end the query there, parsers of queries do not.
  if (target.includes('#'))
    return new Refusal('bad_request', 'a request has no fragment: leave out # and the rest');
  const { host } = req.headers;
  // Source: RFC 9112, section 3.2. Programs of HTTP/1.0 may name none.
  if (host === undefined && req.httpVersion !== '1.0') {
    return new Refusal('bad_request', 'a request names its Host');
  }
  const repeated = repeatedHeader(req.rawHeaders);
  if (repeated !== undefined) {
    return new Refusal(
      'bad_request',
      `the header ${repeated} stands in a request more than once: send it once`,
    );
  }
  if (!isAbsolute(target) || leadsTo(target, host)) return undefined;
  return new Refusal(
    'bad_request',
    'the URL of a request and its Host name different hosts: send the same in both',
  );
}

/** The name of a header of {@link ONCE} that is there more than once; undefined where there is none. */
function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!ONCE.has(name)) continue;
    if (seen.includes(name)) return name;
    seen.push(name);
  }
  return undefined;
}

function refusalForQuery(req: IncomingMessage, path: string): Refusal | undefined {
  if (req.url?.includes('?') !== true) return undefined;
  const query = queryOf(req);
  const repeated = repeatedIn(query);
  if (repeated !== undefined) {
    return new Refusal(
      'bad_request',
      `the parameter ${repeated} stands in the query more than once: send it once`,
    );
  }
  if (!query.has('j') || transportAt(path) !== 'websocket') return undefined;
  return new Refusal(
    'bad_request',
    'JSONP polling (parameter j) is not served, since any page could read it: take the websocket, or polling by XMLHttpRequest',
  );
}
