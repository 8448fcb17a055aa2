import { createHash } from 'node:crypto';
import { type RequestHandler, Router } from 'express';

/** A document as it goes out: the same bytes to all. */
interface BuiltDocument {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** `GET /openapi.json` and `GET /asyncapi.json`: what this gateway serves. Each is built when it is asked for first. */
export function documentRoutes(): Router {
  return Router()
    .get(
      '/openapi.json',
      answering(async () => (await import('../api/openapi.js')).openApiDocument()),
    )
    .get(
      '/asyncapi.json',
      answering(async () => (await import('../api/asyncapi.js')).asyncApiDocument()),
    );
}

function answering(build: () => Promise<object>): RequestHandler {
  let built: Promise<BuiltDocument> | undefined;
  return async (req, res) => {
    const { bytes, etag } = await (built ??= build().then(toDocument));
    res.setHeader('ETag', etag);
    res.setHeader('Cache-Control', 'no-cache');
    if (req.fresh) res.status(304).end();
    else res.type('application/json').send(bytes);
  };
}

function toDocument(document: object): BuiltDocument {
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}
