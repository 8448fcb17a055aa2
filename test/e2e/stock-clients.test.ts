import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { launchExecuting } from '../support/launched-worker.js';
import { PollingSession } from '../support/polling-session.js';
import { publish } from '../support/publish.js';
import { freePort } from '../support/redis-server.js';
import { StockClient, type StockMode, type StockVersion } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const WAYS = ([4, 3, 2] as const).flatMap((version) =>
  (['websocket', 'polling', 'upgrade'] as const).map((mode) => [version, mode] as const),
);

const clients: StockClient[] = [];
let gateway: LaunchedGateway;
let marks = 0;

beforeAll(async () => {
  gateway = await launchExecuting({
    COMMANDS_MODULE: 'test/support/commands.mjs',
    CONTROL_RATE_PER_SECOND: '1000',
  });
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(killLaunched);

/** A client that has been greeted and has all there was; `mark` is the last event it got. */
async function connect(url: string, version: StockVersion, mode: StockMode): Promise<StockClient> {
  const client = new StockClient(version, url, mode);
  clients.push(client);
  await waitUntil(() => client.events.length > 0, `version ${String(version)} to be greeted over ${mode}`);
  if (mode === 'upgrade') await waitUntil(() => client.transport === 'websocket', 'the upgrade');
  await mark(url, client);
  return client;
}

/** Publishes an event of its own and waits until all have it: what was sent before has arrived then. */
async function mark(url: string, ...all: StockClient[]): Promise<void> {
  const data = `mark ${String(++marks)}`;
  await publish(url, { type: 'fact_added', data });
  await waitUntil(() => all.every((client) => client.dataOf('fact_added').includes(data)), data);
}

describe.each(WAYS)('the stock client, version %i over %s', (version, mode) => {
  test('is greeted with connection_status before anything else', async () => {
    const client = await connect(gateway.url, version, mode);
    expect(client.events[0]).toEqual({ name: 'connection_status', args: [{ connected: true }] });
    expect(client.transport).toBe(mode === 'polling' ? 'polling' : 'websocket');
  });

  test('gets each event under its own type, with its data as the one argument, never in bundles', async () => {
    const client = await connect(gateway.url, version, mode);
    const from = client.events.length;
    const odd = { text: 'ä\r\n\0\u2028😀', list: [1, [2]], nothing: null };
    const events = [
      { type: 'kb_update', data: { facts: 1 } },
      { type: 'fact_added', data: odd },
      { type: 'fact_added', data: [1, 2, 3] },
      { type: 'never.heard:of-it', data: null },
      { type: 'fact_added', data: 'text' },
      { type: 'gpu_update', key: 'gpu-1', data: 7 },
      { type: 'gpu_update', key: 'gpu-2', data: false },
    ];
    await publish(gateway.url, events);
    await publish(gateway.url, { type: 'fact_added', room: 'elsewhere', data: 'not for it' });
    await mark(gateway.url, client);
    // Outcomes of commands that an earlier client asked for may still come.
    const got = client.events.slice(from, -1).filter(({ name }) => name !== 'command_outcome');
    expect(got).toEqual(events.map(({ type, data }) => ({ name: type, args: [data] })));
  });

  test('gets both shapes of system_status_update, neither swallowed by the other', async () => {
    const client = await connect(gateway.url, version, mode);
    const run = Math.random();
    const shapes = [
      { status: 'operational', run },
      { cpu: 1, memory: 2, run },
    ];
    await publish(
      gateway.url,
      shapes.map((data) => ({ type: 'system_status_update', data })),
    );
    await mark(gateway.url, client);
    const seen = client
      .dataOf('system_status_update')
      .filter((data) => (data as { run?: number }).run === run);
    expect(seen).toEqual(shapes);
  });

  test('is given the newest values at request_initial_data, alone, with and without an ack', async () => {
    const asker = await connect(gateway.url, version, mode);
    const other = await connect(gateway.url, version, mode);
    await publish(gateway.url, [
      { type: 'kb_update', data: 'old' },
      { type: 'kb_update', data: 'newest' },
      { type: 'llm_status', data: 'up' },
    ]);
    await mark(gateway.url, asker, other);
    const [from, fromOther] = [asker.events.length, other.events.length];
    asker.emit('request_initial_data');
    const { events } = await asker.ask('request_initial_data', {});
    await mark(gateway.url, asker, other);
    const answer = asker.events.slice(from, -1);
    expect(answer).toHaveLength(2 * Number(events));
    expect(answer.filter(({ name }) => name === 'kb_update').map(({ args }) => args)).toEqual([
      ['newest'],
      ['newest'],
    ]);
    expect(answer).toContainEqual({ name: 'llm_status', args: ['up'] });
    expect(other.events.slice(fromOther, -1)).toEqual([]);
  });

  test('is given the status, the values and the knowledge base at request_status, and no more than that', async () => {
    const client = await connect(gateway.url, version, mode);
    await publish(gateway.url, [
      { type: 'llm_status', data: 'up' },
      { type: 'initial_data', data: 'initial' },
      { type: 'kb_update', data: 'knowledge' },
      { type: 'hrm_update', data: 'model' },
      { type: 'kb_metrics', data: 'not asked for' },
    ]);
    await mark(gateway.url, client);
    const from = client.events.length;
    client.emit('request_status', null);
    // Its ack tells that the request before it has been seen, which the mark, over a connection of its own, does not.
    await client.ask('no_such_event', {});
    await mark(gateway.url, client);
    const names = client.events.slice(from, -1).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['llm_status', 'initial_data', 'kb_update', 'hrm_update']));
    expect(names).not.toContain('kb_metrics');
  });

  test('runs governor_control without an ack and is told by governor_update, running at its top level', async () => {
    const client = await connect(gateway.url, version, mode);
    for (const [action, running] of [
      ['start', true],
      ['stop', false],
    ] as const) {
      const from = client.dataOf('governor_update').length;
      client.emit('governor_control', { action });
      await waitUntil(() => client.dataOf('governor_update').length > from, 'governor_update');
      expect(client.dataOf('governor_update').at(-1)).toEqual({ running, since: expect.any(Number) });
    }
  });

  test('runs governor_control with an ack, which says how it ended', async () => {
    const client = await connect(gateway.url, version, mode);
    const from = client.dataOf('governor_update').length;
    expect(await client.ask('governor_control', { action: 'start' })).toEqual({
      id: expect.any(String),
      action: 'governor.start',
      status: 'succeeded',
      result: { running: true, since: expect.any(Number) },
    });
    await waitUntil(() => client.dataOf('governor_update').length > from, 'governor_update');
    for (const asked of [
      { action: 'explode' },
      { action: ['start'] },
      { action: '__proto__' },
      'start',
      null,
    ]) {
      expect(await client.ask('governor_control', asked)).toMatchObject({
        error: { code: 'invalid_action' },
      });
    }
    expect(await client.ask('test.echo', { any: ['command', 1] })).toMatchObject({
      status: 'succeeded',
      result: { any: ['command', 1] },
    });
    expect(await client.ask('control', { action: 'test.echo', data: 5 })).toMatchObject({ result: 5 });
    expect(await client.ask('control', { action: 'test.fail' })).toMatchObject({
      status: 'failed',
      error: { code: 'command_failed', message: 'it failed as it should' },
    });
  });

  test('joins and leaves rooms', async () => {
    const client = await connect(gateway.url, version, mode);
    const room = `room-${String(version)}-${mode}`;
    await publish(gateway.url, { type: 'engine_status', room, data: 'snapshot' });
    expect(await client.ask('join', room)).toEqual({ rooms: ['default', room] });
    expect(await client.ask('join', { rooms: [room, 'b'] })).toEqual({ rooms: ['default', room, 'b'] });
    await publish(gateway.url, { type: 'engine_status', room, data: 'live' });
    await waitUntil(() => client.dataOf('engine_status').at(-1) === 'live', 'the event of the room');
    expect(client.dataOf('engine_status')).toEqual(['snapshot', 'live']);
    expect(await client.ask('leave', { room })).toEqual({ rooms: ['default', 'b'] });
    expect(await client.ask('leave', ['b', 'b', 'never-joined'])).toEqual({ rooms: ['default'] });
    await publish(gateway.url, { type: 'engine_status', room, data: 'after' });
    await mark(gateway.url, client);
    expect(client.dataOf('engine_status')).toEqual(['snapshot', 'live']);
  });

  test('is not disconnected whatever it sends, and every ack comes', async () => {
    const client = await connect(gateway.url, version, mode);
    const names = [
      'nonsense',
      '',
      '__proto__',
      'constructor',
      'toString',
      'a b',
      '💥',
      'x'.repeat(10_000),
      7,
    ];
    // Version 2 keeps this name to itself.
    if (version !== 2) names.push('error');
    for (const name of names) {
      const answer = await client.ask(name, { any: 'thing' });
      expect(answer).toEqual({
        error: { code: 'unknown_event', message: expect.any(String), retryable: false },
      });
    }
    const bytes = Buffer.from([0, 1, 2, 255]);
    const many = Array.from({ length: 50_000 }, (_, index) => `room-${String(index)}`);
    const oddities = [
      null,
      0,
      true,
      '',
      'no room',
      [],
      [[]],
      [bytes],
      bytes,
      {},
      { room: null },
      { rooms: {} },
    ];
    for (const name of [
      'join',
      'leave',
      'governor_control',
      'request_initial_data',
      'control',
      'test.echo',
    ]) {
      for (const sent of [...oddities, many, { rooms: many }]) {
        expect(typeof (await client.ask(name, sent))).toBe('object');
      }
      expect(typeof (await client.ask(name))).toBe('object');
      expect(typeof (await client.ask(name, undefined, 'a second', { third: 1 }))).toBe('object');
      client.emit(name);
      client.emit(name, null, null);
    }
    expect(await client.ask('join', many)).toMatchObject({ error: { code: 'too_many_rooms' } });
    expect(await client.ask('control', { action: 'test.echo', idempotencyKey: 7 })).toMatchObject({
      error: { code: 'bad_request' },
    });
    await mark(gateway.url, client);
    expect([client.connects, client.disconnects]).toEqual([1, []]);
  });
});

test('without any commands module a governor_update still follows, and says what is wrong', async () => {
  const { url } = await launchGateway();
  for (const version of [4, 3, 2] as const) {
    const client = await connect(url, version, 'websocket');
    const refusal = { code: 'unknown_action', message: expect.any(String), retryable: false };
    expect(await client.ask('governor_control', { action: 'start' })).toEqual({ error: refusal });
    await waitUntil(() => client.dataOf('governor_update').length > 0, 'governor_update');
    expect(client.dataOf('governor_update')).toEqual([{ running: false, error: refusal }]);
    expect(client.disconnects).toEqual([]);
  }
});

test('commands beyond the rate are refused with the time to wait, each answered, nobody disconnected', async () => {
  const { url } = await launchExecuting({ COMMANDS_MODULE: 'test/support/commands.mjs' });
  const client = await connect(url, 4, 'websocket');
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => client.ask('governor_control', { action: 'start' })),
  );
  const refused = answers.filter(({ error }) => error !== undefined);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(5);
  expect(refused.length).toBeGreaterThan(0);
  for (const { error } of refused) {
    expect(error).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: expect.any(Number) });
  }
  expect(client.disconnects).toEqual([]);
});

test('every append event arrives at every stock client, however many there are in a second', async () => {
  const { url } = await launchGateway();
  const all = await Promise.all(WAYS.map(([version, mode]) => connect(url, version, mode)));
  const sent = Array.from({ length: 600 }, (_, number) => `append ${String(number)}`);
  for (const data of sent) await publish(url, { type: 'fact_added', data });
  await mark(url, ...all);
  for (const client of all) {
    const got = client.dataOf('fact_added').filter((data) => String(data).startsWith('append'));
    expect(got).toEqual(sent);
  }
});

test('a flush to a client that polls is one payload', async () => {
  const { url } = await launchGateway();
  const session = await PollingSession.open(url);
  await session.send('40');
  while (!(await session.receive()).some((packet) => packet.includes('connection_status')));
  const polled = session.receive();
  // Once this was answered, the poll has come, too.
  await requestJson('GET', `${url}/healthz`);
  const data = Array.from({ length: 50 }, (_, number) => number);
  await publish(
    url,
    data.map((number) => ({ type: 'fact_added', data: number })),
  );
  expect(await polled).toEqual(data.map((number) => `42["fact_added",${String(number)}]`));
});

test.each([
  ['command_outcome', {}],
  ['my.outcome', { COMMAND_OUTCOME_TYPE: 'my.outcome' }],
])(
  "the outcome of somebody else's command comes as %s, never as the page's own command_response",
  async (type, variables) => {
    const { url } = await launchExecuting({ COMMANDS_MODULE: 'test/support/commands.mjs', ...variables });
    const page = await connect(url, 4, 'websocket');
    const other = await connect(url, 4, 'polling');
    expect(await other.ask('test.echo', 'mine')).toMatchObject({ status: 'succeeded', result: 'mine' });
    await other.ask('test.fail', 'mine');
    await waitUntil(() => page.dataOf(type).length === 2, 'the outcomes');
    expect(page.dataOf(type)).toMatchObject([
      { action: 'test.echo', status: 'succeeded', result: 'mine' },
      { action: 'test.fail', status: 'failed' },
    ]);
    expect(page.dataOf('command_response')).toEqual([]);
  },
);

test('ALLOW_EIO3=false refuses version 2 and no other', async () => {
  const { url } = await launchGateway({ ALLOW_EIO3: 'false' });
  for (const mode of ['websocket', 'polling'] as const) {
    const old = new StockClient(2, url, mode, { reconnection: false });
    clients.push(old);
    await waitUntil(() => old.errors.length > 0, 'the refusal');
    expect([old.connects, old.events]).toEqual([0, []]);
  }
  const refused = await requestJson('GET', `${url}/socket.io/?EIO=3&transport=polling`);
  expect([refused.status, refused.json]).toEqual([400, expect.objectContaining({ code: 5 })]);
  await connect(url, 3, 'websocket');
  await connect(url, 4, 'polling');
});

test('clients of every version come back by themselves after a restart on the same port', async () => {
  const port = String(await freePort());
  const first = await launchGateway({ PORT: port });
  const all = await Promise.all(
    WAYS.filter(([, mode]) => mode !== 'upgrade').map(([version, mode]) => connect(first.url, version, mode)),
  );
  expect(await first.stop()).toBe(0);
  await waitUntil(() => all.every(({ disconnects }) => disconnects.length > 0), 'all to lose the connection');
  const second = await launchGateway({ PORT: port });
  await waitUntil(() => all.every(({ connects }) => connects === 2), 'all to come back', 25_000);
  // "io server disconnect" would have made them stay away. A poll is answered by nobody, or with 404.
  expect(all.flatMap(({ disconnects }) => disconnects)).toEqual(
    all.map(({ transport }) => (transport === 'polling' ? 'transport error' : 'transport close')),
  );
  await mark(second.url, ...all);
});

describe('what no client library would send', () => {
  const deep = `${'{"rooms":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

  test.each([
    ['rooms nested too deep, on connecting', `40{"bundle":true,"rooms":${deep}}`],
    ['rooms nested too deep, on connecting as a legacy client', `40{"rooms":${deep}}`],
    ['a namespace that is none', '40/other,{}'],
    ['no JSON', '40{"bundle":'],
    ['an auth that is a list', '40["bundle"]'],
    ['an event before it connected', '42["join","a"]'],
  ])('%s does not end the process', async (_what, packet) => {
    const session = await PollingSession.open(gateway.url);
    await session.send(packet);
    expect((await requestJson('GET', `${gateway.url}/healthz`)).status).toBe(200);
    expect(gateway.process.exitCode).toBeNull();
  });

  test.each([
    ['an event of rooms nested too deep', `420["join",${deep}]`],
    ['a command of data nested too deep', `420["test.echo",${deep}]`],
    ['an event named like a reserved one', '42["disconnect",1]'],
    ['an event without a name', '42[]'],
    ['an event that is no list', '42{"a":1}'],
    ['an attachment that never comes', '4551-["join",{"_placeholder":true,"num":0}]'],
    ['an ack that nobody waits for', '4399[1]'],
    ['a packet of no type', '49'],
  ])('%s does not end the process', async (_what, packet) => {
    const session = await PollingSession.open(gateway.url);
    await session.send('40');
    await session.receive();
    await session.send(packet);
    await session.send('42["nonsense"]');
    expect((await requestJson('GET', `${gateway.url}/healthz`)).status).toBe(200);
    expect(gateway.process.exitCode).toBeNull();
  });

  test('more than a client may send before it is admitted is refused', async () => {
    const session = await PollingSession.open(gateway.url);
    await session.send(`40{"bundle":true,"rooms":${deep}}`);
    const [packet = ''] = await session.receive();
    expect(packet.slice(0, 2)).toBe('44');
    expect(JSON.parse(packet.slice(2))).toMatchObject({ data: { error: { code: 'payload_too_large' } } });
  });
});
