import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClientOptions, FlipgateClient } from '../../../src/client/index.js';
import type { FromTab, FromWorker } from '../../../src/client/tab-messages.js';
import { TabHub } from '../../../src/client/tab-hub.js';
import type { StateChange } from '../../../src/client/stream-state.js';
import type { GatewayEvent } from '../../../src/client/wire.js';

const WELCOME = {
  sessionId: 's',
  profile: 'SSE',
  rooms: ['a'],
  cursor: null,
  resumed: false,
  heartbeatMs: 1,
};

/** A client as the hub uses it, which says what a test makes it say. */
class FakeClient {
  readonly options: ClientOptions;
  rooms: string[];
  cursor: string | null = null;
  closed = false;
  stateChange: StateChange = {
    state: 'live',
    transport: 'sse',
    url: 'http://one',
    reason: '',
    code: null,
    retryInMs: null,
  };
  readonly #handlers = new Map<string, (value: never) => void>();
  readonly onProfile = this.#adder('profile');
  readonly onGap = this.#adder('gap');
  readonly onWelcome = this.#adder('welcome');
  readonly onState = this.#adder('state');

  constructor(options: ClientOptions) {
    this.options = options;
    this.rooms = [...(options.rooms ?? [])];
  }

  on(_type: string, handler: (event: never) => void): void {
    this.#handlers.set('event', handler);
  }

  say(name: string, value: unknown): void {
    this.#handlers.get(name)?.(value as never);
  }

  use(): void {}

  join(rooms: string[]): Promise<string[]> {
    if (rooms.includes('no room')) return Promise.reject(new Error('no such room'));
    this.rooms = [...this.rooms, ...rooms];
    return Promise.resolve(this.rooms);
  }

  leave(rooms: string[]): Promise<string[]> {
    this.rooms = this.rooms.filter((room) => !rooms.includes(room));
    return Promise.resolve(this.rooms);
  }

  close(): void {
    this.closed = true;
  }

  #adder(name: string) {
    return (handler: (value: never) => void): void => void this.#handlers.set(name, handler);
  }
}

/** A port's two ends in one: what the hub posts is noted, and what a tab posts is handed over at once. */
class FakePort extends EventTarget {
  readonly got: FromWorker[] = [];
  answers = true;

  start(): void {}

  postMessage(message: FromWorker): void {
    this.got.push(structuredClone(message));
    if (message.name === 'heard' && this.answers) this.post({ name: 'alive' });
  }

  post(data: FromTab): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  open(
    asked: readonly string[] | null = ['a'],
    cursor: string | null = null,
    token: string | boolean = false,
  ): this {
    const rooms = asked ?? undefined;
    this.post({ name: 'open', urls: ['http://one'], rooms, cursor, transport: 'sse', token });
    return this;
  }

  /** The ids of all events it was given. */
  get ids(): string[] {
    return this.got.flatMap((one) => (one.name === 'events' ? one.value.map(({ id }) => id) : []));
  }

  names(): string[] {
    return this.got.map(({ name }) => name).filter((name) => name !== 'heard');
  }
}

let clients: FakeClient[];
let hub: TabHub;
/** What the gateway answers when it is asked for a room. */
let answer: (url: string) => unknown;
const fetchBefore = globalThis.fetch;

function tab(): FakePort {
  const port = new FakePort();
  hub.add(port as unknown as MessagePort);
  return port;
}

function client(): FakeClient {
  const newest = clients.at(-1);
  if (newest === undefined) throw new Error('no client');
  return newest;
}

function event(id: string, room = 'a'): GatewayEvent {
  return { id, type: 't', room, data: null, timestamp: 1 };
}

async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask'] });
  clients = [];
  answer = () => ({ events: [] });
  globalThis.fetch = (url) => Promise.resolve(new Response(JSON.stringify(answer(url as string))));
  hub = new TabHub((_urls, options) => {
    const made = new FakeClient(options);
    clients.push(made);
    return made as unknown as FlipgateClient;
  });
});

afterEach(() => {
  globalThis.fetch = fetchBefore;
  jest.useRealTimers();
});

/** A first tab, and the stream under way. */
function begun(): FakePort {
  const first = tab().open();
  client().say('welcome', WELCOME);
  return first;
}

describe('a hub of tabs', () => {
  it('gives the first tab the stream as it is', async () => {
    const first = tab().open(['a'], 'c0');
    expect(client().options).toMatchObject({ rooms: ['a'], cursor: 'c0', prefer: 'sse' });
    client().say('welcome', { ...WELCOME, cursor: 'c0', resumed: true });
    client().say('event', event('1-0'));
    client().say('event', event('2-0'));
    client().cursor = 'c2';
    await pass(0);
    expect(first.names()).toEqual(['welcome', 'state', 'events']);
    expect(first.got[0]).toMatchObject({ value: { resumed: true, rooms: ['a'], heartbeatMs: 4000 } });
    expect(first.got[2]).toMatchObject({ value: [{ id: '1-0' }, { id: '2-0' }], cursor: 'c2' });
  });

  it('gives a later tab what is there, and then what is newer, each once', async () => {
    begun();
    client().say('event', event('4-0'));
    client().say('event', event('6-0'));
    // The node that is asked knows of 7 already, of which the stream does not, and not of 6 as another node might not.
    answer = () => ({ events: [event('3-0'), event('5-0')] });
    const late = tab().open();
    client().say('event', event('7-0'));
    expect(late.ids).toEqual([]);
    await pass(0);
    client().say('event', event('8-0'));
    await pass(0);
    expect(late.ids).toEqual(['3-0', '5-0', '6-0', '7-0', '8-0']);
    expect(late.names().slice(0, 2)).toEqual(['welcome', 'state']);
    answer = () => ({ events: [event('9-0')] });
    const later = tab().open();
    await pass(0);
    for (const id of ['8-5', '9-0', '10-0']) client().say('event', event(id));
    await pass(0);
    expect(later.ids).toEqual(['9-0', '10-0']);
  });

  it('shows a later tab nothing older than a moment', async () => {
    begun();
    client().say('event', event('1-0'));
    await pass(3000);
    client().say('event', event('2-0'));
    const late = tab().open();
    await pass(0);
    expect(late.ids).toEqual(['2-0']);
  });

  it('lets a tab go on from its cursor where the gateway has all since, and tells of a gap else', async () => {
    begun();
    const asked: string[] = [];
    answer = (url) => {
      asked.push(url);
      return { whole: true, events: [event('2-0')] };
    };
    const back = tab().open(['a'], 'c1');
    await pass(0);
    expect(asked).toEqual(['http://one/api/rooms/a/events?limit=1000&after=c1']);
    expect(back.got[0]).toMatchObject({ name: 'welcome', value: { resumed: true, cursor: 'c1' } });
    expect(back.ids).toEqual(['2-0']);
    answer = (url) => ({ whole: false, events: [event(url.includes('/state') ? '9-0' : '5-0')] });
    const lost = tab().open(['a'], 'c1');
    await pass(0);
    expect(lost.names()).toEqual(['welcome', 'state', 'gap', 'events']);
    expect(lost.got[0]).toMatchObject({ value: { resumed: false, cursor: null } });
    expect(lost.ids).toEqual(['9-0']);
  });

  it('shows a tab the newest values where more events follow than a page has', async () => {
    begun();
    answer = (url) =>
      url.includes('/state')
        ? { events: [event('9-0')] }
        : { whole: true, more: true, events: [event('5-0')] };
    const late = tab().open(['a'], 'c1');
    await pass(0);
    expect(late.got[0]).toMatchObject({ value: { resumed: false, cursor: null } });
    expect(late.ids).toEqual(['9-0']);
  });

  it('tells what came before a gap before it, and gives nothing of another log to a tab that comes later', async () => {
    const first = begun();
    client().say('welcome', { ...WELCOME, resumed: true, epoch: 'one' });
    client().say('event', event('90-0'));
    client().say('gap', { reason: 'unknown_cursor', dropped: null, cursor: 'two.1-0', epoch: 'two' });
    client().say('event', event('2-0'));
    const states = [
      { events: [event('90-0')], epoch: 'one' },
      { events: [event('1-0')], epoch: 'two' },
    ];
    answer = () => states.shift();
    const late = tab().open();
    await pass(0);
    expect(first.names().slice(-3)).toEqual(['events', 'gap', 'events']);
    expect(first.ids).toEqual(['90-0', '2-0']);
    expect(late.ids).toEqual([]);
    await pass(1000);
    expect(late.ids).toEqual(['1-0', '2-0']);
  });

  it('compares ids that are no numbers of JavaScript', async () => {
    begun();
    const [older, newer] = ['18446744073709551614-1', '18446744073709551614-18446744073709551615'];
    client().say('event', event(older));
    client().say('event', event(newer));
    answer = () => ({ events: [event(older)] });
    const late = tab().open();
    await pass(0);
    expect(late.ids).toEqual([older, newer]);
  });

  it('joins rooms with the first of their tabs, and leaves them with the last', async () => {
    const first = begun();
    const second = tab().open(['b']);
    await pass(0);
    expect(client().rooms).toEqual(['a', 'b']);
    client().say('event', event('1-0', 'b'));
    await pass(0);
    expect([first.ids, second.ids]).toEqual([[], ['1-0']]);
    first.post({ name: 'ask', id: 1, what: 'join', value: ['b'] });
    await pass(0);
    expect(first.got.find(({ name }) => name === 'answer')).toMatchObject({ value: { rooms: ['a', 'b'] } });
    second.post({ name: 'close' });
    await pass(0);
    expect(client().rooms).toEqual(['a', 'b']);
    first.post({ name: 'ask', id: 2, what: 'leave', value: ['b'] });
    await pass(0);
    expect(client().rooms).toEqual(['a']);
    first.post({ name: 'close' });
    expect(client().closed).toBe(true);
  });

  it('notices a tab that died, and ends with the last of them', async () => {
    const first = begun();
    first.answers = false;
    const second = tab().open(['b']);
    await pass(20_000);
    expect(client().rooms).toEqual(['b']);
    second.answers = false;
    await pass(20_000);
    expect([client().closed, clients.length]).toEqual([true, 1]);
    tab().open();
    expect(clients).toHaveLength(2);
  });

  it('turns away a tab whose rooms it can not join, and tells all of a refusal', async () => {
    const first = begun();
    const bad = tab().open(['no room']);
    await pass(0);
    expect(bad.got).toEqual([{ name: 'unshared', reason: 'Error: no such room' }]);
    client().say('state', { ...client().stateChange, state: 'closed', code: 'bad_request', reason: 'no' });
    expect(first.got.at(-1)).toEqual({
      name: 'lost',
      error: { code: 'bad_request', message: 'no', retryable: false, retryAfterMs: null },
    });
    expect(client().closed).toBe(true);
  });

  it('waits for the first welcome before it takes in others, also in the default rooms', async () => {
    const first = tab().open(null);
    const second = tab().open(null);
    await pass(0);
    expect(second.names()).toEqual([]);
    client().rooms = ['default'];
    client().say('welcome', { ...WELCOME, rooms: ['default'] });
    await pass(0);
    second.post({ name: 'ask', id: 1, what: 'join', value: ['b'] });
    await pass(0);
    client().say('event', event('1-0', 'default'));
    client().say('event', event('2-0', 'b'));
    await pass(0);
    expect([first.ids, second.ids]).toEqual([['1-0'], ['1-0', '2-0']]);
  });

  it('has a token of its own where that is always the same', () => {
    tab().open(['a'], null, 'secret');
    expect(client().options.token).toBe('secret');
  });

  it('asks its tabs for a token', async () => {
    const first = tab().open(['a'], null, true);
    const { token } = client().options;
    const asked = (token as () => Promise<string>)();
    const question = first.got.find((one) => one.name === 'token');
    first.post({ name: 'token', id: question?.name === 'token' ? question.id : 0, token: 'secret' });
    expect(await asked).toBe('secret');
    const unanswered = expect((token as () => Promise<string>)()).rejects.toThrow('no tab');
    await pass(10_000);
    await unanswered;
  });
});
