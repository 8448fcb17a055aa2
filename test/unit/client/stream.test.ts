import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ConnectionListener, ConnectionTarget, OpenConnection } from '../../../src/client/connection.js';
import { Emitter } from '../../../src/client/emitter.js';
import { GatewayError } from '../../../src/client/gateway-error.js';
import { Stream } from '../../../src/client/stream.js';
import type { StreamNews, StreamParts } from '../../../src/client/stream-parts.js';
import type { StateChange } from '../../../src/client/stream-state.js';
import type { GatewayEvent, ProfileDocument, Transport } from '../../../src/client/wire.js';
import { type ErrorCode, ERRORS } from '../../../src/core/errors.js';

/** A connection that was opened, and what a test makes it say. */
interface Opened {
  readonly transport: Transport;
  readonly target: ConnectionTarget;
  readonly listener: ConnectionListener;
}

let opened: Opened[];
let states: StateChange[];
let got: unknown[];
let discoveries: string[];
let discover: (url: string) => Promise<ProfileDocument>;
let stream: Stream;

function profile(...on: readonly Transport[]): ProfileDocument {
  return {
    profile: on.join('+'),
    transports: {
      sse: on.includes('sse') ? { path: '/sse' } : null,
      websocket: on.includes('websocket') ? { path: '/ws' } : null,
    },
    control: null,
    reconnect: { minMs: 1000, maxMs: 30_000 },
  };
}

function opener(transport: Transport): OpenConnection {
  return (target, listener) => {
    opened.push({ transport, target, listener });
    return null;
  };
}

async function open(parts: Partial<StreamParts> = {}): Promise<Stream> {
  const news = new Emitter<StreamNews>();
  news.on('state', (change) => states.push(change));
  news.on('event', ({ data }) => got.push(data));
  stream = new Stream({
    urls: ['http://one'],
    openers: { sse: opener('sse'), websocket: opener('websocket') },
    // Half of each window.
    random: () => 0.5,
    news,
    ...parts,
  });
  await pass(0);
  return stream;
}

function eventOf(data: unknown, room = 'a', id = `${String(data)}-0`): GatewayEvent {
  return { id, type: 't', room, data, timestamp: 1 };
}

/** The newest connection. */
function newest(): Opened {
  const connection = opened.at(-1);
  if (connection === undefined) throw new Error('nothing was opened');
  return connection;
}

function welcome({ resumed = false, heartbeatMs = 10_000, rooms = ['a'] } = {}): void {
  const said = { sessionId: 's', profile: '', rooms, cursor: null, resumed, heartbeatMs };
  newest().listener.heard();
  newest().listener.told('welcome', said, null);
}

function lose(error: unknown = new Error('cut')): void {
  newest().listener.lost(error);
}

function refusal(on: Transport): GatewayError {
  return new GatewayError('transport_disabled', 'off', { status: 404, profile: profile(on) });
}

/** Lets `ms` pass, with all that follows from it. */
async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

/** The machine sleeps: its clock goes on, its timers don't. */
function sleep(ms: number): void {
  jest.setSystemTime(Date.now() + ms);
}

/** The newest values of the room b: one. */
function state(id: string, cursor: string): Response {
  return Response.json({ events: [eventOf('of the state', 'b', id)], epoch: 'e', cursor: `e.${cursor}` });
}

/** What the gateway answers when it is asked for the newest values of a room. */
let stateOf: () => Response;

/** What the gateway answers. */
async function answer(url: string): Promise<Response> {
  const [origin = '', room] = url.split(/\/api\/(?:profile\?client=sdk\/[\d.]+$|rooms\/)/);
  if (room !== '') return stateOf();
  discoveries.push(origin);
  return Response.json(await discover(origin));
}

const fetchBefore = globalThis.fetch;

beforeEach(() => {
  jest.useFakeTimers();
  globalThis.fetch = (url, init) =>
    Promise.race([
      answer(url as string),
      new Promise<never>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', reject);
      }),
    ]);
  opened = [];
  states = [];
  got = [];
  discoveries = [];
  discover = () => Promise.resolve(profile('sse', 'websocket'));
});

afterEach(async () => {
  stream.close();
  await pass(0);
  expect(jest.getTimerCount()).toBe(0);
  globalThis.fetch = fetchBefore;
  jest.useRealTimers();
});

describe('a stream', () => {
  it('takes the transport that is on, and the one it prefers where both are', async () => {
    await open();
    expect(newest()).toMatchObject({ transport: 'sse', target: { url: 'http://one/sse', cursor: null } });
    stream.close();
    await open({ prefer: 'websocket', rooms: ['a'] });
    expect(newest()).toMatchObject({ transport: 'websocket', target: { rooms: ['a'] } });
    stream.close();
    discover = () => Promise.resolve(profile('websocket'));
    await open();
    expect(newest().transport).toBe('websocket');
  });

  it('comes back after a jittered wait, with its cursor, and drops what it has', async () => {
    await open();
    welcome();
    newest().listener.told('events', [eventOf(1)], 'c1');
    newest().listener.told('events', [eventOf(2)], null);
    await pass(2000);
    lose();
    expect(stream.state).toMatchObject({ state: 'reconnecting', transport: null, retryInMs: 500 });
    await pass(499);
    expect(opened).toHaveLength(1);
    await pass(1);
    expect(newest().target.cursor).toBe('c1');
    welcome({ resumed: true });
    newest().listener.told('events', [eventOf(2), eventOf(3)], 'c3');
    expect([got, stream.place.cursor]).toEqual([[1, 2, 3], 'c3']);
  });

  it('waits longer and longer while it does not get through, and asks for the profile each time', async () => {
    discover = () => Promise.reject(new Error('away'));
    await open();
    for (const waitMs of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      expect(stream.state).toMatchObject({ state: 'connecting', retryInMs: waitMs });
      await pass(waitMs);
    }
    expect(discoveries).toHaveLength(8);
    // A short life is none.
    discover = () => Promise.resolve(profile('sse'));
    await pass(15_000);
    welcome();
    lose();
    expect(stream.state.retryInMs).toBe(15_000);
    await pass(15_000);
    welcome();
    await pass(1500);
    lose();
    expect(stream.state.retryInMs).toBe(500);
  });

  it('uses the profile that a refusal brings at once, but does not run in circles', async () => {
    await open();
    welcome();
    await pass(2000);
    for (const on of ['websocket', 'sse', 'websocket'] as const) {
      lose(refusal(on));
      await pass(0);
      expect(newest().transport).toBe(on);
    }
    expect(opened).toHaveLength(4);
    expect(discoveries).toHaveLength(1);
    lose(refusal('sse'));
    await pass(0);
    expect(opened).toHaveLength(4);
    expect(stream.state).toMatchObject({ code: 'transport_disabled', retryInMs: 500 });
  });

  it.each(['profile_changed', 'token_expired'])('comes back at once when it is told %s', async (notice) => {
    await open();
    welcome();
    await pass(2000);
    discover = () => Promise.resolve(profile('websocket'));
    newest().listener.told(notice, {}, null);
    await pass(0);
    expect(newest().transport).toBe('websocket');
    expect(opened[0]?.target.signal.aborted).toBe(true);
    expect(stream.state).toMatchObject({ state: 'reconnecting', code: notice });
    // What the old connection still says means nothing.
    opened[0]?.listener.told('events', [eventOf(9)], 'c9');
    opened[0]?.listener.lost(new Error('late'));
    expect([got, opened.length]).toEqual([[], 2]);
    lose();
    expect(stream.state.retryInMs).toBe(500);
  });

  it('goes to the next node when its own drains, and waits where one drains before it welcomed', async () => {
    await open({ urls: ['http://one', 'http://two'] });
    welcome();
    await pass(2000);
    newest().listener.told('draining', {}, null);
    await pass(0);
    expect(newest().target.url).toBe('http://two/sse');
    newest().listener.told('draining', {}, null);
    expect(stream.state).toMatchObject({ url: 'http://one', code: 'draining', retryInMs: 2500 });
    // However often: its successor may be there any moment.
    await pass(3000);
    newest().listener.told('draining', {}, null);
    expect(stream.state).toMatchObject({ code: 'draining', retryInMs: 2500 });
  });

  it('stays away where it is told to', async () => {
    const codes = Object.keys(ERRORS).filter((code) => ERRORS[code as ErrorCode].disconnect === 'stay_away');
    for (const code of codes) {
      await open({ token: () => 'another' });
      lose(new GatewayError(code, 'no'));
      expect(stream.state).toMatchObject({ state: 'closed', code, reason: 'no', retryInMs: null });
      await pass(60_000);
      stream.use('websocket');
      stream.wake();
      stream.networkChanged();
      await pass(60_000);
    }
    expect(opened).toHaveLength(codes.length);
    expect(codes).toEqual(expect.arrayContaining(['unauthenticated', 'invalid_token', 'forbidden']));
  });

  it('waits for the time a refusal names', async () => {
    await open();
    lose(new GatewayError('too_many_connections', 'full', { retryable: true, retryAfterMs: 5000 }));
    expect(stream.state).toMatchObject({ code: 'too_many_connections', retryInMs: 5500 });
  });

  it('asks for a token anew each time', async () => {
    let tokens = 0;
    await open({ token: () => Promise.resolve(`t${String((tokens += 1))}`) });
    expect(newest().target.token).toBe('t1');
    welcome();
    newest().listener.told('token_expired', {}, null);
    await pass(0);
    expect(newest().target.token).toBe('t2');
    stream.close();
    await open({ token: () => Promise.reject(new Error('signed out')) });
    expect(stream.state).toMatchObject({ reason: expect.stringContaining('signed out'), retryInMs: 500 });
  });

  it('waits longer and longer where each token is refused as expired', async () => {
    let tokens = 0;
    await open({ token: () => `t${String((tokens += 1))}` });
    welcome();
    await pass(2000);
    newest().listener.told('token_expired', {}, null);
    await pass(0);
    for (const [refusals, waitMs] of [500, 1000, 2000, 4000].entries()) {
      expect(newest().target.token).toBe(`t${String(refusals + 2)}`);
      lose(new GatewayError('token_expired', 'expired', { status: 401 }));
      expect(stream.state).toMatchObject({ state: 'reconnecting', code: 'token_expired', retryInMs: waitMs });
      await pass(waitMs);
    }
  });

  it('ends when a token expires that is always the same', async () => {
    await open({ token: 'the only one' });
    welcome();
    newest().listener.told('token_expired', {}, null);
    expect(stream.state).toMatchObject({ state: 'closed', code: 'token_expired' });
    await open({ token: 'the only one' });
    lose(new GatewayError('token_expired', 'expired', { status: 401 }));
    expect(stream.state).toMatchObject({ state: 'closed', code: 'token_expired', reason: 'expired' });
    await pass(60_000);
    expect(opened).toHaveLength(2);
  });

  it('asks again where a token can not be checked now', async () => {
    await open({ token: 'the only one' });
    lose(new GatewayError('auth_unavailable', 'no keys', { status: 503, retryable: true }));
    expect(stream.state).toMatchObject({ code: 'auth_unavailable', retryInMs: 500 });
    await pass(500);
    expect(opened).toHaveLength(2);
  });

  it('asks again, when it is told to, where too many attempts came from its address', async () => {
    await open({ token: 'the only one' });
    const details = { status: 429, retryable: true, retryAfterMs: 4000 };
    lose(new GatewayError('too_many_attempts', 'wait', details));
    expect(stream.state).toMatchObject({ code: 'too_many_attempts', retryInMs: 4500 });
    await pass(4500);
    expect(opened).toHaveLength(2);
  });

  it('says which transport it was live over before, where that was another', async () => {
    discover = () => Promise.resolve(profile('sse', 'websocket'));
    await open({ query: '?client=sdk/1' });
    expect(newest().target.url).toBe('http://one/sse?client=sdk/1');
    stream.use('websocket');
    await pass(0);
    // It was never live over the other.
    expect(newest().target.url).toBe('http://one/ws?client=sdk/1');
    welcome();
    stream.use('sse');
    await pass(0);
    expect(newest().target.url).toBe('http://one/sse?client=sdk/1&from=websocket');
    welcome();
    lose();
    await pass(2000);
    expect(newest().target.url).toBe('http://one/sse?client=sdk/1');
  });

  it('moves to another transport that is on, and to none that is not', async () => {
    await open();
    welcome();
    stream.use('websocket');
    await pass(0);
    expect(newest().transport).toBe('websocket');
    welcome({ resumed: true });
    discover = () => Promise.resolve(profile('websocket'));
    await pass(2000);
    newest().listener.told('profile_changed', {}, null);
    await pass(0);
    welcome();
    stream.use('sse');
    await pass(0);
    expect(opened).toHaveLength(3);
  });

  it('takes the events of another log for new once it is told of a gap, and not before', async () => {
    await open();
    welcome();
    newest().listener.told('events', [eventOf('new', 'a', '9-0'), eventOf('old', 'a', '2-0')], null);
    expect(got).toEqual(['new']);
    newest().listener.told(
      'gap',
      { reason: 'trimmed', dropped: null, cursor: 'one.1-0', epoch: 'one' },
      null,
    );
    newest().listener.told('events', [eventOf('old', 'a', '2-0')], null);
    expect(got).toEqual(['new']);
    const gap = { reason: 'unknown_cursor', dropped: null, cursor: 'other.1-0', epoch: 'other' };
    newest().listener.told('gap', gap, null);
    newest().listener.told('events', [eventOf('other', 'a', '2-0')], null);
    expect(got).toEqual(['new', 'other']);
  });

  describe('that was given a cursor, and then joined a room', () => {
    let asked: number;
    let answers: (() => Response)[];

    beforeEach(async () => {
      asked = 0;
      stateOf = () => (answers[asked++] ?? (() => state('1-0', '3-0')))();
      await open({ rooms: ['a'] });
      welcome();
      newest().listener.told('events', [], 'e.3-0');
      stream.place.joining(['b']);
      stream.place.roomsChanged(['a', 'b']);
      lose();
      await pass(500);
      expect(newest().target).toMatchObject({ rooms: ['a', 'b'], cursor: 'e.3-0' });
    });

    it('shows the values of the room', async () => {
      answers = [];
      welcome({ resumed: true, rooms: ['a', 'b'] });
      await pass(0);
      expect([got, asked]).toEqual([['of the state'], 1]);
    });

    it('asks for them again where the node does not answer, or is behind the cursor, and while it is there', async () => {
      answers = [
        () => Response.json({}, { status: 503 }),
        () => state('1-0', '2-0'),
        () => state('2-0', '3-0'),
      ];
      welcome({ resumed: true, rooms: ['a', 'b'] });
      await pass(600);
      expect([got, asked]).toEqual([[], 2]);
      await pass(500);
      expect([got, asked]).toEqual([['of the state'], 3]);
      await pass(5000);
      expect(asked).toBe(3);
    });

    it('asks no more once it is refused for good', async () => {
      answers = [
        () => Response.json({ error: { code: 'forbidden', message: '', retryable: false } }, { status: 403 }),
      ];
      welcome({ resumed: true, rooms: ['a', 'b'] });
      await pass(5000);
      expect([got, asked]).toEqual([[], 1]);
    });
  });
});

describe('a silent connection', () => {
  it('that is never welcomed is given up for the next node, whatever else comes over it', async () => {
    await open({ urls: ['http://one', 'http://two'] });
    for (let second = 0; second < 17; second += 1) {
      newest().listener.heard();
      await pass(1000);
    }
    expect(stream.state).toMatchObject({ url: 'http://two' });
  });

  it('is lost after two and a half heartbeats', async () => {
    await open();
    welcome({ heartbeatMs: 10_000 });
    await pass(24_000);
    newest().listener.heard();
    await pass(24_000);
    expect(stream.state.state).toBe('live');
    await pass(3000);
    expect(stream.state).toMatchObject({ state: 'reconnecting', code: 'silent' });
  });

  it('has three seconds at least', async () => {
    await open();
    welcome({ heartbeatMs: 10 });
    await pass(3000);
    expect(stream.state.state).toBe('live');
    await pass(2000);
    expect(stream.state.state).toBe('reconnecting');
  });

  it.each([
    ['in a browser', { window: {} }, /six connections.*shared: true.*HTTP\/2/],
    ['in Node, where nobody has tabs,', {}, /^(?!.*tabs).*the gateway, or a proxy before it/],
  ])(
    'that has not answered at all %s says why that may be, and is given up later',
    async (_, globals, why) => {
      Object.assign(globalThis, globals);
      discover = () => new Promise(() => undefined);
      await open();
      await pass(4000);
      expect(stream.state).toMatchObject({ state: 'connecting', reason: '' });
      await pass(2000);
      const reason: unknown = expect.stringMatching(why);
      expect(stream.state).toMatchObject({ state: 'connecting', reason, retryInMs: null });
      await pass(11_000);
      expect(discoveries).toHaveLength(2);
      expect(stream.state).toMatchObject({ state: 'connecting', reason });
      for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name);
    },
  );
});

describe('a machine that slept', () => {
  it('is back at once, though its connection was live or its wait was long', async () => {
    await open();
    welcome();
    await pass(2000);
    sleep(60_000);
    await pass(1000);
    expect(opened).toHaveLength(2);
    for (let n = 0; n < 6; n += 1) {
      lose();
      await pass(stream.state.retryInMs ?? 0);
    }
    lose();
    expect(stream.state.retryInMs).toBeGreaterThan(10_000);
    const before = opened.length;
    sleep(60_000);
    await pass(1000);
    expect(opened).toHaveLength(before + 1);
  });

  it('keeps a connection that lived on, and bears a clock that is put back', async () => {
    await open();
    welcome();
    sleep(15_000);
    newest().listener.heard();
    await pass(1000);
    sleep(-3_600_000);
    await pass(20_000);
    expect([opened.length, stream.state.state]).toEqual([1, 'live']);
    await pass(10_000);
    expect(stream.state.state).toBe('reconnecting');
  });

  it('comes back at once when its page is shown or its network returns', async () => {
    discover = () => Promise.reject(new Error('away'));
    await open();
    await pass(5000);
    discover = () => Promise.resolve(profile('sse'));
    stream.wake();
    await pass(0);
    expect(opened).toHaveLength(1);
    welcome();
    stream.wake();
    stream.networkChanged();
    await pass(0);
    expect(opened).toHaveLength(1);
    lose();
    stream.networkChanged();
    await pass(0);
    expect(opened).toHaveLength(2);
  });
});
