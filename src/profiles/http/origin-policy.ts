import type { IncomingMessage } from 'node:http';

/**
 * Which web pages may use this gateway: those it serves itself, and those of the listed origins (`*`: any).
 * Requests without an `Origin` come from programs, not pages, and are not its concern.
 */
export class OriginPolicy {
  readonly #origins: ReadonlySet<string>;

  /** `origins` as `https://app.example.org`, or `*`. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** True for a request that no page made, or a page that may. */
  allows(req: IncomingMessage): boolean {
    const { origin, host } = req.headers;
    return origin === undefined || this.isListed(origin) || hostOf(origin) === host;
  }

  /**
   * Whether a cookie that comes with a request counts. A browser sends it with whatever a page has it ask for, so it does for
   * pages of this gateway and of origins that are listed by their names, never for those that `*` lets in; and where no page
   * is named, unless the browser says that it is of another site. Source: W3C Fetch Metadata.
   */
  takesCookieOf(req: IncomingMessage): boolean {
    const { origin, host } = req.headers;
    if (origin === undefined) return req.headers['sec-fetch-site'] !== 'cross-site';
    return hostOf(origin) === host || this.isNamed(origin);
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

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
