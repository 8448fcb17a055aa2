import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventSourceWire } from '../support/event-source-wire.js';
import { closeClients, closedLater, HeardClient } from '../support/heard-client.js';
import { type HeldLink, openHeldLink } from '../support/held-link.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { NewestById } from '../support/newest-by-id.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';
import type { WireClient, WireEvent } from '../support/wire-client.js';

const ROOMS = ['x', 'y'];
const links: HeldLink[] = [];
let redis: RedisServer;
let publisher: Redis;

beforeEach(async () => {
  redis = await startRedisServer();
  publisher = new Redis(redis.url);
});

afterEach(async () => {
  closeClients();
  for (const link of links.splice(0)) link.close();
  await killLaunched();
  publisher.disconnect();
  await redis.stop();
});

async function linkTo(port: number): Promise<HeldLink> {
  const link = await openHeldLink(port);
  links.push(link);
  return link;
}

/** A node with a link to Redis, and one in front of it, of its own. */
async function nodeBehind(): Promise<{
  readonly toRedis: HeldLink;
  readonly front: HeldLink;
  readonly url: string;
}> {
  const toRedis = await linkTo(redis.port);
  const { port } = await launchGateway({
    APP_PROFILE: 'SSE',
    REDIS_URL: `redis://127.0.0.1:${String(toRedis.port)}`,
    REDIS_KEY_PREFIX: 'lagging',
  });
  const front = await linkTo(port);
  return { toRedis, front, url: `http://127.0.0.1:${String(front.port)}` };
}

/** Gives a value of each room, in this order and at once: whoever reads one reads all. */
async function publish(n: number): Promise<void> {
  const values = publisher.multi();
  for (const room of ROOMS) {
    const data = JSON.stringify({ n, room });
    values.xadd('lagging:{log}', '*', 'type', 'status', 'key', 'k', 'room', room, 'data', data);
  }
  await values.exec();
}

/** A client in both rooms, and what it told its page. */
interface Roamer {
  /** Connects to the one node. */
  begin(): Promise<void>;
  /** The cursor that it would come back with. */
  cursor(): string | null;
  /** Once its connection is lost: goes on at the other node. */
  goOn(): Promise<void>;
  events(): readonly WireEvent[];
}

/** The SDK, which does all of it by itself. */
function sdk(urls: readonly string[]): Roamer {
  let heard: HeardClient | undefined;
  return {
    begin: () => {
      heard = new HeardClient(urls, { rooms: ROOMS });
      return heard.isLive();
    },
    cursor: () => heard?.client.cursor ?? null,
    goOn: () =>
      waitUntil(
        () => heard?.client.stateChange.url === urls[1] && heard?.client.state === 'live',
        'the client to be at the other node',
      ),
    events: () => heard?.events ?? [],
  };
}

/** An EventSource, and the rule of PROTOCOL.md. */
function plain([first = '', second = '']: readonly string[]): Roamer {
  const clients: WireClient[] = [];
  const connect = async (url: string, cursor?: string): Promise<void> => {
    const client = await eventSourceWire.connect(url, {
      rooms: ROOMS,
      ...(cursor === undefined ? {} : { cursor }),
    });
    closedLater({ close: () => void client.close() });
    clients.push(client);
  };
  return {
    begin: () => connect(first),
    cursor: () => clients.at(-1)?.got.cursor ?? null,
    goOn: async () => {
      const [lost] = clients;
      await waitUntil(() => (lost?.got.losses ?? 0) > 0, 'the cut');
      await lost?.close();
      await connect(second, lost?.got.cursor ?? undefined);
    },
    events: () => {
      const rule = new NewestById();
      for (const { got } of clients) for (const received of got.all) rule.take(received);
      return rule.applied;
    },
  };
}

test.each([
  ['of the SDK', sdk],
  ['that follows the rule of PROTOCOL.md', plain],
])(
  'a client %s, cut inside a flush, that goes on at a node which is behind, ends with the newest values and never goes back',
  async (_kind, open) => {
    const [a, b] = await Promise.all([nodeBehind(), nodeBehind()]);
    const client = open([a.url, b.url]);
    const told = (room: string): unknown[] =>
      client
        .events()
        .filter((event) => event.type === 'status' && event.room === room)
        .map(({ data }) => (data as { n: number }).n);
    await client.begin();
    await publish(100);
    await waitUntil(
      () => ROOMS.every((room) => told(room).includes(100)) && client.cursor() !== null,
      'the first values',
    );

    // The one node reads the following values at once, so that they leave in one flush: its answer to the read before that
    // is kept back. The other node reads only the first of them.
    a.toRedis.hold();
    await publisher.xadd('lagging:{log}', '*', 'type', 'status', 'room', 'elsewhere');
    const isBehind = b.toRedis.holdAfter('{"n":160,"room":"y"}');
    await publish(160);
    await isBehind;
    await publish(200);
    a.front.cutAfterBlockWith('"n":200');
    a.toRedis.release();
    await client.goOn();
    await waitUntil(
      () => ROOMS.every((room) => b.front.passed().includes(`{"n":160,"room":"${room}"}`)),
      'the older values to be repeated',
    );
    b.toRedis.release();
    await waitUntil(() => ROOMS.every((room) => told(room).at(-1) === 200), 'the newest values');

    for (const room of ROOMS) await publisher.xadd('lagging:{log}', '*', 'type', 'last', 'room', room);
    await waitUntil(() =>
      ROOMS.every((room) => client.events().some((event) => event.type === 'last' && event.room === room)),
    );
    // One room's block had come before the cut, the other's had not.
    expect(ROOMS.map((room) => told(room).join()).sort()).toEqual(['100,160,200', '100,200']);
  },
);
