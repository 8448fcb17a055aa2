import { formatCursor, parseCursor } from '../../src/core/log/cursor.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openCutProxy } from '../support/cut-proxy.js';
import { publish } from '../support/publish.js';
import type { LaunchedGateway } from '../support/launched-gateway.js';
import { waitUntil } from '../support/wait-until.js';
import type { Wire, WireClient, WireEvent, WireOptions } from '../support/wire-client.js';

/** The gateways that the suite asks for; they are launched by whoever runs it. */
export interface WireGateways {
  /** Serves everything, pings every half second. */
  usual(): LaunchedGateway;
  /** As the usual one, but its log keeps next to nothing. */
  forgetful(): LaunchedGateway;
  /** One that the test may stop. */
  launch(): Promise<LaunchedGateway>;
}

let rooms = 0;

/** Append events of a room, numbered from `first` on. */
function numbered(room: string, first: number, count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({ type: 'fact_added', room, data: first + index }));
}

const numbers = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

const newRoom = (): string => `room-${String(process.pid)}-${String(++rooms)}`;

/** Waits until a client's cursor is that of an event, and closes it. */
async function leaveWithCursor(client: WireClient, id: string | undefined): Promise<string> {
  await waitUntil(() => client.got.cursorId === id, `the cursor ${String(id)}`);
  await client.close();
  return String(client.got.cursor);
}

/** What every wire does for its client. */
export function wireContract(wire: Wire, gateways: WireGateways): void {
  describe(`wire contract: ${wire.name}`, () => {
    const clients: WireClient[] = [];
    const cleanUps: (() => void)[] = [];

    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      for (const cleanUp of cleanUps.splice(0)) cleanUp();
    });

    async function connect(url: string, options: WireOptions): Promise<WireClient> {
      const client = await wire.connect(url, options);
      clients.push(client);
      return client;
    }

    /** Waits until the client has the event of this data, as the last of its room. */
    function until(client: WireClient, room: string, data: unknown): Promise<void> {
      return waitUntil(
        () => JSON.stringify(client.got.dataOf(room).at(-1)) === JSON.stringify(data),
        `${wire.name} to be sent ${JSON.stringify(data)}; it has ${JSON.stringify(client.got.dataOf(room)).slice(0, 500)}`,
      );
    }

    test('welcomes before anything else, with what the client needs to know', async () => {
      const { url } = gateways.usual();
      const [one, two] = [newRoom(), newRoom()];
      await publish(url, { type: 'kb_update', room: one, data: 1 });
      const { got } = await connect(url, { rooms: [one, two] });
      expect(got.all[0]).toEqual({
        kind: 'welcome',
        welcome: {
          sessionId: expect.stringMatching(/^[0-9a-f]{12}\.[0-9a-f-]{36}$/),
          profile: 'HYBRID',
          rooms: [one, two],
          epoch: expect.stringMatching(/^[\w-]{8}$/),
          cursor: null,
          resumed: false,
          heartbeatMs: 500,
        },
      });
      expect(got.welcomes).toHaveLength(1);
    });

    test('a client that names no rooms is in the default rooms', async () => {
      const { got } = await connect(gateways.usual().url, {});
      expect(got.welcomes[0]?.rooms).toEqual(['default', 'everyone']);
    });

    test('a newcomer is shown the newest value of each slot of its rooms, and nothing else', async () => {
      const { url } = gateways.usual();
      const [room, other] = [newRoom(), newRoom()];
      await publish(url, [
        { type: 'kb_update', room, data: 'old' },
        { type: 'gpu_update', room, key: 'a', data: 'old a' },
        { type: 'gpu_update', room, key: 'b', data: 'b', timestamp: 1732219200.123 },
        { type: 'fact_added', room, data: 'not a value' },
        { type: 'kb_update', room: other, data: 'elsewhere' },
        { type: 'gpu_update', room, key: 'a', data: 'a' },
        { type: 'kb_update', room, data: 'new' },
      ]);
      const client = await connect(url, { rooms: [room] });
      await until(client, room, 'new');
      await publish(url, { type: 'fact_added', room, data: 'end' });
      await until(client, room, 'end');
      expect(client.got.events.map(({ type, key, data }) => [type, key, data])).toEqual([
        ['gpu_update', 'b', 'b'],
        ['gpu_update', 'a', 'a'],
        ['kb_update', undefined, 'new'],
        ['fact_added', undefined, 'end'],
      ]);
      expect(client.got.events[0]).toEqual({
        id: expect.stringMatching(/^\d+-\d+$/),
        type: 'gpu_update',
        room,
        key: 'b',
        data: 'b',
        timestamp: 1732219200.123,
      });
    });

    test('events come whole and in order, once each, with the ids they were given', async () => {
      const { url } = gateways.usual();
      const room = newRoom();
      const client = await connect(url, { rooms: [room] });
      const odd = { text: 'a\r\n\0\uFEFF\u2028\u2029\ud800"\\', deep: [[[{ '': null }]]], number: -1.5e300 };
      const ids: string[] = [];
      for (let first = 0; first < 500; first += 50)
        ids.push(...(await publish(url, numbered(room, first, 50))));
      ids.push(...(await publish(url, { type: 'reasoning_complete', room, data: odd })));
      await until(client, room, odd);
      expect(client.got.dataOf(room)).toEqual([...numbers(0, 500), odd]);
      expect(client.got.ids).toEqual(ids);
      await waitUntil(() => client.got.cursorId === ids.at(-1), 'the cursor of the last event');
    });

    test('of keyed events the final value of each key always arrives, and most of the others never', async () => {
      const { url } = gateways.usual();
      const room = newRoom();
      const client = await connect(url, { rooms: [room] });
      const all = numbers(0, 3000).map((version) => ({
        type: 'kb_update',
        room,
        key: `key-${String(version % 10)}`,
        data: version,
      }));
      for (let first = 0; first < all.length; first += 1000) {
        await publish(url, all.slice(first, first + 1000));
      }
      await until(client, room, 2999);
      const newest = new Map<unknown, unknown>();
      for (const { key, data } of client.got.events) {
        expect(Number(data)).toBeGreaterThan(Number(newest.get(key) ?? -1));
        newest.set(key, data);
      }
      expect(new Set(newest.values())).toEqual(new Set(numbers(2990, 10)));
      expect(client.got.events.length).toBeLessThan(1500);
    });

    test('events of the same name and another key, room or policy do not swallow each other', async () => {
      const { url } = gateways.usual();
      const [one, two] = [newRoom(), newRoom()];
      const client = await connect(url, { rooms: [one, two] });
      await publish(url, [
        { type: 'kb_update', room: one, data: 'no key' },
        { type: 'kb_update', room: one, key: 'k', data: 'key' },
        { type: 'kb_update', room: two, data: 'other room' },
        { type: 'system_status_update', room: one, data: { cpu: 1 } },
        { type: 'system_status_update', room: one, data: { status: 'ok' } },
        { type: 'system_status_update', room: one, data: { cpu: 2 } },
        { type: 'fact_added', room: one, data: 'x' },
        { type: 'fact_added', room: one, data: 'x' },
        { type: 'fact_added', room: two, data: 'end' },
      ]);
      await until(client, two, 'end');
      await until(client, one, 'x');
      const seen = (client.got.dataOf(one) as unknown[]).map((data) => JSON.stringify(data));
      expect(seen.filter((data) => data !== '{"cpu":1}')).toEqual([
        '"no key"',
        '"key"',
        '{"status":"ok"}',
        '{"cpu":2}',
        '"x"',
        '"x"',
      ]);
      expect(client.got.dataOf(two)).toEqual(['other room', 'end']);
    });

    test('nobody is sent what goes to rooms it is not in', async () => {
      const { url } = gateways.usual();
      const [mine, theirs] = [newRoom(), newRoom()];
      const me = await connect(url, { rooms: [mine] });
      const they = await connect(url, { rooms: [theirs] });
      await publish(url, numbered(theirs, 0, 20));
      await until(they, theirs, 19);
      await publish(url, numbered(mine, 0, 1));
      await until(me, mine, 0);
      expect(me.got.events.map(({ room }) => room)).toEqual([mine]);
    });

    test('a live client joins a room, is shown its newest values, and leaves it again', async () => {
      const { url } = gateways.usual();
      const [first, second] = [newRoom(), newRoom()];
      await publish(url, [
        { type: 'kb_update', room: second, data: 'snapshot' },
        { type: 'fact_added', room: second, data: 'before' },
      ]);
      const client = await connect(url, { rooms: [first] });
      expect(await client.join([second])).toEqual({ rooms: [first, second] });
      await until(client, second, 'snapshot');
      await publish(url, numbered(second, 1, 3));
      await until(client, second, 3);
      expect(client.got.dataOf(second)).toEqual(['snapshot', 1, 2, 3]);
      expect(await client.leave([second])).toEqual({ rooms: [first] });
      await publish(url, numbered(second, 4, 3));
      await publish(url, numbered(first, 0, 1));
      await until(client, first, 0);
      expect(client.got.dataOf(second)).toEqual(['snapshot', 1, 2, 3]);
      // Joined again it is shown the room as to a newcomer, and has lost nothing else.
      expect(await client.join([second])).toEqual({ rooms: [first, second] });
      await publish(url, numbered(second, 7, 1));
      await until(client, second, 7);
      expect(client.got.dataOf(second)).toEqual(['snapshot', 1, 2, 3, 'snapshot', 7]);
    });

    test.each([
      ['a name that is none', ['no room'], 'invalid_room'],
      ['a name that is too long', ['x'.repeat(129)], 'invalid_room'],
      ['no name', [''], 'invalid_room'],
      ['too many', Array.from({ length: 101 }, (_, index) => `room-${String(index)}`), 'too_many_rooms'],
    ])('rooms with %s are refused as the client connects', async (_what, rooms, code) => {
      // An empty parameter of a stream names no room, which asks for the default rooms.
      const asked = rooms[0] === '' ? ['', ''] : rooms;
      await expect(wire.connect(gateways.usual().url, { rooms: asked })).rejects.toMatchObject({
        error: { code, message: expect.any(String), retryable: false },
      });
    });

    test('rooms that are none are refused to a live client, which stays as it is', async () => {
      const { url } = gateways.usual();
      const room = newRoom();
      const client = await connect(url, { rooms: [room] });
      for (const bad of [['no room'], [room, 7], [null], 7, {}, [['a']]]) {
        for (const answer of [await client.join(bad), await client.leave(bad)]) {
          expect(answer).toEqual({
            error: { code: 'invalid_room', message: expect.any(String), retryable: false },
          });
        }
      }
      const many = Array.from({ length: 100 }, (_, index) => `many-${String(index)}`);
      expect(await client.join(many)).toMatchObject({ error: { code: 'too_many_rooms' } });
      await publish(url, numbered(room, 0, 1));
      await until(client, room, 0);
      expect(client.got.losses).toBe(0);
    });

    test('a client that returns with its cursor gets what it missed, exactly once and in order', async () => {
      const { url } = gateways.usual();
      const [one, two] = [newRoom(), newRoom()];
      const before = await connect(url, { rooms: [one, two] });
      const first = await publish(url, [...numbered(one, 0, 5), ...numbered(two, 0, 5)]);
      const cursor = await leaveWithCursor(before, first.at(-1));
      const missed = await publish(
        url,
        numbers(5, 200).flatMap((number) => [
          ...numbered(one, number, 1),
          { type: 'kb_update', room: two, data: number },
          ...numbered(two, number, 1),
        ]),
      );
      const arriving = publish(url, [...numbered(one, 205, 50), ...numbered(two, 205, 50)]);
      const after = await connect(url, { rooms: [one, two], cursor });
      const live = [...(await arriving), ...(await publish(url, numbered(one, 255, 5)))];
      await until(after, one, 259);
      await until(after, two, 254);
      expect(after.got.welcomes).toMatchObject([{ resumed: true, cursor, rooms: [one, two] }]);
      expect(after.got.gaps).toEqual([]);
      expect(after.got.dataOf(one)).toEqual(numbers(5, 255));
      const ofTwo = after.got.events.filter(({ room }) => room === two);
      expect(ofTwo.filter(({ type }) => type === 'fact_added').map(({ data }) => data)).toEqual(
        numbers(5, 250),
      );
      expect(ofTwo.filter(({ type }) => type === 'kb_update').at(-1)?.data).toBe(204);
      expectAscending(ofTwo);
      const known = new Set([...missed, ...live]);
      expect(after.got.ids.filter((id) => !known.has(id))).toEqual([]);
      expect(new Set(after.got.ids).size).toBe(after.got.ids.length);
      await waitUntil(() => after.got.cursorId === live.at(-1), 'the newest cursor');
    });

    test('a cursor from anywhere in between works as well as the last', async () => {
      const { url } = gateways.usual();
      const room = newRoom();
      const ids = await publish(url, numbered(room, 0, 100));
      const epoch = String((await connect(url, { rooms: [room] })).got.welcomes[0]?.epoch);
      for (const index of [0, 49, 98]) {
        const cursor = formatCursor(epoch, String(ids[index]));
        const client = await connect(url, { rooms: [room], cursor });
        await until(client, room, 99);
        expect(client.got.dataOf(room)).toEqual(numbers(index + 1, 99 - index));
      }
    });

    test.each([
      ['of no form', 'garbage'],
      ['of almost the form', '1-1-1'],
      ['that is negative', '-1-0'],
      ['with an escape', '%00'],
      ['that is a bare id', `${String(Date.now())}-0`],
      ['with a number that is too large', `EPOCH.${'9'.repeat(30)}-0`],
      ['of the future', `EPOCH.${String(Date.now() + 3_600_000)}-0`],
      ['of another epoch', `other.${String(Date.now())}-0`],
    ])('a cursor %s, which the log never gave, is a gap, and then the snapshot', async (_what, form) => {
      const { url } = gateways.usual();
      const room = newRoom();
      await publish(url, [
        { type: 'kb_update', room, data: 'newest' },
        { type: 'fact_added', room, data: 'lost' },
      ]);
      const epoch = String((await connect(url, { rooms: [room] })).got.welcomes[0]?.epoch);
      const client = await connect(url, { rooms: [room], cursor: form.replace('EPOCH', epoch) });
      await until(client, room, 'newest');
      expect(client.got.all.map(({ kind }) => kind).slice(0, 3)).toEqual(['welcome', 'gap', 'events']);
      expect(client.got.welcomes).toMatchObject([{ resumed: false, cursor: null }]);
      expect(client.got.gaps).toEqual([
        {
          reason: expect.stringMatching(/^(unknown_cursor|trimmed)$/),
          dropped: null,
          epoch: expect.stringMatching(/^[\w-]{8}$/),
          cursor: expect.stringMatching(/^[\w-]{8}\.\d+-\d+$/),
        },
      ]);
      await publish(url, numbered(room, 0, 1));
      await until(client, room, 0);
      expect(client.got.dataOf(room)).toEqual(['newest', 0]);
    });

    test('a cursor whose place the log has trimmed is a gap, and then the snapshot', async () => {
      const { url } = gateways.forgetful();
      const room = newRoom();
      const before = await connect(url, { rooms: [room] });
      const [id] = await publish(url, numbered(room, 0, 1));
      const cursor = await leaveWithCursor(before, id);
      await publish(url, { type: 'kb_update', room, data: 'newest' });
      const ids = await publish(url, numbered(room, 1, 600));
      // With Redis the log has them before this node does; as long as it has not, it holds the cursor's place.
      await waitUntil(async () => {
        const status = (await (await fetch(`${url}/api/admin/status`)).json()) as { cursor: string };
        return parseCursor(status.cursor)?.id === ids.at(-1);
      }, 'the node to have them');
      const client = await connect(url, { rooms: [room], cursor });
      await until(client, room, 'newest');
      expect(client.got.all.map(({ kind }) => kind).slice(0, 3)).toEqual(['welcome', 'gap', 'events']);
      expect(client.got.gaps).toMatchObject([{ reason: 'trimmed', dropped: null }]);
      await publish(url, numbered(room, 601, 1));
      await until(client, room, 601);
      expect(client.got.dataOf(room)).toEqual(['newest', 601]);
    });

    test('a client shows signs of life while nothing happens, and stays', async () => {
      const { url } = gateways.usual();
      const room = newRoom();
      const client = await connect(url, { rooms: [room] });
      await waitUntil(() => client.got.heartbeats >= 2, 'two heartbeats');
      await publish(url, numbered(room, 0, 1));
      await until(client, room, 0);
      expect(client.got.losses).toBe(0);
    });

    test('a node that stops tells the client before it lets go', async () => {
      const gateway = await gateways.launch();
      const client = await connect(gateway.url, { rooms: [newRoom()] });
      expect(await gateway.stop()).toBe(0);
      await waitUntil(() => client.got.losses > 0, 'the connection to end');
      expect(client.got.drainings).toEqual(['shutting_down']);
    });

    if (!wire.comesBack) return;
    test('a client whose connection breaks comes back by itself and has lost nothing', async () => {
      const { url, port } = gateways.usual();
      const [one, two] = [newRoom(), newRoom()];
      const proxy = await openCutProxy(port);
      cleanUps.push(() => proxy.close());
      const client = await connect(proxy.url, { rooms: [one, two] });
      await publish(url, [...numbered(one, 0, 10), ...numbered(two, 0, 10)]);
      await until(client, two, 9);
      await until(client, one, 9);
      // Between two polls there is nothing to break.
      await waitUntil(() => {
        proxy.cut();
        return client.got.losses > 0;
      }, 'the client to lose its connection');
      await publish(url, [...numbered(one, 10, 40), ...numbered(two, 10, 40)]);
      await waitUntil(() => client.got.welcomes.length > 1, 'the client to come back');
      await publish(url, [...numbered(one, 50, 10), ...numbered(two, 50, 10)]);
      await until(client, one, 59);
      await until(client, two, 59);
      expect(client.got.welcomes.at(-1)).toMatchObject({ resumed: true, rooms: [one, two] });
      expect(client.got.gaps).toEqual([]);
      for (const room of [one, two]) expect(client.got.dataOf(room)).toEqual(numbers(0, 60));
    });
  });
}

/** Ids are the log's order. */
function expectAscending(events: readonly WireEvent[]): void {
  const places = events.map(({ id }) => id.split('-').map(Number) as [number, number]);
  const sorted = [...places].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  expect(places).toEqual(sorted);
}
