import { beforeEach, describe, expect, test } from '@jest/globals';
import { type CommandSpec, DEFAULT_QUEUEING } from '../../../../src/core/control/command-queue.js';
import { CommandJournal } from '../../../../src/core/control/command-journal.js';
import { CommandRegistry } from '../../../../src/core/control/command-registry.js';
import { CommandGate } from '../../../../src/core/control/gate.js';
import { LocalQueue } from '../../../../src/core/control/process/local-queue.js';
import { MemoryCommandStore } from '../../../../src/core/control/process/memory-command-store.js';
import { MemoryRateLimit } from '../../../../src/core/control/process/memory-rate-limit.js';
import { Refusal } from '../../../../src/core/errors.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { type LegacyMapping, parseLegacyMapping } from '../../../../src/profiles/socketio/legacy-mapping.js';
import {
  type Answer,
  type Requester,
  Requests,
  roomsOf,
} from '../../../../src/profiles/socketio/requests.js';
import { DeliveryRig, type RigClient } from '../../../support/delivery-rig.js';
import { HeldLog } from '../../../support/held-log.js';
import { newEvent } from '../../../support/new-event.js';
import { freeCaller, keyCaller } from '../../../support/caller.js';
import { silentLogger } from '../../../support/silent-logger.js';

const mapping = parseLegacyMapping({
  events: {
    everything: { snapshot: 'all' },
    some: { snapshot: ['status'] },
    governor_control: {
      command: 'governor.{action}',
      values: { action: ['start', 'break', 'missing'] },
      reply: { type: 'governor_update', otherwise: { running: false } },
    },
    quiet: { command: 'governor.start' },
    told: { command: 'told', reply: { type: 'governor_update', otherwise: {} } },
  },
}) as LegacyMapping;

const specOf = (action: string, publishes: CommandSpec['publishes'] = null): CommandSpec => ({
  action,
  timeoutMs: 1000,
  role: undefined,
  publishes,
  where: 'local',
  ...DEFAULT_QUEUEING,
});

const types = EventTypes.parse(
  { status: { policy: 'latest' }, load: { policy: 'latest' }, governor_update: { policy: 'latest' } },
  ['default'],
) as EventTypes;

let rig: DeliveryRig;
let client: RigClient;
let requests: Requests;
let emitted: [string, unknown][];
let requester: Requester;

beforeEach(() => {
  rig = new DeliveryRig({ log: new HeldLog(), types });
  rig.log.start(rig.delivery.tail);
  rig.log.enter('ready');
  client = rig.open(['a']);
  const commands = [
    { spec: specOf('governor.start'), handler: () => ({ running: true }) },
    { spec: specOf('governor.break'), handler: () => new Refusal('command_failed', 'it broke') },
    { spec: specOf('told', { type: 'governor_update', room: 'a' }), handler: () => ({ running: true }) },
    { spec: specOf('echo'), handler: (data: unknown) => data },
  ];
  const journal = new CommandJournal({
    clock: rig.clock,
    logger: silentLogger,
    counters: rig.counters,
    actions: [],
  });
  const gate = new CommandGate({
    registry: new CommandRegistry(commands.map(({ spec }) => spec)),
    store: new MemoryCommandStore({
      queue: new LocalQueue(commands, silentLogger),
      publish: () => Promise.resolve([]),
      clock: rig.clock,
      logger: silentLogger,
      counters: rig.counters,
      journal,
    }),
    rateLimit: new MemoryRateLimit(0),
    clock: rig.clock,
    journal,
    controlWaitMs: 1000,
  });
  const registry = new CommandRegistry(commands.map(({ spec }) => spec));
  requests = new Requests({ delivery: rig.delivery, gate, registry, mapping, types });
  emitted = [];
  requester = {
    session: client.session,
    principal: freeCaller(),
    address: '10.0.0.1',
    withKey: (apiKey) => (apiKey === undefined ? freeCaller() : keyCaller('key:page', { command: ['*'] })),
    emit: (type, data) => emitted.push([type, data]),
  };
});

const ask = (name: string, sent?: unknown): Promise<Answer> => requests.answer(requester, name, sent);

const error = (code: string): object => ({ error: expect.objectContaining({ code }) });

describe('Requests', () => {
  test('join and leave answer the rooms, or why not', async () => {
    expect(await ask('join', ['b', 'c'])).toEqual({ rooms: ['a', 'b', 'c'] });
    expect(await ask('leave', { rooms: 'b' })).toEqual({ rooms: ['a', 'c'] });
    expect(await ask('join', 'no room')).toEqual(error('invalid_room'));
    expect(await ask('leave', 7)).toEqual(error('invalid_room'));
    expect([...client.session.rooms.keys()]).toEqual(['a', 'c']);
  });

  test('a snapshot goes to the requester alone, all of it or the types of the mapping', async () => {
    const other = rig.open(['a']);
    await rig.publish([
      newEvent({ type: 'status', dataJson: '"old"' }),
      newEvent({ type: 'status', dataJson: '"up"' }),
      newEvent({ type: 'load', dataJson: '9' }),
      newEvent({ type: 'note', dataJson: '"no value"' }),
    ]);
    const [before, beforeOther] = [client.outlet.data.length, other.outlet.data.length];
    expect(await ask('everything')).toEqual({ events: 2 });
    await rig.clock.turn(250);
    expect(client.outlet.data.slice(before)).toEqual(['up', 9]);
    expect(await ask('some')).toEqual({ events: 1 });
    await rig.clock.turn(250);
    expect(client.outlet.data.slice(before)).toEqual(['up', 9, 'up']);
    expect(other.outlet.data).toHaveLength(beforeOther);
  });

  test('an event named like an action is that command, with what was sent as its data', async () => {
    expect(await ask('echo', { any: 1 })).toMatchObject({ status: 'succeeded', result: { any: 1 } });
    expect(emitted).toEqual([]);
  });

  test('control names the action, the data and the idempotency key', async () => {
    const asked = { action: 'echo', data: 5, idempotencyKey: 'k' };
    const first = await ask('control', asked);
    expect(first).toMatchObject({ status: 'succeeded', result: 5 });
    expect(await ask('control', asked)).toEqual(first);
    expect(await ask('control', { ...asked, data: 6 })).toEqual(error('idempotency_mismatch'));
    expect(await ask('control', { ...asked, idempotencyKey: 7 })).toEqual(error('bad_request'));
    for (const sent of [undefined, null, 'echo', [], {}]) {
      expect(await ask('control', sent)).toEqual(error('invalid_action'));
    }
  });

  test('a mapped command that succeeds is replied to with its result', async () => {
    expect(await ask('governor_control', { action: 'start' })).toMatchObject({ status: 'succeeded' });
    expect(emitted).toEqual([['governor_update', { running: true }]]);
  });

  test('but not where it comes as an event: that would come twice, and out of order', async () => {
    expect(await ask('told')).toMatchObject({ status: 'succeeded' });
    expect(emitted).toEqual([]);
    await ask('join', 'b');
    await ask('leave', 'a');
    expect(await ask('told')).toMatchObject({ status: 'succeeded' });
    expect(emitted).toEqual([['governor_update', { running: true }]]);
  });

  test.each([
    ['is refused', { action: 'missing' }, 'unknown_action'],
    ['is none of the values', { action: 'x' }, 'invalid_action'],
    ['fails', { action: 'break' }, 'command_failed'],
  ])(
    'a mapped command that %s is replied to with what there is to fall back on',
    async (_what, sent, code) => {
      expect(await ask('governor_control', sent)).toMatchObject(error(code));
      expect(emitted).toEqual([['governor_update', { running: false, ...error(code) }]]);
    },
  );

  test('or with the newest value, where one is known', async () => {
    await rig.publish([newEvent({ type: 'governor_update', dataJson: '{"running":true}' })]);
    const before = client.outlet.data.length;
    expect(await ask('governor_control', {})).toEqual(error('invalid_action'));
    await rig.clock.turn(250);
    expect(emitted).toEqual([]);
    expect(client.outlet.data.slice(before)).toEqual([{ running: true }]);
  });

  test('a mapped command without a reply is only acked', async () => {
    expect(await ask('quiet')).toMatchObject({ status: 'succeeded' });
    expect(emitted).toEqual([]);
  });

  test.each(['nonsense', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'the event %j is unknown',
    async (name) => {
      expect(await ask(name, {})).toEqual(error('unknown_event'));
    },
  );
});

describe('roomsOf', () => {
  test.each([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [{ room: 'a' }, ['a']],
    [{ room: ['a', 'b'] }, ['a', 'b']],
    [{ rooms: 'a' }, ['a']],
    [{ rooms: ['a', 7] }, ['a', 7]],
    [{ rooms: ['a'], room: 'b' }, ['a']],
    [{}, [undefined]],
    [null, [undefined]],
    [undefined, [undefined]],
    [7, [undefined]],
    [{ rooms: null }, [null]],
  ])('of %j are %j', (sent, rooms) => {
    expect(roomsOf(sent)).toEqual(rooms);
  });

  test('of what is nested deeper than the stack are none, in no time', () => {
    let sent: unknown = 'a';
    for (let depth = 0; depth < 200_000; depth += 1) sent = { rooms: sent };
    expect(roomsOf(sent)).toEqual([(sent as { rooms: unknown }).rooms]);
  });
});
