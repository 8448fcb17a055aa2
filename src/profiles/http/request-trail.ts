import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NO_SPAN, type Span, type Tracing } from '../../core/tracing.js';

/** What joins a request with what comes of it. */
export interface RequestTrail {
  /** Its id in the log, which its answer carries as `X-Request-Id`. */
  readonly id: string;
  /** What is traced of it, until it is answered. */
  readonly span: Span;
}

/** What a request's id may be. */
export const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Begins the trail of a request that may change something, `name` as its method and path, without what differs. Its id is
 * the `X-Request-Id` it brings, where that is 1–128 of `A-Z a-z 0-9 . _ -`, else a new one; its span goes on with the trace
 * of its `traceparent`.
 */
export function beginTrail(
  tracing: Tracing,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
): RequestTrail {
  const { 'x-request-id': asked, traceparent } = req.headers;
  const id = typeof asked === 'string' && REQUEST_ID.test(asked) ? asked : randomUUID();
  res.setHeader('X-Request-Id', id);
  if (!tracing.on) return { id, span: NO_SPAN };
  const attributes = { 'http.request.method': String(req.method), 'flipgate.request.id': id };
  const parent = typeof traceparent === 'string' ? traceparent : undefined;
  const span = tracing.begin(name, { kind: 'server', parent, attributes });
  res.once('close', () => {
    const { statusCode } = res;
    const failed = statusCode < 500 ? undefined : String(statusCode);
    span.end({ attributes: { 'http.response.status_code': statusCode }, failed });
  });
  return { id, span };
}
