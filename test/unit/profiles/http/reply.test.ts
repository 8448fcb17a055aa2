import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { ERRORS, type ErrorCode, Refusal } from '../../../../src/core/errors.js';
import {
  originForm,
  pathOf,
  queryOf,
  refuseUpgrade,
  sendJson,
  sendRefusal,
} from '../../../../src/profiles/http/reply.js';

/** A response that keeps what it is given. */
class HeldResponse {
  readonly req = { complete: true };
  statusCode = 0;
  readonly headers: Record<string, unknown> = {};
  body = '';

  setHeader(name: string, value: unknown): void {
    this.headers[name] = value;
  }

  end(text: string): void {
    this.body = text;
  }
}

function answered(answer: (res: ServerResponse) => void): HeldResponse {
  const held = new HeldResponse();
  answer(held as unknown as ServerResponse);
  return held;
}

const request = (url: string | undefined): IncomingMessage => ({ url }) as IncomingMessage;

describe('sendJson', () => {
  test('counts bytes, not characters', () => {
    const { statusCode, headers, body } = answered((res) => sendJson(res, 202, { text: 'ä😀' }));
    expect([statusCode, body, headers['Content-Length']]).toEqual([202, '{"text":"ä😀"}', 17]);
    expect(headers['Content-Type']).toBe('application/json; charset=utf-8');
  });
});

describe('sendRefusal', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('%s has the status and the shape of the table', (code) => {
    const { statusCode, body } = answered((res) => sendRefusal(res, new Refusal(code, 'why')));
    expect(statusCode).toBe(ERRORS[code].status);
    expect(JSON.parse(body)).toEqual({ error: { code, message: 'why', retryable: ERRORS[code].retryable } });
  });

  test('says when to come again, in whole seconds, never too early', () => {
    for (const [ms, seconds] of [
      [1, '1'],
      [1000, '1'],
      [1001, '2'],
      [0, '0'],
    ] as const) {
      const { headers, body } = answered((res) => sendRefusal(res, new Refusal('rate_limited', '', ms)));
      expect(headers['Retry-After']).toBe(seconds);
      expect(JSON.parse(body)).toMatchObject({ error: { retryAfterMs: ms } });
    }
    expect(answered((res) => sendRefusal(res, new Refusal('internal', ''))).headers).not.toHaveProperty(
      'Retry-After',
    );
  });

  test('puts more beside the error, not over it', () => {
    const { body } = answered((res) => sendRefusal(res, new Refusal('not_found', ''), { profile: 'SSE' }));
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'not_found' }, profile: 'SSE' });
  });
});

describe('refuseUpgrade', () => {
  test('writes a whole HTTP answer and ends the socket', async () => {
    const socket = new PassThrough();
    refuseUpgrade(socket, new Refusal('too_many_connections', 'ä', 5000), { more: 1 });
    let text = '';
    for await (const part of socket.setEncoding('utf8')) text += String(part);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 503 too_many_connections',
      'Retry-After: 5',
      'Content-Type: application/json; charset=utf-8',
      'X-Content-Type-Options: nosniff',
      'Cache-Control: no-store',
      `Content-Length: ${String(Buffer.byteLength(body))}`,
      'Connection: close',
    ]);
    expect(JSON.parse(body)).toMatchObject({
      error: { code: 'too_many_connections', message: 'ä' },
      more: 1,
    });
  });

  test('does not mind a socket that breaks', () => {
    const socket = new PassThrough();
    refuseUpgrade(socket, new Refusal('origin_not_allowed', ''));
    expect(() => socket.emit('error', new Error('ECONNRESET'))).not.toThrow();
  });
});

test.each([
  ['/a/b?c=d&c=e', '/a/b', ['d', 'e']],
  ['/a', '/a', []],
  ['/a?', '/a', []],
  ['/a?c=1?c=2', '/a', ['1?c=2']],
  ['/a?c=%2F+%ZZ', '/a', ['/ %ZZ']],
  [undefined, '/', []],
])('the path and the query of %s', (url, path, values) => {
  expect([pathOf(request(url)), queryOf(request(url)).getAll('c')]).toEqual([path, values]);
});

test.each([
  ['/a?b', '/a?b'],
  ['http://x/a?b', '/a?b'],
  ['HTTPS://x@y:1/a', '/a'],
  ['http://x', '/'],
  ['http://x?b', '/?b'],
  // Of what follows, no name can be read.
  ['http://[/socket.io/', '/socket.io/'],
  ['http://a:b:c/', '/'],
  ['//a/b', '//a/b'],
  ['*', '*'],
  ['', ''],
])('the target %s is %s', (given, expected) => {
  expect(originForm(given)).toBe(expected);
});
