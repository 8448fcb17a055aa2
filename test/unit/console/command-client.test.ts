import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type CommandAnswer, sendCommand } from '../../../src/console/command-client.js';

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly key: string | null;
  readonly body: unknown;
}

const realFetch = globalThis.fetch;
let answers: (Response | Error)[];
let asked: Asked[];

beforeEach(() => {
  jest.useFakeTimers();
  answers = [];
  asked = [];
  globalThis.fetch = async (url, init = {}) => {
    asked.push({
      url: url instanceof Request ? url.url : url.toString(),
      method: init.method ?? 'GET',
      key: new Headers(init.headers).get('Idempotency-Key'),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    });
    // The last answer is given again and again.
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
    return Promise.resolve(answer.clone());
  };
});

afterEach(() => {
  globalThis.fetch = realFetch;
  jest.useRealTimers();
});

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

async function send(data?: object): Promise<CommandAnswer> {
  const command = { path: '/api/control', action: 'host-monitor.stop' };
  const answer = sendCommand(data === undefined ? command : { ...command, data });
  await jest.advanceTimersByTimeAsync(40_000);
  return await answer;
}

describe('sendCommand', () => {
  it('gives the result', async () => {
    answers = [json(200, { id: 'c1', status: 'succeeded', result: { running: false } })];
    const answer = await send({ ms: 5 });
    expect(answer.kind === 'succeeded' && answer.result.flag('running')).toBe(false);
    expect(asked).toMatchObject([
      { url: '/api/control', method: 'POST', body: { action: 'host-monitor.stop', data: { ms: 5 } } },
    ]);
  });

  it('sends each command under a key of its own', async () => {
    answers = [json(200, { status: 'succeeded' })];
    await send();
    answers = [json(200, { status: 'succeeded' })];
    await send();
    expect(asked[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(asked[1]?.key).not.toBe(asked[0]?.key);
    expect(asked[0]?.body).toEqual({ action: 'host-monitor.stop' });
  });

  it('follows a queued command to its outcome', async () => {
    const queued = { id: 'c/1', status: 'queued' };
    answers = [
      json(202, queued),
      json(200, queued),
      json(200, { ...queued, status: 'succeeded', result: {} }),
    ];
    expect((await send()).kind).toBe('succeeded');
    expect(asked.map(({ url }) => url)).toEqual(['/api/control', '/api/control/c%2F1', '/api/control/c%2F1']);
  });

  it('says that a queued command failed, though the question for it was answered well', async () => {
    const error = { code: 'command_failed', message: 'it broke', retryable: false };
    answers = [json(202, { id: 'c1', status: 'queued' }), json(200, { id: 'c1', status: 'failed', error })];
    expect(await send()).toEqual({ kind: 'refused', message: 'it broke', retryAfterMs: undefined });
  });

  it('says that a command is queued still after half a minute', async () => {
    answers = [json(202, { id: 'c1', status: 'queued' }), json(200, { id: 'c1', status: 'queued' })];
    expect(await send()).toEqual({ kind: 'queued' });
  });

  it('says why a command was refused, and when to try again', async () => {
    const error = { code: 'rate_limited', message: 'too many', retryable: true };
    answers = [json(429, { error: { ...error, retryAfterMs: 250 } })];
    expect(await send()).toEqual({ kind: 'refused', message: 'too many', retryAfterMs: 250 });
    answers = [json(429, { error }, { 'Retry-After': '2' })];
    expect(await send()).toEqual({ kind: 'refused', message: 'too many', retryAfterMs: 2000 });
  });

  it('makes do with a proxy’s answer, and with none', async () => {
    answers = [new Response('<h1>Bad Gateway</h1>', { status: 502 })];
    expect(await send()).toMatchObject({ kind: 'refused', message: 'The gateway answered 502.' });
    answers = [new Error('fetch failed')];
    expect(await send()).toMatchObject({ kind: 'refused', message: 'The gateway could not be reached.' });
  });
});
