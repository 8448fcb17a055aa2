import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { type LaunchedWorker, launchWorker } from '../support/launched-worker.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { TraceCollector } from '../support/trace-collector.js';
import { waitUntil } from '../support/wait-until.js';

/** Texts that must be nowhere; each is told apart. */
const secrets: string[] = [];
function secret(what: string): string {
  const text = `${what}-${randomBytes(12).toString('hex')}`;
  secrets.push(text);
  return text;
}

const KEY = secret('api-key');
const JWT_SECRET = secret('jwt-secret-of-more-than-32-characters');

let collector: TraceCollector;
let gateway: LaunchedGateway;
let worker: LaunchedWorker;

/** What the gateway and its worker logged, as the objects that its lines are. */
const lines = (): Record<string, unknown>[] =>
  [gateway, worker].flatMap((one) =>
    one
      .output()
      .split('\n')
      // What follows the last line's end is not whole yet.
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );

const linesWith = (fields: Record<string, unknown>): Record<string, unknown>[] =>
  lines().filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value));

/** The same, once there is one. */
async function told(fields: Record<string, unknown>): Promise<Record<string, unknown>[]> {
  await waitUntil(() => linesWith(fields).length > 0, `a line with ${JSON.stringify(fields)}`);
  return linesWith(fields);
}

const ask = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> =>
  requestJson(method, `${gateway.url}${path}`, body, { 'X-API-Key': KEY, ...headers });

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token, which is a secret. */
function jwt(claims: object): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  const token = `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`;
  secrets.push(token, token.slice(token.lastIndexOf('.') + 1));
  return token;
}

/** A new trace, as a client that traces begins one. */
function newTrace(): { traceId: string; parent: string; traceparent: string } {
  const traceId = randomBytes(16).toString('hex');
  const parent = randomBytes(8).toString('hex');
  return { traceId, parent, traceparent: `00-${traceId}-${parent}-01` };
}

beforeAll(async () => {
  collector = await TraceCollector.listening();
  const everything = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };
  const [, , host] = testRedisUrl().split('/');
  const shared = {
    // A Redis without a password takes any.
    REDIS_URL: `redis://:${secret('redis-password')}@${String(host)}`,
    REDIS_KEY_PREFIX: `test-${randomUUID()}`,
    LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${secret('collector-key')}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  [gateway, worker] = await Promise.all([
    launchGateway({
      ...shared,
      APP_PROFILE: 'HYBRID',
      AUTH_MODE: 'token',
      API_KEYS: JSON.stringify([{ id: 'tester', key: KEY, ...everything }]),
      JWT_SECRET,
      COMMANDS_MODULE: 'test/support/commands.mjs',
      CONTROL_RATE_PER_SECOND: '1000',
    }),
    launchWorker({ ...shared, OTEL_SERVICE_NAME: 'flipgate-worker' }),
  ]);
});

afterAll(async () => {
  await killLaunched();
  await collector.close();
});

describe('a trace', () => {
  test('joins a publication with the flush that delivered it', async () => {
    const { traceId, parent, traceparent } = newTrace();
    const events = [
      { type: 'load', room: 'default' },
      { type: 'load', room: 'other' },
    ];
    const { status } = await ask('POST', '/api/events', events, { traceparent });
    expect(status).toBe(202);
    await waitUntil(() => collector.trace(traceId)['deliver'] !== undefined, 'the delivery');
    await waitUntil(() => collector.trace(traceId)['POST /api/events'] !== undefined, 'the publication');
    const { deliver, 'POST /api/events': published } = collector.trace(traceId);
    expect(published).toMatchObject({ parentSpanId: parent, service: 'flipgate', failed: undefined });
    expect(published?.attributes).toMatchObject({ 'http.response.status_code': 202 });
    expect(deliver).toMatchObject({ parentSpanId: published?.spanId, service: 'flipgate' });
    expect(Number(deliver?.attributes['flipgate.events'])).toBeGreaterThan(0);
    expect(deliver?.endMs).toBeGreaterThanOrEqual(deliver?.startMs ?? Infinity);
  });

  test('joins a command with its queue, its worker and its outcome', async () => {
    const { traceId, parent, traceparent } = newTrace();
    const { json } = await ask('POST', '/api/control', { action: 'test.echo', data: 1 }, { traceparent });
    expect(json).toMatchObject({ status: 'succeeded' });
    const names = ['POST /api/control', 'queue', 'execute', 'outcome'];
    await waitUntil(() => names.every((name) => collector.trace(traceId)[name]), 'all four');
    const { 'POST /api/control': request, queue, execute, outcome } = collector.trace(traceId);
    expect(request).toMatchObject({ parentSpanId: parent, service: 'flipgate' });
    expect(queue).toMatchObject({ parentSpanId: request?.spanId, service: 'flipgate' });
    expect(execute).toMatchObject({ parentSpanId: queue?.spanId, service: 'flipgate-worker' });
    expect(outcome).toMatchObject({ parentSpanId: queue?.spanId, service: 'flipgate' });
    for (const span of [queue, execute, outcome])
      expect(span?.attributes).toMatchObject({ 'flipgate.command.id': json.id });
  });

  test('says how a command failed, also one that the gateway executes', async () => {
    for (const action of ['test.fail', 'host-monitor.interval']) {
      const { traceId, traceparent } = newTrace();
      await ask('POST', '/api/control', { action, data: 'x' }, { traceparent });
      await waitUntil(() => collector.trace(traceId)['outcome'] !== undefined, 'the outcome');
      await waitUntil(() => collector.trace(traceId)['execute'] !== undefined, 'the execution');
      const { execute, outcome } = collector.trace(traceId);
      expect(outcome?.failed).toMatch(/^(command_failed|bad_request)$/);
      expect(execute?.failed).toBe(outcome?.failed);
    }
  });

  test('is not kept where its client does not keep it, and begun where there is none', async () => {
    const { traceId, parent } = newTrace();
    await ask('POST', '/api/events', { type: 'load' }, { traceparent: `00-${traceId}-${parent}-00` });
    const before = collector.spans.filter(({ name }) => name === 'POST /api/events').length;
    await ask('POST', '/api/events', { type: 'load' }, { traceparent: 'no traceparent' });
    const requests = () => collector.spans.filter(({ name }) => name === 'POST /api/events');
    await waitUntil(() => requests().length > before, 'the second one');
    expect(requests().at(-1)?.parentSpanId).toBeUndefined();
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});

/** Lines about requests that were refused, and how many more there would have been. */
const refused = (): number => linesWith({ audit: 'command', action: 'flood.it' }).length;
const leftOut = (): number =>
  linesWith({ audit: 'command', level: 'warn' }).reduce((sum, line) => sum + Number(line['leftOut']), 0);

describe('the log', () => {
  test('joins a request, its command, the job and the outcome by their ids', async () => {
    const request = `my.request_${String(Date.now())}`;
    const headers = { 'X-Request-Id': request };
    const answer = await ask('POST', '/api/control', { action: 'test.echo', data: 'private' }, headers);
    expect(answer.headers['x-request-id']).toBe(request);
    const { id } = answer.json as { id: string };
    const principal = 'key:tester';
    await told({ id, message: 'a command succeeded' });
    expect(await told({ request })).toEqual([
      expect.objectContaining({ audit: 'command', level: 'info', id, action: 'test.echo', principal }),
    ]);
    expect(await told({ id, message: 'a command ended' })).toEqual([
      expect.objectContaining({ audit: 'command', outcome: 'succeeded', ms: expect.any(Number) }),
    ]);
    expect(linesWith({ id, message: 'a command begins' })).toHaveLength(1);
    expect(JSON.stringify(linesWith({ id }))).not.toContain('private');
  });

  test('has a line for what was refused, and gives requests an id that bring none, or a bad one', async () => {
    for (const asked of [{}, { 'X-Request-Id': 'a b' }, { 'X-Request-Id': 'x'.repeat(129) }]) {
      const { headers, json } = await ask('POST', '/api/control', { action: 'no.such' }, asked);
      expect(json).toMatchObject({ error: { code: 'unknown_action' } });
      const request = headers['x-request-id'];
      expect(request).toMatch(/^[\da-f-]{36}$/);
      expect(await told({ request })).toEqual([
        expect.objectContaining({ audit: 'command', action: 'no.such', code: 'unknown_action' }),
      ]);
    }
  });

  test('is not flooded by requests that are refused', async () => {
    for (let round = 0; round < 10; round += 1)
      await Promise.all(
        Array.from({ length: 20 }, () => ask('POST', '/api/control', { action: 'flood.it' })),
      );
    await waitUntil(() => refused() + leftOut() === 200, 'all to be told of');
    expect(leftOut()).toBeGreaterThan(100);
  });

  test('has who asked for a flip, from where, and by which request', async () => {
    const headers = { 'X-Request-Id': 'flip-it' };
    const { json } = await ask('PUT', '/api/admin/profile', { profile: 'WEBSOCKET' }, headers);
    const flip = (json as { flip: { id: number } }).flip.id;
    expect(await told({ request: 'flip-it' })).toEqual([
      expect.objectContaining({ audit: 'flip', by: 'key:tester', address: '127.0.0.1', flip }),
    ]);
    expect(linesWith({ audit: 'flip', flip, message: 'the profile is being flipped' })).toHaveLength(1);
    await ask('PUT', '/api/admin/profile', { profile: 'nonsense' }, { 'X-Request-Id': 'refuse-it' });
    expect(await told({ request: 'refuse-it' })).toEqual([
      expect.objectContaining({ audit: 'flip', code: 'invalid_profile' }),
    ]);
    await ask('PUT', '/api/admin/profile', { profile: 'HYBRID' });
  });

  test('has publications only where it is debugged', async () => {
    const { headers } = await ask('POST', '/api/events', { type: 'load', data: 'private' });
    const [line, ...others] = await told({ request: headers['x-request-id'] });
    expect(line).toMatchObject({ level: 'debug', events: 1, principal: 'key:tester' });
    expect([others, JSON.stringify(line).includes('private')]).toEqual([[], false]);
  });
});

/** All ways to show a token or a key over HTTP. */
const CARRIERS: readonly ((token: string) => {
  headers?: Record<string, string>;
  query?: string;
  body?: object;
})[] = [
  (token) => ({ headers: { Authorization: `Bearer ${token}` } }),
  (token) => ({ headers: { Authorization: `Basic ${token}` } }),
  (token) => ({ headers: { 'X-API-Key': token } }),
  (token) => ({ headers: { Cookie: `flipgate_token=${token}`, 'Sec-Fetch-Site': 'same-origin' } }),
  (token) => ({ query: `access_token=${token}` }),
  (token) => ({ query: `apiKey=${token}` }),
  (token) => ({ headers: { 'X-API-Key': KEY }, body: { apiKey: token } }),
  (token) => ({ headers: { 'X-API-Key': KEY }, body: { data: { apiKey: token } } }),
];

const ROUTES: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['GET', '/api/admin/status'],
  ['GET', '/api/admin/commands'],
  ['GET', '/metrics'],
  ['GET', '/api/rooms/default/state'],
  ['GET', '/no/such/path'],
  ['POST', '/api/control', { action: 'test.echo' }],
  ['POST', '/api/governor/control', { action: 'start' }],
  ['POST', '/api/events', { type: 'load' }],
  ['POST', '/api/sessions/x/rooms', { join: ['a'] }],
  ['PUT', '/api/admin/profile', { profile: 'HYBRID' }],
];

describe('secrets', () => {
  test('are in no log, no answer, no status, no metric and no trace', async () => {
    const soon = Math.floor(Date.now() / 1000) + 600;
    const rights = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };
    const tokens = () => [
      KEY,
      secret('wrong-key'),
      jwt({ sub: 'someone', exp: soon, flipgate: rights }),
      jwt({ sub: 'someone', exp: 1, flipgate: rights }),
      `${jwt({ sub: 'someone', exp: soon })}x`,
      `eyJhbGciOiJub25lIn0.${secret('unsigned')}.`,
    ];
    const answers: string[] = [];
    for (const carrier of CARRIERS) {
      for (const token of tokens()) {
        const { headers = {}, query = '', body = {} } = carrier(token);
        for (const [method, path, sent] of ROUTES) {
          const address = `${gateway.url}${path}?${query}`;
          const bytes = sent === undefined ? undefined : { ...sent, ...body };
          const answer = await requestJson(method, address, bytes, headers);
          answers.push(answer.text, JSON.stringify(answer.headers));
        }
      }
    }
    // What is not even a request for something.
    const headers = { Authorization: `Bearer ${secret('with-bad-body')}`, 'X-API-Key': KEY };
    answers.push(
      (await requestJson('POST', `${gateway.url}/api/control`, `{${secret('bad-json')}`, headers)).text,
    );
    answers.push(
      (await requestJson('GET', `${gateway.url}/api/events/stream?apiKey=${secret('stream')}`)).text,
    );
    answers.push((await requestJson('GET', `${gateway.url}/socket.io/?apiKey=${secret('poll')}&EIO=4`)).text);
    for (const auth of [{ token: secret('io-token') }, { apiKey: secret('io-key') }]) {
      const socket = io(gateway.url, { auth, reconnection: false, transports: ['websocket'] });
      const error = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
      answers.push(error.message, JSON.stringify(error));
      socket.close();
    }
    const legacy = io(gateway.url, { auth: { apiKey: KEY }, reconnection: false, transports: ['websocket'] });
    await new Promise<void>((resolve) => legacy.once('connect', resolve));
    for (const apiKey of [KEY, secret('emitted')])
      answers.push(
        JSON.stringify(await legacy.emitWithAck('control', { action: 'test.echo', data: { apiKey } })),
      );
    legacy.close();
    answers.push((await ask('GET', '/api/admin/status')).text, (await ask('GET', '/metrics')).text);
    expect(answers.filter((text) => text.includes('"error"')).length).toBeGreaterThan(100);
    const told = [...answers, JSON.stringify(collector.spans), gateway.output(), worker.output()];
    const found = secrets.filter((one) => told.some((text) => text.includes(one)));
    expect(found).toEqual([]);
  });
});
