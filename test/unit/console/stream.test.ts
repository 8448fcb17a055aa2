import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Backoff } from '../../../src/console/backoff.js';
import type {
  ConnectionListener,
  ConnectionTarget,
  OpenConnection,
} from '../../../src/console/connection.js';
import { type Profile, readProfile, type Transport } from '../../../src/console/profile.js';
import { EventStream } from '../../../src/console/stream.js';
import type { GatewayEvent, Welcome } from '../../../src/console/wire.js';

const BOTH = { websocket: { path: '/socket.io' }, sse: { path: '/api/events/stream' } };
const WELCOME: Welcome = {
  sessionId: 's',
  profile: 'HYBRID',
  rooms: ['default'],
  cursor: undefined,
  resumed: false,
};

/** A connection that was opened, and what a test makes it say. */
interface Opened {
  readonly transport: Transport;
  readonly target: ConnectionTarget;
  readonly listener: ConnectionListener;
  closed: boolean;
}

let transports: object;
let reachable: boolean;
let opened: Opened[];
let states: string[];
let used: (Transport | undefined)[];
let received: string[];
let stream: EventStream;

function opener(transport: Transport): OpenConnection {
  return (target, listener) => {
    const connection: Opened = { transport, target, listener, closed: false };
    opened.push(connection);
    return {
      close: () => {
        connection.closed = true;
      },
    };
  };
}

async function discover(): Promise<Profile> {
  if (!reachable) throw new Error('not reachable');
  return Promise.resolve(readProfile({ profile: 'HYBRID', transports }));
}

function events(...ids: string[]): GatewayEvent[] {
  return ids.map((id) => ({ id, type: 't', room: 'default', key: undefined, data: null, timestamp: 1 }));
}

/** The newest connection. */
function newest(): Opened {
  const connection = opened.at(-1);
  if (connection === undefined) throw new Error('nothing was opened');
  return connection;
}

/** Lets `ms` pass, with all that follows from it. */
async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

beforeEach(async () => {
  jest.useFakeTimers();
  transports = BOTH;
  reachable = true;
  opened = [];
  states = [];
  used = [];
  received = [];
  stream = new EventStream({
    rooms: ['default'],
    openers: { sse: opener('sse'), websocket: opener('websocket') },
    discover,
    backoff: new Backoff(() => 0.999),
    listener: {
      stateChanged: (state) => states.push(state),
      profileLearned: () => undefined,
      transportChanged: (transport) => used.push(transport),
      welcomed: () => undefined,
      received: (fresh) => received.push(...fresh.map(({ id }) => id)),
      gapped: () => undefined,
      noticed: () => undefined,
    },
  });
  stream.start();
  await pass(0);
});

afterEach(() => {
  jest.useRealTimers();
});

describe('EventStream', () => {
  it('takes SSE where both are on, and is live once it is welcomed', () => {
    expect(newest().transport).toBe('sse');
    expect(newest().target).toMatchObject({ path: '/api/events/stream', rooms: ['default'] });
    expect(newest().target.cursor()).toBeUndefined();
    expect(states).toEqual([]);
    newest().listener.welcomed(WELCOME);
    expect(states).toEqual(['live']);
  });

  it('comes back over what is on then, with its cursor, and leaves out what it has', async () => {
    newest().listener.welcomed(WELCOME);
    newest().listener.received(events('1-0', '2-0'), '2-0');
    newest().listener.received(events('3-0'), undefined);
    transports = { websocket: { path: '/socket.io' } };
    newest().listener.lost();
    expect(states.at(-1)).toBe('reconnecting');
    expect(used.at(-1)).toBeUndefined();
    await pass(1000);
    expect(newest().transport).toBe('websocket');
    expect(newest().target.cursor()).toBe('2-0');
    newest().listener.welcomed({ ...WELCOME, cursor: '2-0', resumed: true });
    newest().listener.received(events('3-0', '4-0'), '4-0');
    expect(received).toEqual(['1-0', '2-0', '3-0', '4-0']);
    expect(states.at(-1)).toBe('live');
  });

  it('moves when another transport is chosen, and hears no more of the old one', async () => {
    const first = newest();
    first.listener.welcomed(WELCOME);
    first.listener.received(events('1-0'), '1-0');
    stream.prefer('websocket');
    expect(first.closed).toBe(true);
    await pass(0);
    expect(newest().transport).toBe('websocket');
    expect(newest().target.cursor()).toBe('1-0');
    first.listener.received(events('2-0'), '2-0');
    first.listener.lost();
    await pass(6000);
    expect(opened).toHaveLength(2);
    expect(received).toEqual(['1-0']);
    stream.prefer('websocket');
    await pass(0);
    expect(opened).toHaveLength(2);
  });

  it('holds to the choice of several after a loss', async () => {
    stream.prefer('websocket');
    await pass(0);
    newest().listener.welcomed(WELCOME);
    newest().listener.lost();
    await pass(1000);
    expect(opened.map(({ transport }) => transport)).toEqual(['sse', 'websocket', 'websocket']);
  });

  it('waits longer each time nothing answers, and a short time again after a success', async () => {
    reachable = false;
    newest().listener.lost();
    await pass(1000 + 2000 + 4000 - 10);
    expect(states).toEqual(Array(3).fill('connecting'));
    reachable = true;
    await pass(8000);
    expect(opened).toHaveLength(2);
    newest().listener.welcomed(WELCOME);
    newest().listener.lost();
    await pass(1000);
    expect(opened).toHaveLength(3);
  });

  it('asks again while no transport is on', async () => {
    transports = { websocket: null, sse: null };
    newest().listener.lost();
    await pass(1000);
    expect(opened).toHaveLength(1);
    transports = BOTH;
    await pass(2000);
    expect(opened).toHaveLength(2);
  });

  it('gives up on a connection that is not welcomed within 15 s', async () => {
    const first = newest();
    await pass(14_999);
    expect(first.closed).toBe(false);
    await pass(1 + 1000);
    expect(first.closed).toBe(true);
    expect(opened).toHaveLength(2);
  });

  it('does not let a later welcome move the cursor over what is still to come', () => {
    newest().listener.welcomed({ ...WELCOME, cursor: '5-0' });
    expect(newest().target.cursor()).toBe('5-0');
    newest().listener.welcomed({ ...WELCOME, cursor: '9-0' });
    expect(newest().target.cursor()).toBe('5-0');
  });
});
