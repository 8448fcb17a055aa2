import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Refusal } from '../../core/errors.js';
import { auditRefusal } from './refusal-audit.js';
import { answerUnread, leavesBody } from './unread-body.js';

/** Answers with a JSON body. A connection on which a large body of the request was not read is ended. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  sendText(res, JSON.stringify(body));
}

/** Answers with a text, whose type and status are set. A connection on which a large body of the request was not read is ended. */
export function sendText(res: ServerResponse, text: string): void {
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  if (leavesBody(res.req)) answerUnread(res, text);
  else res.end(text);
}

/** Answers with a refusal: its status, the one error body (with `extra` beside it), `Retry-After` where it has one. Audits it. */
export function sendRefusal(res: ServerResponse, refusal: Refusal, extra: object = {}): void {
  auditRefusal(res, refusal);
  if (refusal.retryAfterMs !== undefined) res.setHeader('Retry-After', retryAfter(refusal));
  if (refusal.status === 401) res.setHeader('WWW-Authenticate', 'Bearer');
  sendJson(res, refusal.status, { ...refusal.toBody(), ...extra });
}

/** Answers that a request failed for a fault of ours; cuts an answer that has begun. */
export function sendFailure(res: ServerResponse): void {
  if (res.headersSent) res.destroy();
  else sendRefusal(res, new Refusal('internal', 'the request could not be carried out'));
}

/** The same as {@link sendRefusal} for an upgrade request, which has a socket but no response. Ends the socket. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal, extra: object = {}): void {
  const text = JSON.stringify({ ...refusal.toBody(), ...extra });
  const head = [
    `HTTP/1.1 ${String(refusal.status)} ${refusal.code}`,
    ...(refusal.retryAfterMs === undefined ? [] : [`Retry-After: ${retryAfter(refusal)}`]),
    ...(refusal.status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    'Content-Type: application/json; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    `Content-Length: ${String(Buffer.byteLength(text))}`,
    'Connection: close',
  ];
  socket.on('error', () => undefined);
  socket.once('finish', () => {
    socket.destroy();
  });
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

/** Scheme and authority, which a request may name before its path. Source: RFC 9112, section 3.2.2. */
const ABSOLUTE = /^https?:\/\/[^/?#]*/i;

/**
 * The target of a request as nearly all have it: a path with its query. Whose name stands before it says nothing here, and may
 * be none that can be read, at which who reads it whole would throw. What is no path stays as it is.
 */
export function originForm(target: string): string {
  const bare = target.replace(ABSOLUTE, '');
  return bare === target || bare.startsWith('/') ? bare : `/${bare}`;
}

/** The path of a request, without its query. */
export function pathOf(req: IncomingMessage): string {
  const url = req.url ?? '/';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** The query of a request. */
export function queryOf(req: IncomingMessage): URLSearchParams {
  const url = req.url ?? '/';
  const query = url.indexOf('?');
  return new URLSearchParams(query === -1 ? '' : url.slice(query));
}

/** `Retry-After` counts in whole seconds. Source: RFC 9110, section 10.2.3. */
function retryAfter(refusal: Refusal): string {
  return String(Math.ceil((refusal.retryAfterMs ?? 0) / 1000));
}
