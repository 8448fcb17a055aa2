// What one stream and four carry, and what a node pays for the events of shards in which it has no room.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Shards } from '../../dist/core/log/shards.js';
import { streamKey } from '../../dist/core/log/stream-key.js';
import { cpuMicros } from '../lib/accounting.mjs';
import { startRedisCluster } from '../lib/redis-cluster.mjs';
import { startRedis } from '../lib/redis-server.mjs';
import { startFlipgate } from '../lib/server-process.mjs';
import { until } from '../lib/wait.mjs';

const PUBLISHER = path.join(path.dirname(fileURLToPath(import.meta.url)), '../lib/shard-publisher.mjs');
/** One room in each of four shards; clients are in the first. */
const ROOMS = ['a', 'b', 'd', 'e'];
const PREFIX = 'bench';

/** Has so many processes publish evenly to all rooms; resolves with events and events/s. */
async function publishFrom(processes, { url, streams, forMs, perSecond = 0 }) {
  const shards = new Shards(streams);
  const pairs = JSON.stringify(ROOMS.map((room) => [streamKey(PREFIX, shards, shards.ofRoom(room)), room]));
  const children = Array.from({ length: processes }, () =>
    fork(PUBLISHER, [url, pairs, String(forMs), String(perSecond / processes)]),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  return {
    run: async () => {
      const answers = children.map((child) => once(child, 'message'));
      for (const child of children) child.send('go');
      const told = (await Promise.all(answers)).map(([answer]) => answer);
      await until(() => children.every(({ exitCode }) => exitCode !== null));
      const sent = told.reduce((sum, answer) => sum + answer.sent, 0);
      return { sent, perSecond: (sent * 1000) / Math.max(...told.map(({ ms }) => ms)) };
    },
  };
}

/** One server, as a Cluster of one. */
async function startOne() {
  const redis = await startRedis();
  return { ...redis, pids: [redis.pid] };
}

async function carried(start, streams, forMs) {
  const redis = await start();
  const publishers = await publishFrom(3, { url: redis.url, streams, forMs });
  const before = redis.pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  const { sent, perSecond } = await publishers.run();
  const cpu = redis.pids.reduce((sum, pid) => sum + cpuMicros(pid), 0) - before;
  await redis.stop();
  return { perSecond, redisCpu: cpu / sent };
}

/** Reads a stream and throws it away until it is told to stop. */
async function readOn(url, signal) {
  try {
    const { body } = await fetch(url, { signal });
    for await (const _ of body);
  } catch {
    // It was told to.
  }
}

async function paid(streams, rooms, forMs, perSecond) {
  const redis = await startRedis();
  const node = await startFlipgate({
    APP_PROFILE: 'SSE',
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: PREFIX,
    REDIS_CHANNELS: 'bench-none',
    LOG_SHARDS: String(streams),
    DEFAULT_ROOMS: ROOMS[0],
    LOG_MAX_EVENTS: '20000',
  });
  await until(async () => (await node.request('GET', '/readyz')).status === 200);
  const listening = new AbortController();
  const url = `http://127.0.0.1:${String(node.port)}/api/events/stream?rooms=${rooms.join(',')}`;
  const reading = readOn(url, listening.signal);
  const publishers = await publishFrom(2, { url: redis.url, streams, forMs, perSecond });
  await until(async () => (await node.status()).sessions.sse === 1);
  const { followed } = (await node.status()).log;
  const before = cpuMicros(node.pid);
  const { sent } = await publishers.run();
  const cpu = cpuMicros(node.pid) - before;
  listening.abort();
  await reading;
  await node.stop();
  await redis.stop();
  return { followed: followed.length, perEvent: cpu / sent };
}

/** Ratios to one stream. */
export async function shards({ quick }) {
  const forMs = quick ? 3000 : 10_000;
  const rows = [];
  const row = (what, streams, value, base) =>
    rows.push({ what, streams, value: value.toFixed(2), 'ratio to one stream': (value / base).toFixed(2) });
  for (const { name, start } of [
    { name: 'one server', start: startOne },
    { name: 'Cluster of 3 masters', start: () => startRedisCluster(3) },
  ]) {
    const [one, four] = [await carried(start, 1, forMs), await carried(start, 4, forMs)];
    row(`events/s XADDed by 3 processes, ${name}`, 1, one.perSecond, one.perSecond);
    row(`events/s XADDed by 3 processes, ${name}`, 4, four.perSecond, one.perSecond);
    row(`CPU µs of Redis per event, ${name}`, 1, one.redisCpu, one.redisCpu);
    row(`CPU µs of Redis per event, ${name}`, 4, four.redisCpu, one.redisCpu);
  }
  const perSecond = 8000;
  const base = await paid(1, ['a'], forMs, perSecond);
  const some = await paid(4, ['a'], forMs, perSecond);
  const all = await paid(4, ROOMS, forMs, perSecond);
  const name = `CPU µs of a node per event published (${String(perSecond)}/s)`;
  row(`${name}, one client in one room of four`, 1, base.perEvent, base.perEvent);
  row(`${name}, the same, follows ${String(some.followed)} of 4`, 4, some.perEvent, base.perEvent);
  row(
    `${name}, one client in all rooms, follows ${String(all.followed)} of 4`,
    4,
    all.perEvent,
    base.perEvent,
  );
  return rows;
}
