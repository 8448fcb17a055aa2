import type { RequestListener } from 'node:http';
import cors from 'cors';
import helmet from 'helmet';
import type { OriginPolicy } from './origin-policy.js';
import { isDataPath } from './profile-document.js';
import { pathOf } from './reply.js';

/**
 * Headers of data: pages of other origins can not load it by a tag, or in the mode `no-cors`, whatever they take it for. Browsers
 * heed them over plain http, too, where they do not say of what mode a request is. Source: the Fetch standard, section 3.7.
 */
export const DATA_HEADERS = {
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Puts the headers that protect documents before every answer. */
export function withDocumentHeaders(next: RequestListener): RequestListener {
  const [protectFile, protectData] = [headersFor('cross-origin'), headersFor('same-origin')];
  return (req, res) => {
    const protect = isDataPath(pathOf(req)) ? protectData : protectFile;
    protect(req, res, () => {
      next(req, res);
    });
  };
}

/** `loadedBy` says which pages may load an answer by a tag; those of listed origins may read it in any case. */
function headersFor(loadedBy: 'same-origin' | 'cross-origin'): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        // `connect-src`, too: websockets of the page's own host and port are of the same origin. Source: CSP 3, section 6.7.2.8.
        defaultSrc: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: loadedBy },
    // To its own gateway a page must say where it is: over plain http a cookie counts by that.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: false,
  });
}

/** Gives pages of listed origins their CORS headers, and answers their preflights itself. */
export function withCors(policy: OriginPolicy, next: RequestListener): RequestListener {
  const share = cors((req, done) => {
    const origin = req.headers.origin;
    done(null, {
      origin: origin !== undefined && policy.isListed(origin),
      credentials: origin !== undefined && policy.isNamed(origin),
      exposedHeaders: ['Location', 'Retry-After', 'ETag', 'X-Request-Id'],
      maxAge: 600,
    });
  });
  return (req, res) => {
    share(req, res, () => {
      next(req, res);
    });
  };
}
