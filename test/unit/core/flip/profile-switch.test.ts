import { EventEmitter, once } from 'node:events';
import { beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { PROFILES, type ProfileName } from '../../../../src/core/config/profile.js';
import type { ClientKind } from '../../../../src/core/delivery/client-kind.js';
import type { Session, Transport } from '../../../../src/core/delivery/session.js';
import { Refusal } from '../../../../src/core/errors.js';
import { ProfileSwitch } from '../../../../src/core/flip/profile-switch.js';
import { ServedProfile } from '../../../../src/core/flip/served-profile.js';
import type { ServedTransport } from '../../../../src/core/flip/served-transport.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';
import { silentLogger } from '../../../support/silent-logger.js';

const ORIGIN = { by: 'operator', address: '10.0.0.9', via: 'http' } as const;
const DRAIN_MS = 1000;

/** A transport that notes what is done to it. */
class NotedTransport implements ServedTransport {
  admits = true;
  isClosed = false;

  admit(): void {
    this.admits = true;
  }

  turnAway(): void {
    this.admits = false;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

let rig: DeliveryRig;
let opened: { readonly transport: Transport; readonly served: NotedTransport }[];
/** What opening that transport fails with. */
let failing: Partial<Record<Transport, Error>>;
/** What opening that transport waits for. */
let held: Partial<Record<Transport, Promise<void>>>;
let served: ServedProfile;
let profiles: ProfileSwitch;

function setUp(
  profile: ProfileName,
  overrides: { sse?: boolean; websocket?: boolean; control?: boolean } = {},
) {
  rig = DeliveryRig.ready();
  opened = [];
  failing = {};
  held = {};
  served = new ServedProfile(profile, {
    websocket: undefined,
    sse: undefined,
    control: undefined,
    ...overrides,
  });
  const open = async (transport: Transport): Promise<ServedTransport> => {
    await held[transport];
    const error = failing[transport];
    if (error !== undefined) throw error;
    const noted = new NotedTransport();
    opened.push({ transport, served: noted });
    return noted;
  };
  profiles = new ProfileSwitch({
    served,
    drainMs: DRAIN_MS,
    open: { websocket: () => open('websocket'), sse: () => open('sse') },
    drain: (leaving, reason, overMs) => rig.delivery.drain(leaving, reason, overMs),
    clients: () => rig.delivery.clients(),
    clock: rig.clock,
    logger: silentLogger,
    counters: rig.counters,
  });
}

/** Sessions over that transport. */
function connect(
  transport: Transport,
  count = 1,
  client: ClientKind = 'bundle',
  cursor: string | null = null,
): { session: Session; outlet: RecordingOutlet }[] {
  return Array.from({ length: count }, () => {
    const outlet = new RecordingOutlet();
    outlet.client = client;
    const session = rig.request({ transport, outlet, cursor });
    if (session instanceof Refusal) throw new Error(session.code);
    return { session, outlet };
  });
}

const flip = async (to: unknown) => {
  const report = await profiles.flip(to, ORIGIN);
  if (report instanceof Refusal) throw new Error(report.code);
  return report;
};

/** Transports that are open, and whether they take clients in. */
const openNow = (): Record<string, boolean> =>
  Object.fromEntries(
    opened.filter((one) => !one.served.isClosed).map((one) => [one.transport, one.served.admits]),
  );

describe('a flip', () => {
  beforeEach(async () => {
    setUp('WEBSOCKET');
    await profiles.start();
  });

  test('serves the new transport, takes no more clients on the old, and moves who is there', async () => {
    const clients = connect('websocket', 20);
    const report = await flip('SSE');
    expect(report).toMatchObject({
      profile: 'SSE',
      transports: { websocket: false, sse: true, control: true },
      flip: {
        id: 1,
        from: 'WEBSOCKET',
        to: 'SSE',
        ...ORIGIN,
        state: 'draining',
        sessions: { total: 20, left: 20 },
      },
    });
    expect(openNow()).toEqual({ websocket: false, sse: true });
    const moved = connect('sse');
    await rig.clock.turn(100);
    const { left } = profiles.report().flip?.sessions ?? { left: NaN };
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(20);
    await rig.clock.turn(200);
    expect(profiles.report().flip).toMatchObject({
      state: 'done',
      sessions: { total: 20, left: 0 },
      error: null,
    });
    expect(clients.map(({ outlet }) => outlet.ended)).toEqual(Array(20).fill('transport_disabled'));
    expect(moved[0]?.outlet.ended).toBeUndefined();
    expect(openNow()).toEqual({ sse: true });
  });

  test('tells who was moved and came back from who was cut off, and from who left by itself', async () => {
    connect('websocket', 4, 'sdk');
    connect('websocket', 2, 'bundle');
    const [leaver] = connect('websocket', 10, 'stock');
    // It is over the transport that stays: the flip does nothing to it.
    connect('sse', 1, 'eventsource');
    const begun = await flip('SSE');
    expect(begun.flip?.sessions).toEqual({
      total: 16,
      left: 16,
      clients: {
        moved: 0,
        returned: 0,
        cutOff: 0,
        gone: 0,
        byKind: {
          sdk: { total: 4, left: 4, ended: 0 },
          bundle: { total: 2, left: 2, ended: 0 },
          eventsource: { total: 0, left: 0, ended: 0 },
          stock: { total: 10, left: 10, ended: 0 },
        },
      },
    });
    if (leaver !== undefined) rig.delivery.close(leaver.session);
    await rig.clock.turn(DRAIN_MS);
    // Two come back, one is new, and others come that were never moved.
    connect('sse', 2, 'sdk', '0-0');
    connect('sse', 1, 'sdk');
    connect('sse', 5, 'eventsource', '0-0');
    expect(profiles.report().flip).toMatchObject({
      state: 'done',
      sessions: {
        total: 16,
        left: 0,
        clients: {
          moved: 4,
          returned: 2,
          cutOff: 11,
          gone: 1,
          byKind: {
            sdk: { total: 4, left: 0, ended: 4 },
            bundle: { total: 2, left: 0, ended: 2 },
            stock: { total: 10, left: 0, ended: 9 },
          },
        },
      },
    });
    // Long after the flip a client comes back for other reasons.
    await rig.clock.turn(60_000);
    connect('sse', 1, 'sdk', '0-0');
    expect(profiles.report().flip?.sessions.clients?.returned).toBe(2);
  });

  test('that another one follows keeps its own counts', async () => {
    connect('websocket', 100, 'stock');
    await flip('SSE');
    await rig.clock.turn(500);
    const before = profiles.report().flip?.sessions;
    const ended = before?.clients?.cutOff ?? Number.NaN;
    expect(ended).toBeGreaterThan(0);
    connect('sse', 3, 'eventsource');
    await flip('WEBSOCKET');
    await rig.clock.turn(DRAIN_MS);
    expect(profiles.report().flip?.sessions).toMatchObject({
      total: 3,
      left: 0,
      clients: { cutOff: 3, byKind: { stock: { total: 0, ended: 0 }, eventsource: { ended: 3 } } },
    });
    expect(rig.delivery.clients().open.websocket.stock).toBe(100 - ended);
  });

  test('to both moves nobody, and from both only those of the one that goes', async () => {
    const [client] = connect('websocket');
    expect((await flip('hybrid')).flip).toMatchObject({ sessions: { total: 0 } });
    await rig.clock.turn(DRAIN_MS);
    expect(openNow()).toEqual({ websocket: true, sse: true });
    const [other] = connect('sse');
    await flip('WEBSOCKET');
    await rig.clock.turn(DRAIN_MS);
    expect([client?.outlet.ended, other?.outlet.ended]).toEqual([undefined, 'transport_disabled']);
    expect(openNow()).toEqual({ websocket: true });
  });

  test('to the profile that is served does nothing', async () => {
    connect('websocket');
    const since = rig.clock.now();
    await rig.clock.turn(5000);
    expect(await flip(' websocket ')).toMatchObject({
      profile: 'WEBSOCKET',
      since,
      repeated: true,
      flip: null,
    });
    const flippedAt = rig.clock.now();
    expect(await flip('HYBRID')).toMatchObject({ since: flippedAt, repeated: false });
    await rig.clock.turn(5000);
    expect(await flip('HYBRID')).toMatchObject({ since: flippedAt, repeated: true, flip: { id: 1 } });
    await flip('WEBSOCKET');
    await rig.clock.turn(DRAIN_MS);
    expect(openNow()).toEqual({ websocket: true });
  });

  test('back, while clients are being moved, keeps those that are left', async () => {
    const clients = connect('websocket', 100);
    await flip('SSE');
    await rig.clock.turn(500);
    const back = await flip('WEBSOCKET');
    expect(back.flip).toMatchObject({ id: 2, from: 'SSE', to: 'WEBSOCKET' });
    await rig.clock.turn(2 * DRAIN_MS);
    const stayed = clients.filter(({ outlet }) => outlet.ended === undefined).length;
    expect(stayed).toBeGreaterThan(20);
    expect(stayed).toBeLessThan(80);
    expect(openNow()).toEqual({ websocket: true });
    // The same that was there: those who stayed are its own.
    expect(opened.filter(({ transport }) => transport === 'websocket')).toHaveLength(1);
  });

  test('that fails leaves all as it was, and says so', async () => {
    const [client] = connect('websocket');
    failing.sse = new Error('no');
    expect(await profiles.flip('SSE', ORIGIN)).toMatchObject({ code: 'flip_failed' });
    await rig.clock.turn(DRAIN_MS);
    expect(profiles.report()).toMatchObject({
      profile: 'WEBSOCKET',
      flip: { to: 'SSE', state: 'failed', error: { code: 'flip_failed' } },
    });
    expect(client?.outlet.ended).toBeUndefined();
    expect(openNow()).toEqual({ websocket: true });
    failing = {};
    expect(await flip('SSE')).toMatchObject({ profile: 'SSE' });
  });

  test('that can not bring back what has been closed leaves the one before', async () => {
    connect('websocket', 10);
    await flip('SSE');
    await rig.clock.turn(DRAIN_MS);
    failing.websocket = new Error('no');
    expect(await profiles.flip('HYBRID', ORIGIN)).toMatchObject({ code: 'flip_failed' });
    expect(profiles.report()).toMatchObject({ profile: 'SSE', flip: { to: 'HYBRID', state: 'failed' } });
    expect(openNow()).toEqual({ sse: true });
  });

  test('asked for during another waits for its turn', async () => {
    const gate = new EventEmitter();
    held.sse = once(gate, 'open').then(() => undefined);
    const first = profiles.flip('SSE', ORIGIN);
    const second = profiles.flip('WEBSOCKET', ORIGIN);
    await rig.clock.turn(0);
    expect(profiles.report()).toMatchObject({ profile: 'WEBSOCKET', flip: { state: 'switching' } });
    gate.emit('open');
    expect(await first).toMatchObject({ profile: 'SSE' });
    expect(await second).toMatchObject({ profile: 'WEBSOCKET', flip: { id: 2 } });
    await rig.clock.turn(DRAIN_MS);
    expect(openNow()).toEqual({ websocket: true });
  });

  test.each([undefined, null, '', 'WS', 7, {}, ['SSE']])('to %j is refused', async (to) => {
    expect(await profiles.flip(to, ORIGIN)).toMatchObject({ code: 'invalid_profile', status: 400 });
  });

  test('that a stop overtakes changes nothing, and leaves nothing open', async () => {
    const [client] = connect('websocket');
    const gate = new EventEmitter();
    held.sse = once(gate, 'open').then(() => undefined);
    const flipping = profiles.flip('SSE', ORIGIN);
    await rig.clock.turn(0);
    profiles.freeze();
    gate.emit('open');
    expect(await flipping).toMatchObject({ code: 'shutting_down' });
    await rig.clock.turn(DRAIN_MS);
    expect([served.profile, client?.outlet.ended]).toEqual(['WEBSOCKET', undefined]);
    await profiles.close();
    expect(openNow()).toEqual({});
  });

  test('is refused once the process goes down', async () => {
    profiles.freeze();
    expect(await profiles.flip('SSE', ORIGIN)).toMatchObject({ code: 'shutting_down' });
    await profiles.close();
    expect(openNow()).toEqual({});
  });
});

test('a profile under which nothing would be served is refused', async () => {
  setUp('SSE', { websocket: false, control: false });
  await profiles.start();
  expect(await profiles.flip('WEBSOCKET', ORIGIN)).toMatchObject({ code: 'serves_nothing', status: 409 });
  expect(openNow()).toEqual({ sse: true });
});

test('whatever flips follow each other, in the end exactly what the last one serves is open, and nobody of it was moved after', async () => {
  const step = fc.record({
    to: fc.constantFrom(...PROFILES),
    waitMs: fc.integer({ min: 0, max: 1500 }),
    clients: fc.integer({ min: 0, max: 30 }),
    fails: fc.constantFrom<Transport | undefined>('websocket', 'sse', undefined, undefined),
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PROFILES), fc.array(step, { maxLength: 8 }), async (first, steps) => {
      setUp(first);
      await profiles.start();
      for (const { to, waitMs, clients, fails } of steps) {
        const { transports } = served;
        for (const transport of ['websocket', 'sse'] as const)
          if (transports[transport]) connect(transport, clients);
        failing = fails === undefined ? {} : { [fails]: new Error('no') };
        await profiles.flip(to, ORIGIN);
        await rig.clock.turn(waitMs);
      }
      await rig.clock.turn(2 * DRAIN_MS);
      const { websocket, sse } = served.transports;
      expect(openNow()).toEqual({ ...(websocket ? { websocket: true } : {}), ...(sse ? { sse: true } : {}) });
      const { sessions } = rig.delivery.status();
      if (!websocket) expect(sessions.websocket).toBe(0);
      if (!sse) expect(sessions.sse).toBe(0);
    }),
    { numRuns: 60 },
  );
});
