import type { RequestListener } from 'node:http';
import cors from 'cors';
import helmet from 'helmet';
import type { OriginPolicy } from './origin-policy.js';

/** Puts the headers that protect documents before every answer. */
export function withDocumentHeaders(next: RequestListener): RequestListener {
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    strictTransportSecurity: false,
  });
  return (req, res) => {
    protect(req, res, () => {
      next(req, res);
    });
  };
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
