import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { SignJWT } from 'jose';
import { io, type Socket } from 'socket.io-client';
import { DocumentSchemas, type Place } from '../support/document-schemas.js';
import { type JsonAnswer, requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { waitUntil } from '../support/wait-until.js';

interface MessageEntry {
  readonly examples: readonly [{ readonly payload: unknown }];
}

interface Document {
  readonly channels: Record<
    string,
    {
      readonly address: string;
      readonly parameters?: Record<string, { readonly default: string }>;
      readonly messages: Record<string, MessageEntry>;
    }
  >;
  readonly operations: Record<
    string,
    { readonly reply?: { readonly messages: readonly { $ref: string }[] } }
  >;
}

const PREFIX = `test-${randomUUID()}`;
const CHANNEL = `${PREFIX}-events`;
const SECRET = 'a secret of at least thirty-two bytes';
const KEY = 'the-key-of-one-who-may-all';
const ALL = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };
const NONSENSE = 'none-of-its-cursors';

const closers: (() => void)[] = [];
let gateway: LaunchedGateway;
let redis: Redis;
let worker: Worker;
let document: Document;
let schemas: DocumentSchemas;
/** What the worker does with a job; and the jobs it was given. */
let work: (job: Job) => unknown = () => ({ running: true });
const jobs: Job[] = [];

beforeAll(async () => {
  redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
  worker = new Worker(
    'governor',
    async (job) => {
      jobs.push(job);
      return work(job);
    },
    { connection: { url: testRedisUrl() }, prefix: `{${PREFIX}}` },
  );
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([{ id: 'all', key: KEY, ...ALL }]),
    JWT_SECRET: SECRET,
    REDIS_URL: testRedisUrl(),
    REDIS_KEY_PREFIX: PREFIX,
    REDIS_CHANNELS: CHANNEL,
    COMMANDS_MODULE: 'test/support/elsewhere-commands.mjs',
    CONTROL_RATE_PER_SECOND: '1000',
  });
  document = (await requestJson('GET', `${gateway.url}/asyncapi.json`)).json;
  schemas = new DocumentSchemas(document);
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

afterAll(async () => {
  await killLaunched();
  await worker.close();
  redis.disconnect();
});

const ask = (method: string, path: string, body?: unknown): Promise<JsonAnswer> =>
  requestJson(method, `${gateway.url}${path}`, body, { 'X-API-Key': KEY });

const publish = (event: object): Promise<JsonAnswer> => ask('POST', '/api/events', event);

const exampleOf = (channel: string, message: string): unknown =>
  document.channels[channel]?.messages[message]?.examples[0].payload;

/** What is wrong with a message, its headers included where it has some. */
function faultsOf(channel: string, message: string, payload: unknown, headers?: object): string[] {
  const place: Place = ['channels', channel, 'messages', message];
  if (document.channels[channel]?.messages[message] === undefined) return [`${channel} has no ${message}`];
  const faults = schemas.faultsOf(payload, [...place, 'payload']);
  if (headers !== undefined) faults.push(...schemas.faultsOf(headers, [...place, 'headers']));
  return faults.map((fault) => `${message} ${JSON.stringify(payload)}: ${fault}`);
}

/** Which of the messages that the document names as an operation's reply this is. */
function replyTo(operation: string, answer: unknown): string[] {
  const replies = document.operations[operation]?.reply?.messages ?? [];
  const places = replies.map(({ $ref }) => $ref.slice(2).split('/'));
  const fitting = places.filter((place) => schemas.faultsOf(answer, [...place, 'payload']).length === 0);
  return fitting.map((place) => String(place.at(-1)));
}

/** What a client was sent: names of messages, and all that was wrong with them. */
class Heard {
  readonly names: string[] = [];
  readonly faults: string[] = [];
  isOver = false;

  constructor(
    readonly channel: string,
    readonly nameOf: (name: string) => string = (name) => name,
  ) {}

  take(name: string, payload: unknown, headers?: object): void {
    this.names.push(name);
    this.faults.push(...faultsOf(this.channel, this.nameOf(name), payload, headers));
  }

  async has(...names: readonly string[]): Promise<void> {
    const missing = (): string[] => names.filter((name) => !this.names.includes(name));
    await waitUntil(() => missing().length === 0, `${missing().join()} beside ${this.names.join()}`);
  }
}

/** Reads a stream by its blocks: a comment and a `retry:` are no messages. */
async function follow(query: string, token = KEY): Promise<Heard> {
  const heard = new Heard('stream');
  let text = '';
  const request = http.get(
    `${gateway.url}/api/events/stream?${query}&access_token=${token}`,
    { agent: false },
    (response) => {
      response.setEncoding('utf8').on('data', (part: string) => {
        const blocks = (text + part).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) readBlock(block, heard);
      });
      response.on('close', () => {
        heard.isOver = true;
      });
    },
  );
  request.on('error', () => undefined);
  closers.push(() => request.destroy());
  await heard.has('welcome');
  return heard;
}

function readBlock(block: string, heard: Heard): void {
  const lines = block.split('\n').filter((line) => !line.startsWith(':') && !line.startsWith('retry: '));
  const fields = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const data = fields.get('data');
  fields.delete('data');
  if (data !== undefined)
    heard.take(fields.get('event') ?? 'events', JSON.parse(data), Object.fromEntries(fields));
}

function connect(heard: Heard, auth: object): Socket {
  const socket = io(gateway.url, { transports: ['websocket'], forceNew: true, auth, reconnection: false });
  socket.onAny((name: string, ...args: unknown[]) => {
    heard.take(name, args);
  });
  socket.on('disconnect', () => {
    heard.isOver = true;
  });
  closers.push(() => socket.disconnect());
  return socket;
}

const connectBundle = (heard: Heard): Socket =>
  connect(heard, { bundle: true, rooms: ['default'], lastEventId: NONSENSE, token: KEY });
const connectLegacy = (heard: Heard): Socket => connect(heard, { apiKey: KEY });
const bundleHeard = (): Heard =>
  new Heard('bundles', (name) => (name === 'governor_update' ? 'reply' : name));
const legacyHeard = (): Heard => new Heard('legacy', () => 'event');

const flip = (profile: string): Promise<unknown> => ask('PUT', '/api/admin/profile', { profile });

const eventsOf = async (type: string): Promise<{ data: unknown }[]> => {
  const { json } = await ask('GET', '/api/rooms/default/events?limit=1000');
  return json.events.filter((event: { type: string }) => event.type === type);
};

describe('what is sent', () => {
  test('over a stream', async () => {
    const heard = await follow(`rooms=default&lastEventId=${NONSENSE}`);
    await heard.has('gap');
    await publish({ type: 'kb_update', room: 'default', key: 'a', data: [1] });
    await heard.has('events');
    await flip('WEBSOCKET');
    await heard.has('profile_changed');
    await waitUntil(() => heard.isOver);
    await flip('HYBRID');
    expect(heard.faults).toEqual([]);
  });

  test('to a client that asks for bundles', async () => {
    const heard = new Heard('bundles');
    connectBundle(heard);
    await heard.has('welcome', 'gap');
    await publish({ type: 'kb_update', room: 'default', key: 'a', data: [2] });
    await heard.has('events');
    await flip('SSE');
    await heard.has('profile_changed');
    await waitUntil(() => heard.isOver);
    await flip('HYBRID');
    expect(heard.faults).toEqual([]);
  });

  test('to a legacy client', async () => {
    const heard = legacyHeard();
    connectLegacy(heard);
    await heard.has('connection_status', 'kb_update');
    await publish({ type: 'fact_added', data: null });
    await heard.has('fact_added');
    expect(heard.faults).toEqual([]);
  });

  test('to those whose token expires', async () => {
    const token = await new SignJWT({ flipgate: ALL, sub: 'ann', exp: Math.floor(Date.now() / 1000) + 2 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET));
    const bundles = new Heard('bundles');
    connect(bundles, { bundle: true, token });
    const stream = await follow('', token);
    await Promise.all([bundles.has('welcome', 'token_expired'), stream.has('token_expired')]);
    expect([bundles.faults, stream.faults]).toEqual([[], []]);
  });

  test.each([
    ['invalid_room', { bundle: true, rooms: ['a b'], token: KEY }],
    ['unauthenticated', { bundle: true }],
    ['invalid_token', { apiKey: 'a-key-that-nobody-has' }],
  ])('to a client that is refused: %s', async (code, auth) => {
    const socket = connect(new Heard('bundles'), auth);
    const error = await new Promise<{ data?: { error: { code: string } } }>(
      (resolve) => void socket.on('connect_error', resolve),
    );
    expect(schemas.faultsOf(error.data, ['components', 'schemas', 'Error'])).toEqual([]);
    expect(error.data?.error.code).toBe(code);
  });
});

describe.each([
  { channel: 'bundles', kind: 'Bundle', open: connectBundle, heardBy: bundleHeard },
  { channel: 'legacy', kind: 'Legacy', open: connectLegacy, heardBy: legacyHeard },
])('what a client of $channel asks', ({ channel, kind, open, heardBy }) => {
  test.each([
    ['join', 'join', 'Join', 'rooms'],
    ['leave', 'leave', 'Leave', 'rooms'],
    ['control', 'control', 'Control', 'state'],
    ['host-monitor.interval', 'action', 'Control', 'state'],
    ['governor_control', 'mapped', 'Mapped', 'state'],
  ])(
    '%s is answered as documented, with the example of the document',
    async (name, message, operation, reply) => {
      const heard = heardBy();
      const socket = open(heard).timeout(5000);
      const answer: unknown = await socket.emitWithAck(name, ...(exampleOf(channel, message) as unknown[]));
      expect([replyTo(`take${kind}${operation}`, answer), heard.faults]).toEqual([[reply], []]);
      if (reply === 'state') expect(answer).toMatchObject({ status: 'succeeded' });
    },
  );

  test.each([
    ['join', [['a b']], 'Join', 'refused'],
    ['leave', [7], 'Leave', 'refused'],
    ['control', [{ action: 'governor.missing' }], 'Control', 'refused'],
    ['control', [{ action: 'host-monitor.interval', data: { ms: 1 } }], 'Control', 'state'],
    ['governor_control', [{ action: 'explode' }], 'Mapped', 'refused'],
    ['request_initial_data', [], 'Mapped', 'snapshot'],
    ['what_is_this', [], 'Mapped', 'refused'],
  ])('%s %j is answered as documented', async (name, args, operation, reply) => {
    const heard = heardBy();
    const answer: unknown = await open(heard)
      .timeout(5000)
      .emitWithAck(name, ...args);
    expect([replyTo(`take${kind}${operation}`, answer), heard.faults]).toEqual([[reply], []]);
  });
});

describe('by Redis', () => {
  test('what is added to the log, where the document says, comes to its room', async () => {
    const { address = '', parameters = {} } = document.channels['log'] ?? {};
    const key = address
      .replace('{prefix}', PREFIX)
      .replace('{log}', () => String(parameters['log']?.default));
    const fields = exampleOf('log', 'added') as Record<string, string>;
    await redis.xadd(key, '*', ...Object.entries({ ...fields, type: 'by_xadd' }).flat());
    await waitUntil(async () => (await eventsOf('by_xadd')).length === 1, 'the entry');
    expect((await eventsOf('by_xadd'))[0]?.data).toEqual(JSON.parse(String(fields['data'])));
  });

  test('what is published comes to the rooms of its type', async () => {
    const message = exampleOf('published', 'published') as { data: unknown };
    const send = (): Promise<number> =>
      redis.publish(CHANNEL, JSON.stringify({ ...message, type: 'by_publish' }));
    await waitUntil(
      async () => (await send()) > 0 && (await eventsOf('by_publish')).length > 0,
      'the message',
    );
    expect((await eventsOf('by_publish'))[0]?.data).toEqual(message.data);
  });

  test('a worker is given what the document says, and its result is the outcome', async () => {
    const result = exampleOf('jobs', 'result');
    work = () => result;
    const { json } = await ask('POST', '/api/control', {
      action: 'governor.start',
      data: [1],
    });
    expect(json).toMatchObject({ status: 'succeeded', result });
    const job = jobs.find(({ id }) => id === json.id);
    expect([job?.name, job?.data.data, faultsOf('jobs', 'job', job?.data)]).toEqual([
      'governor.start',
      [1],
      [],
    ]);
  });

  test('and what it throws is the failure', async () => {
    const reason = String(exampleOf('jobs', 'failure'));
    expect(faultsOf('jobs', 'failure', reason)).toEqual([]);
    work = () => {
      throw new Error(reason);
    };
    const { json } = await ask('POST', '/api/control', { action: 'governor.start' });
    const [, code, message] = /^\[(\w+)\] (.*)$/.exec(reason) ?? [];
    expect(json).toMatchObject({ status: 'failed', error: { code, message } });
  });
});

test('who is connected to a node that goes down is told so', async () => {
  const bundles = new Heard('bundles');
  connectBundle(bundles);
  await bundles.has('welcome');
  const stream = await follow('');
  gateway.process.kill('SIGTERM');
  await Promise.all([bundles.has('draining'), stream.has('draining')]);
  expect([bundles.faults, stream.faults]).toEqual([[], []]);
});
