import { once } from 'node:events';
import http from 'node:http';

/** An answer of the HTTP API. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: ReturnType<typeof JSON.parse>;
}

/**
 * Asks, with `body` as JSON (a string or bytes go as they are), on a connection of its own. Sends no header beyond
 * those given, and, with a body, `Content-Type: application/json`.
 */
export async function requestJson(
  method: string,
  address: string,
  body?: unknown,
  headers: http.OutgoingHttpHeaders = {},
): Promise<JsonAnswer> {
  const raw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const bytes = raw ? body : JSON.stringify(body);
  const request = http.request(address, {
    method,
    agent: false,
    headers: bytes === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
  });
  request.end(bytes);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
