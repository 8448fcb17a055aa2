import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Event, NewEvent } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { HeldLog } from '../../../support/held-log.js';
import { newEvent } from '../../../support/new-event.js';
import { SdkPlaceClient } from '../../../support/sdk-place-client.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const TYPES = EventTypes.parse({ value: { policy: 'latest' }, shape: { policy: 'latest', per: 'shape' } }, [
  'a',
]) as EventTypes;
/** Two rooms it is always in, and one that it leaves and joins again. */
const ROOMS = ['a', 'b', 'c'];

type Step =
  | { readonly do: 'publish'; readonly events: readonly NewEvent[] }
  | { readonly do: 'tell'; readonly node: number; readonly count: number }
  | { readonly do: 'connect'; readonly node: number }
  | { readonly do: 'disconnect'; readonly lost: number }
  | { readonly do: 'hop'; readonly from: number; readonly lost: number; readonly count: number }
  | { readonly do: 'turn' | 'read' | 'ping' | 'change' | 'ask' };

const room = fc.constantFrom(...ROOMS);
const members = fc.constantFrom('{"cpu":1}', '{"disk":1}', '{"cpu":1,"disk":1}', '[1]', '1');
const event: fc.Arbitrary<NewEvent> = fc.oneof(
  room.map((room) => newEvent({ room })),
  fc.record({ room, dataJson: members }).map(newEvent),
  fc.record({ room, key: fc.constantFrom('k', 'l') }).map(newEvent),
  fc.record({ room, dataJson: members }).map((parts) => newEvent({ ...parts, type: 'shape' })),
  // Where a room begins anew, nobody but the gateway knows that values with other members are of the same thing.
  fc
    .record({ room: fc.constantFrom('a', 'b'), dataJson: members })
    .map((parts) => newEvent({ ...parts, type: 'value' })),
  fc.constant(newEvent({ room: 'c', type: 'value' })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      events: fc.array(event, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('tell' as const), node: fc.nat(1), count: fc.nat(5) }),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom<Step>(
      { do: 'turn' },
      { do: 'turn' },
      { do: 'read' },
      { do: 'ping' },
      { do: 'ask' },
    ),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('connect' as const), node: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('disconnect' as const), lost: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'change' }) },
  // One node flushes all there is, the client loses the end of it and goes on at the other, which has read less.
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('hop' as const),
      from: fc.nat(1),
      lost: fc.nat(3),
      count: fc.nat(4),
    }),
  },
);

/** Two nodes that read one log, each as far as the test says, and a client of the SDK that goes from one to the other. */
class World {
  readonly client = new SdkPlaceClient(ROOMS);
  readonly published: Event[] = [];
  readonly #clock = new TurnedClock();
  readonly #nodes = [0, 1].map(() => {
    const rig = new DeliveryRig({ log: new HeldLog(), clock: this.#clock, types: TYPES });
    rig.log.start(rig.delivery.tail);
    rig.log.enter('ready');
    return rig;
  });

  /** Begins with a cursor, in front of everything. */
  async begin(): Promise<void> {
    await this.take({ do: 'connect', node: 0 });
    await this.take({ do: 'turn' });
    this.client.ping();
    this.client.read();
    expect(this.client.place.cursor).not.toBeNull();
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'publish') {
      const [ids = []] = this.#nodes.map(({ log }) => log.store(step.events));
      for (const [index, event] of step.events.entries())
        this.published.push(...TYPES.place({ ...event, id: ids[index] as string }, 0));
    } else if (step.do === 'tell') this.#nodes[step.node]?.log.tell(step.count);
    else if (step.do === 'connect') this.client.connect((this.#nodes[step.node] as DeliveryRig).delivery);
    else if (step.do === 'disconnect') this.client.disconnect(step.lost);
    else if (step.do === 'turn') await this.#clock.turn(300);
    else if (step.do === 'hop') await this.#hop(step.from, step.lost, step.count);
    else if (step.do === 'change') this.client.change('c');
    else this.client[step.do]();
  }

  async #hop(from: number, lost: number, count: number): Promise<void> {
    await this.take({ do: 'connect', node: from });
    await this.take({ do: 'tell', node: from, count: Infinity });
    await this.take({ do: 'turn' });
    await this.take({ do: 'disconnect', lost });
    await this.take({ do: 'tell', node: 1 - from, count });
    await this.take({ do: 'connect', node: 1 - from });
    await this.take({ do: 'turn' });
  }

  /** Every node has read all, and the client is connected and has read what it was given. */
  async end(): Promise<void> {
    for (const { log } of this.#nodes) log.tell();
    for (let round = 0; round < 5; round += 1) {
      if (!this.client.isConnected) await this.take({ do: 'connect', node: round % 2 });
      await this.#clock.turn(1500);
      this.client.ask();
    }
  }
}

const counter = (id: string): number => Number(id.split('-')[0]);

function check({ client, published }: World): void {
  const { told, place, gaps } = client;
  expect(gaps).toBe(0);
  const slots = new Map(published.map(({ room, id, slot }) => [`${room} ${id}`, slot]));
  const newest = new Map<string, number>();
  for (const { room, id } of told) {
    const slot = slots.get(`${room} ${id}`);
    if (slot === null || slot === undefined) continue;
    const before = newest.get(`${room} ${slot}`) ?? 0;
    if (counter(id) < before) throw new Error(`${room} ${slot}: ${id} came after ${String(before)}`);
    newest.set(`${room} ${slot}`, counter(id));
  }
  for (const { room, slot, id } of published) {
    if (slot === null || !place.rooms.includes(room)) continue;
    const has = newest.get(`${room} ${slot}`) ?? 0;
    if (has < counter(id)) throw new Error(`${room} ${slot}: it has ${String(has)}, not ${id}`);
  }
  for (const name of ['a', 'b']) {
    const isAppend = ({ room, id }: { room: string; id: string }): boolean =>
      room === name && slots.get(`${room} ${id}`) === null;
    expect(told.filter(isAppend).map(({ id }) => id)).toEqual(published.filter(isAppend).map(({ id }) => id));
  }
}

async function run(steps: readonly Step[]): Promise<World> {
  const world = new World();
  await world.begin();
  for (const one of steps) await world.take(one);
  await world.end();
  check(world);
  return world;
}

describe('the promise, as the SDK keeps it between nodes that have not read equally far', () => {
  test('no older value after a newer one, every final value, every append event once and in order', async () => {
    let resumed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        resumed += (await run(steps)).client.resumed;
      }),
      { numRuns: Number(process.env['PROMISE_RUNS'] ?? 300) },
    );
    expect(resumed).toBeGreaterThan(100);
  });

  test.each<[string, Partial<NewEvent>[]]>([
    ['with a key', [{ key: 'k' }, { key: 'k' }, { key: 'k' }]],
    [
      'of a type that is latest',
      [{ type: 'value' }, { type: 'value', dataJson: '{"cpu":1}' }, { type: 'value', dataJson: '[1]' }],
    ],
  ])('cut inside a flush and resumed at a node that is behind: a value %s', async (_name, parts) => {
    const [first, older, newer] = parts.map((part) => newEvent(part)) as [NewEvent, NewEvent, NewEvent];
    const { client } = await run([
      { do: 'publish', events: [first] },
      { do: 'tell', node: 0, count: 1 },
      { do: 'tell', node: 1, count: 1 },
      { do: 'turn' },
      { do: 'read' },
      // One flush: room a, then room b. The block of room b, which has the cursor, is lost.
      { do: 'publish', events: [older, newer, newEvent({ room: 'b' })] },
      { do: 'tell', node: 0, count: 3 },
      { do: 'turn' },
      { do: 'disconnect', lost: 1 },
      { do: 'tell', node: 1, count: 1 },
      { do: 'connect', node: 1 },
      { do: 'turn' },
      { do: 'read' },
      { do: 'tell', node: 1, count: 2 },
    ]);
    expect(client.told.map(({ room, id }) => `${room} ${id}`)).toEqual(['a 1-0', 'a 3-0', 'b 4-0']);
  });
});
