import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlClient } from '../../../src/client/index.js';
import { publishEvents } from '../../../src/client/publish-events.js';

/** An answer of the gateway's: a status, a body, `Retry-After`; or a connection that is cut. */
type Scripted = { readonly status: number; readonly body?: unknown; readonly retryAfter?: string } | 'cut';

let server: Server;
let url: string;
let script: Scripted[];
let asked: { readonly line: string; readonly headers: IncomingMessage['headers']; readonly at: number }[];

beforeEach(async () => {
  script = [];
  asked = [];
  server = createServer((req, res) => {
    asked.push({ line: `${String(req.method)} ${String(req.url)}`, headers: req.headers, at: Date.now() });
    const next = script.shift() ?? 'cut';
    if (next === 'cut') {
      req.socket.destroy();
      return;
    }
    if (next.retryAfter !== undefined) res.setHeader('Retry-After', next.retryAfter);
    res.writeHead(next.status).end(typeof next.body === 'string' ? next.body : JSON.stringify(next.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function refusal(status: number, code: string, { retryable = true, retryAfterMs = 10 } = {}): Scripted {
  return { status, body: { error: { code, message: code, retryable, retryAfterMs } } };
}

const DONE: Scripted = { status: 200, body: { id: 'c', action: 'a', status: 'succeeded', result: 7 } };
const QUEUED: Scripted = { status: 202, body: { id: 'c', action: 'a', status: 'queued' } };

function send(options = {}): Promise<unknown> {
  let tokens = 0;
  return new ControlClient(`${url}/api/control`, { token: () => `t${String((tokens += 1))}` }).send(
    'a',
    1,
    options,
  );
}

describe('a command', () => {
  it('is tried again with one key and a fresh token, on 429, 503 and lost connections', async () => {
    script = [
      refusal(429, 'rate_limited'),
      refusal(503, 'queue_full'),
      { status: 502, body: '<html>' },
      'cut',
      DONE,
    ];
    expect(await send()).toBe(7);
    expect(asked.map(({ line }) => line)).toEqual(Array.from({ length: 5 }, () => 'POST /api/control'));
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `Bearer t${String(n)}`),
    );
  });

  it('is followed where it takes longer, also past what is refused on the way', async () => {
    script = [QUEUED, refusal(503, 'queue_unavailable'), QUEUED, DONE];
    expect(await send({ idempotencyKey: 'mine' })).toBe(7);
    expect(asked.map(({ line }) => line)).toEqual([
      'POST /api/control',
      ...Array.from({ length: 3 }, () => 'GET /api/control/c'),
    ]);
    expect(asked[0]?.headers['idempotency-key']).toBe('mine');
  });

  it('waits for the time that the body names, else for that of the header', async () => {
    script = [refusal(503, 'queue_full', { retryAfterMs: 300 }), DONE];
    await send();
    expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(300);
    script = [
      {
        status: 429,
        body: { error: { code: 'rate_limited', message: '', retryable: true } },
        retryAfter: '1',
      },
    ];
    await expect(send({ timeoutMs: 900 })).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 1000,
    });
  });

  it.each([
    [refusal(404, 'unknown_action', { retryable: false }), 'unknown_action'],
    [refusal(500, 'internal'), 'internal'],
    [refusal(409, 'idempotency_mismatch', { retryable: false }), 'idempotency_mismatch'],
    [{ status: 400, body: 'no JSON' }, 'unreachable'],
    // An outcome, and as such the same whenever it is asked for.
    [
      {
        status: 503,
        body: { id: 'c', status: 'failed', error: { code: 'worker_gone', message: '', retryable: true } },
      },
      'worker_gone',
    ],
  ] as const)('is not tried again on %j', async (answer, code) => {
    script = [answer, DONE];
    await expect(send()).rejects.toMatchObject({ name: 'GatewayError', code });
    expect(asked).toHaveLength(1);
  });

  it('ends in time, whatever it waits for', async () => {
    script = Array.from({ length: 50 }, () => refusal(503, 'queue_full', { retryAfterMs: 60_000 }));
    await expect(send()).rejects.toMatchObject({ code: 'queue_full', retryAfterMs: 60_000 });
    script = Array.from({ length: 50 }, () => QUEUED);
    await expect(send({ timeoutMs: 700 })).rejects.toMatchObject({ code: 'timeout' });
    const signal = AbortSignal.timeout(100);
    script = Array.from({ length: 50 }, () => QUEUED);
    await expect(send({ signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('rejects with what its token’s source rejects with', async () => {
    const client = new ControlClient(url, { token: () => Promise.reject(new Error('signed out')) });
    await expect(client.send('a')).rejects.toThrow('signed out');
  });
});

function publish(): Promise<readonly string[]> {
  return publishEvents({ url: () => `${url}/api/events`, token: 't', events: { type: 'a' } });
}

describe('a publication', () => {
  it('is tried again where nothing was stored', async () => {
    script = [
      refusal(429, 'rate_limited'),
      refusal(503, 'log_unavailable'),
      { status: 202, body: { ids: ['1-0'] } },
    ];
    expect(await publish()).toEqual(['1-0']);
  });

  it.each([
    [refusal(503, 'outcome_unknown'), 'outcome_unknown'],
    ['cut', 'unreachable'],
    [{ status: 503, body: '<html>' }, 'unreachable'],
    [refusal(500, 'internal'), 'internal'],
    [refusal(400, 'invalid_type', { retryable: false }), 'invalid_type'],
  ] as const)('is not tried again on %j', async (answer, code) => {
    script = [answer, { status: 202, body: { ids: ['1-0'] } }];
    await expect(publish()).rejects.toMatchObject({ code });
    expect(asked).toHaveLength(1);
  });
});
