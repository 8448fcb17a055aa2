import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  NO_SPAN,
  NO_TRACING,
  type SpanBeginning,
  type SpanEnd,
  type Tracing,
} from '../../../../src/core/tracing.js';
import { beginTrail } from '../../../../src/profiles/http/request-trail.js';

/** An answer that notes its headers. */
class NotedAnswer extends EventEmitter {
  readonly headers: Record<string, unknown> = {};
  statusCode = 200;

  setHeader(name: string, value: unknown): void {
    this.headers[name] = value;
  }
}

function begin(headers: Record<string, unknown>, tracing: Tracing = NO_TRACING) {
  const res = new NotedAnswer();
  const req = { method: 'POST', headers } as unknown as IncomingMessage;
  const trail = beginTrail(tracing, 'POST /x', req, res as unknown as ServerResponse);
  return { ...trail, res };
}

describe('beginTrail', () => {
  test('takes the id that a request brings, if it is one', () => {
    const { id, res } = begin({ 'x-request-id': 'A.b_c-9' });
    expect([id, res.headers]).toEqual(['A.b_c-9', { 'X-Request-Id': 'A.b_c-9' }]);
  });

  test('whatever comes as an id, what is answered and logged is a good one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ minLength: 129 }), fc.array(fc.string())), (asked) => {
        const { id, res } = begin({ 'x-request-id': asked });
        expect(id).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
        expect(res.headers['X-Request-Id']).toBe(id);
      }),
    );
  });

  test('listens to nothing where nothing is traced', () => {
    const { span, res } = begin({ traceparent: '00-x' });
    expect([span, res.listenerCount('close')]).toEqual([NO_SPAN, 0]);
  });

  test('ends its span with the answer, as failed where that is its own fault', () => {
    const begun: SpanBeginning[] = [];
    const ended: (SpanEnd | undefined)[] = [];
    const tracing: Tracing = {
      on: true,
      begin: (_name, beginning) => {
        begun.push(beginning);
        return { traceparent: 'its own', end: (end) => ended.push(end) };
      },
    };
    for (const status of [202, 404, 503]) {
      const { res, span } = begin({ traceparent: 'a parent' }, tracing);
      expect(span.traceparent).toBe('its own');
      res.statusCode = status;
      res.emit('close');
    }
    expect(begun[0]).toMatchObject({ kind: 'server', parent: 'a parent' });
    expect(ended.map((end) => end?.failed)).toEqual([undefined, undefined, '503']);
    expect(ended[1]?.attributes).toEqual({ 'http.response.status_code': 404 });
  });
});
