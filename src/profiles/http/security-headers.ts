import type { RequestListener } from 'node:http';
import cors from 'cors';
import helmet from 'helmet';
import type { OriginPolicy } from './origin-policy.js';

/**
 * Puts the headers that protect browsers before every answer, and answers CORS preflights itself. Pages of listed
 * origins get CORS headers; the stock Socket.IO client may be loaded by any page.
 */
export function withSecurityHeaders(policy: OriginPolicy, next: RequestListener): RequestListener {
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
  const share = cors((req, done) => {
    const origin = req.headers.origin;
    done(null, {
      origin: origin !== undefined && policy.isListed(origin),
      exposedHeaders: ['Location', 'Retry-After', 'ETag'],
      maxAge: 600,
    });
  });
  return (req, res) => {
    protect(req, res, () => {
      share(req, res, () => {
        next(req, res);
      });
    });
  };
}
