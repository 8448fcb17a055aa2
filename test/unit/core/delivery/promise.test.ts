import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { DeliverySettings } from '../../../../src/core/delivery/delivery-settings.js';
import type { NewEvent } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { type LogBounds, MemoryLog } from '../../../../src/core/log/memory-log.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { newEvent } from '../../../support/new-event.js';
import { PromisedClient, type PublishedEvent } from '../../../support/promised-client.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const ROOMS = ['a', 'b', 'c'];
const CLIENTS = 3;
const AMPLE: LogBounds = { maxEvents: 1e6, maxBytes: 1e12 };
/** Stands for a lot of data, so that a failing sequence stays readable. */
const BIG = '"big"';
const BIG_DATA = `"${'x'.repeat(90_000)}"`;
const TYPES = EventTypes.parse(
  { value: { policy: 'latest' }, wide: { policy: 'append', rooms: ['a', 'b'] } },
  ['c'],
) as EventTypes;

type Step =
  | { readonly do: 'publish'; readonly events: readonly NewEvent[] }
  | { readonly do: 'turn'; readonly ms: number }
  | { readonly do: 'join' | 'leave'; readonly client: number; readonly room: string }
  | { readonly do: 'disconnect'; readonly client: number; readonly lost: number }
  | { readonly do: 'connect' | 'stall' | 'drain' | 'ping' | 'read' | 'snapshot'; readonly client: number };

const client = fc.nat(CLIENTS - 1);
const room = fc.constantFrom(...ROOMS);
const event: fc.Arbitrary<NewEvent> = fc.oneof(
  { weight: 5, arbitrary: room.map((room) => newEvent({ room })) },
  { weight: 3, arbitrary: fc.record({ room, key: fc.constantFrom('k', 'l') }).map(newEvent) },
  { weight: 2, arbitrary: room.map((room) => newEvent({ room, type: 'value' })) },
  { weight: 1, arbitrary: fc.constant(newEvent({ room: undefined, type: 'wide' })) },
  { weight: 1, arbitrary: room.map((room) => newEvent({ room, dataJson: BIG })) },
  { weight: 1, arbitrary: fc.constant(newEvent({ room: 'others' })) },
);

function only<Name extends string>(name: Name): fc.Arbitrary<{ do: Name; client: number }> {
  return fc.record({ do: fc.constant(name), client });
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      events: fc.array(event, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('turn' as const), ms: fc.constantFrom(0, 0, 10, 50, 300, 1500) }),
  },
  { weight: 3, arbitrary: only('stall') },
  { weight: 4, arbitrary: only('drain') },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('disconnect' as const), client, lost: fc.nat(4) }) },
  { weight: 4, arbitrary: only('connect') },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), client, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), client, room }) },
  { weight: 2, arbitrary: only('ping') },
  { weight: 1, arbitrary: only('read') },
  { weight: 1, arbitrary: only('snapshot') },
);

interface World {
  readonly rig: DeliveryRig<MemoryLog>;
  readonly clients: PromisedClient[];
}

function setUp(log: LogBounds, memory: LogBounds): World {
  const clock = new TurnedClock();
  const settings: Partial<DeliverySettings> = { memory, maxBacklogMs: 4000, maxRoomSize: 2 };
  const rig = new DeliveryRig({ log: new MemoryLog(clock, log), clock, types: TYPES }, settings);
  const published: PublishedEvent[] = [];
  let epoch = '';
  const { tail } = rig.delivery;
  rig.log.start({
    reset: (of, floor) => {
      epoch = of;
      tail.reset(of, floor);
    },
    caughtUp: (isCaughtUp) => {
      tail.caughtUp(isCaughtUp);
    },
    entries: (batch) => {
      for (const entry of batch) published.push(...TYPES.place(entry, 0).map((one) => ({ ...one, epoch })));
      tail.entries(batch);
    },
  });
  const starts = [['a'], ['a', 'b'], ['a', 'b', 'c']];
  const node = { delivery: rig.delivery, untold: () => published.length };
  return { rig, clients: starts.map((rooms) => new PromisedClient(node, published, rooms)) };
}

async function run({ rig, clients }: World, steps: readonly Step[]): Promise<void> {
  for (const one of clients) one.connect();
  for (const step of steps) await take(step, rig, clients);
  for (const one of clients) one.connect();
  // One that is not writable may be ended as a slow consumer meanwhile, and come back.
  // Each round is a write or two: what is read from the log comes in pages.
  for (let round = 0; round < 20; round += 1) {
    for (const one of clients) {
      one.drain();
      one.connect();
    }
    await rig.clock.turn(1500);
  }
  for (const one of clients) {
    one.read();
    one.check();
    one.disconnect(0);
  }
  expect(rig.delivery.status()).toMatchObject({ rooms: {}, sessions: { sse: 0 } });
}

async function publish(events: readonly NewEvent[], { log }: World['rig']): Promise<void> {
  await log.append(
    events.map((event) => (event.dataJson === BIG ? { ...event, dataJson: BIG_DATA } : event)),
  );
}

async function take(step: Step, rig: World['rig'], clients: readonly PromisedClient[]): Promise<void> {
  if (step.do === 'publish') return publish(step.events, rig);
  if (step.do === 'turn') return rig.clock.turn(step.ms);
  const one = clients[step.client] as PromisedClient;
  if (step.do === 'join' || step.do === 'leave') return one[step.do](step.room);
  if (step.do === 'disconnect') return one.disconnect(step.lost);
  if (step.do === 'snapshot') return one.askForSnapshot();
  return one[step.do]();
}

function promise(log: LogBounds, memory: LogBounds, check: (world: World) => void): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const world = setUp(log, memory);
      await run(world, steps);
      check(world);
    }),
    { numRuns: Number(process.env['PROMISE_RUNS'] ?? 120) },
  );
}

describe('the promise: every append event once and in order, every final value, or a gap', () => {
  test('with ample memory nothing is lost and nobody is told of a gap', () =>
    promise(AMPLE, AMPLE, ({ clients }) => expect(clients.map(({ gaps }) => gaps)).toEqual([0, 0, 0])));

  test('with a log that holds more than memory', () =>
    promise(AMPLE, { maxEvents: 6, maxBytes: 1e12 }, () => undefined));

  test('with a log that is trimmed all the time', () =>
    promise({ maxEvents: 12, maxBytes: 1e12 }, { maxEvents: 6, maxBytes: 1e12 }, () => undefined));
});
