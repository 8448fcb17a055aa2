import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { NewEvent } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import type { LogBounds } from '../../../../src/core/log/memory-log.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { newEvent } from '../../../support/new-event.js';
import { PromisedClient, type PromisedNode } from '../../../support/promised-client.js';
import { type LogView, SharedLog } from '../../../support/shared-log.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const ROOMS = ['a', 'b', 'c', 'd', 'e'];
const NODES = 2;
const AMPLE: LogBounds = { maxEvents: 1e6, maxBytes: 1e12 };
const BIG = '"big"';
const BIG_DATA = `"${'x'.repeat(90_000)}"`;
const TYPES = EventTypes.parse(
  { value: { policy: 'latest' }, wide: { policy: 'append', rooms: ['a', 'b', 'c'] } },
  ['c'],
) as EventTypes;
/** The rooms of each client at first. */
const STARTS = [['a', 'c'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e'], ['d']];

type Step =
  | { readonly do: 'publish'; readonly events: readonly NewEvent[] }
  | { readonly do: 'tell'; readonly node: number; readonly count: number }
  | { readonly do: 'tell all'; readonly node: number }
  | { readonly do: 'break'; readonly node: number }
  | { readonly do: 'lose' }
  | { readonly do: 'turn'; readonly ms: number }
  | { readonly do: 'join' | 'leave'; readonly client: number; readonly room: string }
  | { readonly do: 'disconnect'; readonly client: number; readonly lost: number }
  | { readonly do: 'connect'; readonly client: number; readonly node: number }
  | { readonly do: 'stall' | 'drain' | 'ping' | 'read' | 'snapshot'; readonly client: number };

const client = fc.nat(STARTS.length - 1);
const node = fc.nat(NODES - 1);
const room = fc.constantFrom(...ROOMS);
const event: fc.Arbitrary<NewEvent> = fc.oneof(
  { weight: 5, arbitrary: room.map((room) => newEvent({ room })) },
  { weight: 3, arbitrary: fc.record({ room, key: fc.constantFrom('k', 'l') }).map(newEvent) },
  { weight: 2, arbitrary: room.map((room) => newEvent({ room, type: 'value' })) },
  { weight: 1, arbitrary: fc.constant(newEvent({ room: undefined, type: 'wide' })) },
  { weight: 1, arbitrary: room.map((room) => newEvent({ room, dataJson: BIG })) },
  { weight: 1, arbitrary: fc.constant(newEvent({ room: 'others' })) },
);

const only = <Name extends string>(name: Name): fc.Arbitrary<{ do: Name; client: number }> =>
  fc.record({ do: fc.constant(name), client });

const flowing: readonly fc.WeightedArbitrary<Step>[] = [
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      events: fc.array(event, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      node,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('tell all' as const), node }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('turn' as const), ms: fc.constantFrom(0, 0, 10, 50, 300, 1500) }),
  },
  { weight: 3, arbitrary: only('stall') },
  { weight: 4, arbitrary: only('drain') },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('disconnect' as const), client, lost: fc.nat(4) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('connect' as const), client, node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), client, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), client, room }) },
  { weight: 2, arbitrary: only('ping') },
  { weight: 1, arbitrary: only('read') },
  { weight: 1, arbitrary: only('snapshot') },
];
const breaking: fc.WeightedArbitrary<Step> = {
  weight: 1,
  arbitrary: fc.record({ do: fc.constant('break' as const), node }),
};
const losing: fc.WeightedArbitrary<Step> = {
  weight: 1,
  arbitrary: fc.record({ do: fc.constant('lose' as const) }),
};

class World {
  readonly log: SharedLog;
  readonly rigs: readonly DeliveryRig<LogView>[];
  readonly nodes: readonly PromisedNode[];
  readonly clients: readonly PromisedClient[];
  readonly #clock = new TurnedClock();

  constructor(maxEntries: number, memory: LogBounds) {
    this.log = new SharedLog(TYPES, maxEntries);
    this.rigs = Array.from({ length: NODES }, () => {
      const parts = { log: this.log.open(), clock: this.#clock, types: TYPES };
      const rig = new DeliveryRig(parts, { memory, maxBacklogMs: 4000, maxRoomSize: 2 });
      rig.log.start(rig.delivery.tail);
      return rig;
    });
    this.nodes = this.rigs.map(({ delivery, log }) => ({ delivery, untold: () => log.untold() }));
    this.clients = STARTS.map((rooms, index) => {
      const first = this.nodes[index % NODES] as PromisedNode;
      return new PromisedClient(first, this.log.published, rooms);
    });
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const one of this.clients) one.connect();
    for (const step of steps) await this.#take(step);
    for (let round = 0; round < 20; round += 1) {
      for (const one of this.clients) {
        one.drain();
        one.connect();
      }
      for (const { log } of this.rigs) log.tell();
      await this.#clock.turn(1500);
    }
    for (const one of this.clients) {
      one.read();
      one.check();
      one.disconnect(0);
    }
    for (const { delivery } of this.rigs)
      expect(delivery.status()).toMatchObject({ rooms: {}, sessions: { sse: 0 } });
  }

  async #take(step: Step): Promise<void> {
    if (step.do === 'publish') {
      for (const one of step.events) {
        this.log.store(one.dataJson === BIG ? { ...one, dataJson: BIG_DATA } : one);
      }
    } else if (step.do === 'turn') await this.#clock.turn(step.ms);
    else if (step.do === 'tell') this.rigs[step.node]?.log.tell(step.count);
    else if (step.do === 'tell all') this.rigs[step.node]?.log.tell();
    else if (step.do === 'break') this.rigs[step.node]?.log.break();
    else if (step.do === 'lose') this.log.lose();
    else this.#ask(this.clients[step.client] as PromisedClient, step);
  }

  #ask(one: PromisedClient, step: Extract<Step, { client: number }>): void {
    if (step.do === 'join' || step.do === 'leave') one[step.do](step.room);
    else if (step.do === 'disconnect') one.disconnect(step.lost);
    else if (step.do === 'connect') one.connect(this.nodes[step.node]);
    else if (step.do === 'snapshot') one.askForSnapshot();
    else one[step.do]();
  }
}

function promise(
  steps: readonly fc.WeightedArbitrary<Step>[],
  maxEntries: number,
  memory: LogBounds,
  check: (world: World) => void,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...steps), { maxLength: 80, size: 'max' }), async (taken) => {
      const world = new World(maxEntries, memory);
      await world.run(taken);
      check(world);
    }),
    { numRuns: Number(process.env['PROMISE_RUNS'] ?? 120) },
  );
}

describe('the promise over several nodes, each as far behind as it will', () => {
  test('with ample memory nothing is lost and nobody is told of a gap', () =>
    promise(flowing, 1e6, AMPLE, ({ clients }) =>
      expect(clients.map(({ gaps }) => gaps)).toEqual([0, 0, 0, 0]),
    ));

  test('with a log that holds more than memory', () =>
    promise(flowing, 1e6, { maxEvents: 6, maxBytes: 1e12 }, ({ clients }) => clients));

  test('with a log that is trimmed all the time, and nodes that lose their place', () =>
    promise([...flowing, breaking], 8, { maxEvents: 6, maxBytes: 1e12 }, ({ clients }) => clients));

  test('with a log that is lost and begun anew with smaller ids', () =>
    promise([...flowing, losing], 1e6, AMPLE, ({ clients }) => clients));

  test('the same, with little memory, and nodes that lose their place', () =>
    promise([...flowing, breaking, losing], 8, { maxEvents: 6, maxBytes: 1e12 }, ({ clients }) => clients));

  test('a client that had left its room when the log was lost, and joins another one', () =>
    new World(1e6, AMPLE).run([
      { do: 'leave', client: 3, room: 'd' },
      { do: 'publish', events: [newEvent({ room: 'b', key: 'k' }), newEvent({ room: 'a' })] },
      { do: 'lose' },
      { do: 'tell all', node: 1 },
      { do: 'join', client: 3, room: 'b' },
    ]));
});
