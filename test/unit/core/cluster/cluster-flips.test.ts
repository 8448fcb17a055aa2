import { beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ClusterFlips } from '../../../../src/core/cluster/cluster-flips.js';
import { readReport } from '../../../../src/core/cluster/flip-answer.js';
import { readRefusal } from '../../../../src/core/cluster/node-answer.js';
import type { NodeAnswer, RequestHandler } from '../../../../src/core/cluster/node-messages.js';
import type { KnownNode } from '../../../../src/core/cluster/node-registry.js';
import { PROFILES } from '../../../../src/core/config/profile.js';
import { type ClientKind, forEachKind } from '../../../../src/core/delivery/client-kind.js';
import { Refusal } from '../../../../src/core/errors.js';
import { ProfileSwitch } from '../../../../src/core/flip/profile-switch.js';
import { ServedProfile } from '../../../../src/core/flip/served-profile.js';
import type { ServedTransport } from '../../../../src/core/flip/served-transport.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const ORIGIN = { by: 'operator', address: '10.0.0.9', via: 'http' } as const;
const DRAIN_MS = 1000;
const NEVER = new Refusal('node_unavailable', 'the gateway that has this does not answer', 1000);

/** Nodes that reach each other at once, as far as the test lets them. */
class Nodes {
  readonly clock = new TurnedClock();
  readonly handlers = new Map<string, Map<string, RequestHandler>>();
  /** What became of a node: it answers nothing, or is not there any more. */
  readonly fates = new Map<string, 'silent' | 'gone'>();
  /** What each was asked, in order. */
  readonly asked: string[] = [];
  reachable = true;
  readonly #nodes = new Map<
    string,
    { readonly switch: ProfileSwitch; readonly served: ServedProfile; readonly rig: DeliveryRig }
  >();

  add(id: string, sessions = 0, fails = false, client: ClientKind = 'bundle'): ClusterFlips {
    const rig = DeliveryRig.ready();
    const served = new ServedProfile('WEBSOCKET', {
      websocket: undefined,
      sse: undefined,
      control: undefined,
    });
    const transport: ServedTransport = { admit() {}, turnAway() {}, close: () => Promise.resolve() };
    const node = new ProfileSwitch({
      served,
      drainMs: DRAIN_MS,
      open: {
        websocket: () => Promise.resolve(transport),
        sse: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve(transport)),
      },
      drain: (leaving, reason, overMs) => rig.delivery.drain(leaving, reason, overMs),
      clients: () => rig.delivery.clients(),
      clock: rig.clock,
      logger: silentLogger,
      counters: rig.counters,
    });
    void node.start();
    for (let one = 0; one < sessions; one += 1) {
      const outlet = new RecordingOutlet();
      outlet.client = client;
      rig.request({ transport: 'websocket', outlet });
    }
    this.#nodes.set(id, { switch: node, served, rig });
    const handlers = new Map<string, RequestHandler>();
    this.handlers.set(id, handlers);
    return new ClusterFlips(id, {
      node,
      drainMs: DRAIN_MS,
      clock: this.clock,
      logger: silentLogger,
      registry: {
        beat: () => Promise.resolve(),
        view: () => ({ nodes: this.#known(), reachable: this.reachable, ageMs: 0 }),
      },
      messages: {
        serve: (subject, handler) => void handlers.set(subject, handler),
        ask: (to, subject, body) => this.#ask(to, subject, body),
      },
    });
  }

  /** A client of the SDK comes to the node over the other transport, with the cursor that it had. */
  comeBack(id: string): void {
    const outlet = new RecordingOutlet();
    outlet.client = 'sdk';
    this.#nodes.get(id)?.rig.request({ transport: 'sse', outlet, cursor: '0-0' });
  }

  profileOf(id: string): string | undefined {
    return this.#nodes.get(id)?.served.profile;
  }

  /** It begins to stop. */
  freeze(id: string): void {
    this.#nodes.get(id)?.switch.freeze();
  }

  async turn(ms: number): Promise<void> {
    for (let gone = 0; gone < ms; gone += 50) {
      await this.clock.turn(50);
      for (const { rig } of this.#nodes.values()) await rig.clock.turn(50);
    }
  }

  async #ask(to: string, subject: string, body: object): Promise<NodeAnswer> {
    this.asked.push(`${to} ${subject}`);
    const fate = this.fates.get(to);
    if (fate !== undefined) return fate === 'gone' ? undefined : NEVER;
    const answer: unknown = await this.handlers.get(to)?.get(subject)?.(body);
    return { body: JSON.parse(JSON.stringify(answer)) as unknown };
  }

  #known(): KnownNode[] {
    return [...this.#nodes].map(([id, { served }]) => ({
      id,
      ageMs: 0,
      report: {
        url: `http://${id}/`,
        host: 'here',
        pid: 1,
        profile: served.profile,
        transports: [],
        sessions: { websocket: 0, sse: 0 },
        clients: null,
        uptimeSeconds: 1,
        cursor: '0-0',
        log: { state: 'ready', bridge: null },
      },
    }));
  }
}

let nodes: Nodes;

beforeEach(() => {
  nodes = new Nodes();
});

const states = (flips: ClusterFlips): [string, string][] =>
  (flips.report().rollout?.nodes ?? []).map(({ id, state }) => [id, state]);

describe('a flip of all nodes', () => {
  test('goes from node to node, each when the one before has moved its clients, this one last', async () => {
    const flips = nodes.add('a', 30);
    nodes.add('b', 50);
    nodes.add('c', 0);
    expect(await flips.flipAll('sse', ORIGIN)).toMatchObject({
      profile: 'WEBSOCKET',
      rollout: { id: 1, to: 'SSE', ...ORIGIN, state: 'running' },
    });
    await nodes.turn(250);
    expect(states(flips)).toEqual([
      ['b', 'draining'],
      ['c', 'waiting'],
      ['a', 'waiting'],
    ]);
    expect(['a', 'b', 'c'].map((id) => nodes.profileOf(id))).toEqual(['WEBSOCKET', 'SSE', 'WEBSOCKET']);
    await nodes.turn(3000);
    expect(flips.report().rollout).toMatchObject({
      state: 'done',
      nodes: [{ sessions: { total: 50, left: 0 } }, {}, {}],
    });
    expect(states(flips).map(([, state]) => state)).toEqual(['done', 'done', 'done']);
    expect(['a', 'b', 'c'].map((id) => nodes.profileOf(id))).toEqual(['SSE', 'SSE', 'SSE']);
    // The others know who it was, by way of which node.
    expect(flips.report().flip).toMatchObject({ via: 'http', by: 'operator' });
  });

  test('counts the clients that come back after their node has flipped, at whichever node that is', async () => {
    const flips = nodes.add('a');
    nodes.add('b', 3, false, 'sdk');
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(1500);
    const returned = (): unknown[] =>
      (flips.report().rollout?.nodes ?? []).map(({ sessions }) => [
        sessions?.clients?.moved,
        sessions?.clients?.returned,
      ]);
    expect([flips.report().rollout?.state, returned()]).toEqual([
      'done',
      [
        [3, 0],
        [0, 0],
      ],
    ]);
    for (const id of ['a', 'b', 'b']) nodes.comeBack(id);
    await nodes.turn(1500);
    expect(returned()).toEqual([
      [3, 2],
      [0, 1],
    ]);
    // All are back: nobody is asked any more.
    const asked = nodes.asked.length;
    await nodes.turn(5000);
    expect(nodes.asked).toHaveLength(asked);
  });

  test('passes over nodes that serve it already', async () => {
    const flips = nodes.add('a');
    const other = nodes.add('b');
    await other.flip('SSE', ORIGIN);
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(1000);
    expect(states(flips)).toEqual([
      ['b', 'same'],
      ['a', 'done'],
    ]);
  });

  test('stops at a node that fails, and leaves the others as they are', async () => {
    const flips = nodes.add('a');
    nodes.add('b', 0, true);
    nodes.add('c');
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(1000);
    expect(flips.report().rollout).toMatchObject({
      state: 'failed',
      nodes: [
        { id: 'b', state: 'failed', error: { code: 'flip_failed' } },
        { state: 'waiting' },
        { state: 'waiting' },
      ],
    });
    expect(['a', 'b', 'c'].map((id) => nodes.profileOf(id))).toEqual(['WEBSOCKET', 'WEBSOCKET', 'WEBSOCKET']);
  });

  test('stops at a node that is silent', async () => {
    const flips = nodes.add('a');
    nodes.add('b');
    nodes.fates.set('b', 'silent');
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(20_000);
    expect(flips.report().rollout).toMatchObject({
      state: 'failed',
      nodes: [{ id: 'b', state: 'failed' }, {}],
    });
    expect(nodes.profileOf('a')).toBe('WEBSOCKET');
  });

  test('passes over a node that ended before its turn, and says so', async () => {
    const flips = nodes.add('a');
    nodes.add('b');
    nodes.add('c');
    nodes.fates.set('b', 'gone');
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(3000);
    expect(flips.report().rollout).toMatchObject({
      state: 'done',
      nodes: [
        {
          id: 'b',
          state: 'gone',
          error: { message: expect.stringContaining('ended meanwhile and is passed over') },
        },
        { id: 'c', state: 'done', error: null },
        { id: 'a', state: 'done', error: null },
      ],
    });
    expect(['a', 'b', 'c'].map((id) => nodes.profileOf(id))).toEqual(['SSE', 'WEBSOCKET', 'SSE']);
  });

  test('passes over a node that ends while its clients are being moved', async () => {
    const flips = nodes.add('a');
    nodes.add('b', 80);
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(250);
    expect(states(flips)[0]).toEqual(['b', 'draining']);
    nodes.fates.set('b', 'silent');
    await nodes.turn(1000);
    nodes.fates.set('b', 'gone');
    await nodes.turn(3000);
    expect(flips.report().rollout?.state).toBe('done');
    expect(states(flips)).toEqual([
      ['b', 'gone'],
      ['a', 'done'],
    ]);
  });

  test('passes over a node that is stopping', async () => {
    const flips = nodes.add('a');
    nodes.add('b');
    nodes.freeze('b');
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(1000);
    expect(states(flips)).toEqual([
      ['b', 'gone'],
      ['a', 'done'],
    ]);
  });

  test('to the profile that all serve says so', async () => {
    const flips = nodes.add('a');
    const other = nodes.add('b');
    expect(await flips.flipAll('WEBSOCKET', ORIGIN)).toMatchObject({ repeated: true });
    await nodes.turn(1000);
    await other.flip('SSE', ORIGIN);
    expect(await flips.flipAll('WEBSOCKET', ORIGIN)).toMatchObject({ repeated: false });
  });

  test('waits for a node that does not answer for a moment', async () => {
    const flips = nodes.add('a');
    nodes.add('b', 20);
    await flips.flipAll('SSE', ORIGIN);
    nodes.fates.set('b', 'silent');
    await nodes.turn(3000);
    expect(flips.report().rollout?.state).toBe('running');
    nodes.fates.delete('b');
    await nodes.turn(3000);
    expect(flips.report().rollout?.state).toBe('done');
  });

  test('asks again where its request was lost, and waits for as long as a node gets on', async () => {
    const flips = nodes.add('a');
    const other = nodes.add('b', 300);
    // What it did before says nothing of what it does now.
    await other.flip('SSE', ORIGIN);
    await nodes.turn(4000);
    await other.flip('WEBSOCKET', ORIGIN);
    nodes.fates.set('b', 'silent');
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(3000);
    expect(nodes.profileOf('b')).toBe('WEBSOCKET');
    nodes.fates.delete('b');
    await nodes.turn(3000);
    expect(flips.report().rollout?.state).toBe('done');
    expect(['a', 'b'].map((id) => nodes.profileOf(id))).toEqual(['SSE', 'SSE']);
  });

  test('stops at a node that somebody flips elsewhere meanwhile', async () => {
    const flips = nodes.add('a');
    const other = nodes.add('b', 80);
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(250);
    await other.flip('WEBSOCKET', ORIGIN);
    await nodes.turn(1000);
    expect(flips.report().rollout).toMatchObject({
      state: 'failed',
      nodes: [{ error: { message: 'another flip, to WEBSOCKET, took its place' } }, { state: 'waiting' }],
    });
  });

  test('gives way to the next one', async () => {
    const flips = nodes.add('a', 80);
    nodes.add('b', 80);
    await flips.flipAll('SSE', ORIGIN);
    await nodes.turn(250);
    expect(await flips.flipAll('WEBSOCKET', ORIGIN)).toMatchObject({ rollout: { id: 2, state: 'running' } });
    await nodes.turn(3000);
    expect(flips.report().rollout).toMatchObject({ id: 2, state: 'done' });
    expect(['a', 'b'].map((id) => nodes.profileOf(id))).toEqual(['WEBSOCKET', 'WEBSOCKET']);
  });

  test('is refused where the others can not be reached, or for what is no profile', async () => {
    const flips = nodes.add('a');
    nodes.add('b');
    expect(await flips.flipAll('x', ORIGIN)).toMatchObject({ code: 'invalid_profile' });
    nodes.reachable = false;
    expect(await flips.flipAll('SSE', ORIGIN)).toMatchObject({ code: 'node_unavailable' });
    expect(nodes.asked).toEqual([]);
  });
});

describe('what other nodes answer', () => {
  test('is read, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expect(readReport(body)).toBeUndefined();
        expect(readRefusal(body)).toBeUndefined();
      }),
    );
  });

  test('is taken where it is a report, without what is not known', () => {
    const flip = {
      id: 1,
      from: 'SSE',
      to: 'HYBRID',
      by: 'x',
      address: null,
      via: 'signal',
      startedAt: 5,
      state: 'done',
      sessions: {
        total: 2,
        left: 0,
        clients: {
          moved: 1,
          returned: 1,
          cutOff: 1,
          gone: 0,
          byKind: forEachKind(() => ({ total: 1, left: 0, ended: 1 })),
        },
      },
      error: null,
    };
    const transports = { websocket: true, sse: false, control: true };
    for (const profile of PROFILES) {
      const report = { profile, transports, since: 5, repeated: true, flip };
      expect(readReport({ ...report, more: 1, flip: { ...flip, more: 1 } })).toEqual(report);
      expect(readReport({ ...report, flip: null })).toEqual({ ...report, flip: null });
      // A node of an earlier version.
      expect(readReport({ profile, transports, flip })).toEqual({ ...report, since: null, repeated: false });
    }
    // A node of an older version tells nothing of kinds, one of a newer version perhaps something else.
    for (const clients of [undefined, null, 7, {}, { ...flip.sessions.clients, byKind: { sdk: {} } }]) {
      const sessions = { total: 2, left: 0, clients };
      expect(readReport({ profile: 'SSE', transports, flip: { ...flip, sessions } })).toMatchObject({
        flip: { sessions: { total: 2, left: 0, clients: null } },
      });
    }
    for (const broken of [
      { profile: 'X' },
      { flip: { ...flip, state: 'x' } },
      { flip: { ...flip, sessions: {} } },
    ]) {
      expect(readReport({ profile: 'SSE', transports, flip, ...broken })).toBeUndefined();
    }
  });
});
