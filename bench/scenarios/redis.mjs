// What Redis costs: taking events in over HTTP, beside the log in memory, and how much of a stream one node carries.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuMicros, median, percentile } from '../lib/accounting.mjs';
import { startRedis } from '../lib/redis-server.mjs';
import { ask, startClients, startFlipgate } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const PUBLISHER = fileURLToPath(new URL('../lib/stream-publisher.mjs', import.meta.url));
const CLIENTS = fileURLToPath(new URL('../lib/latency-clients.mjs', import.meta.url));

/** Where the log is, in the order in which they take turns. */
const LOGS = [
  { log: 'memory' },
  { log: 'Redis', redis: {} },
  { log: 'Redis, AOF each second', redis: { appendOnly: true } },
];

/** CPU of the node and of Redis per event that comes in over HTTP, nobody listening; ratios to the log in memory. */
export async function redisIngest({ quick }) {
  const rounds = quick ? 1 : 3;
  const rows = [];
  for (const batch of [1, 100]) {
    const figures = new Map(LOGS.map(({ log }) => [log, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const one of LOGS) figures.get(one.log).push(await measureIngest(one, batch, quick ? 1000 : 5000));
    }
    const of = (log, figure) => median(figures.get(log).map((measured) => measured[figure]));
    for (const { log } of LOGS) {
      rows.push({
        log,
        'events per request': batch,
        'events/s': Math.round(of(log, 'perSecond')),
        'node µs per event': of(log, 'node').toFixed(1),
        'Redis µs per event': of(log, 'redis').toFixed(1),
        'node, ratio': (of(log, 'node') / of('memory', 'node')).toFixed(2),
        'both, ratio': ((of(log, 'node') + of(log, 'redis')) / of('memory', 'node')).toFixed(2),
      });
    }
  }
  return rows;
}

async function measureIngest({ redis: settings }, batch, forMs) {
  const redis = settings === undefined ? undefined : await startRedis(settings);
  const server = await startFlipgate({
    APP_PROFILE: 'SSE',
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  });
  const body = JSON.stringify(
    Array.from({ length: batch }, (_, index) => ({
      type: 'update',
      key: `key-${String(index)}`,
      data: { text: 'x'.repeat(400) },
    })),
  );
  const send = async () => {
    const { status } = await server.request('POST', '/api/events', body);
    if (status !== 202) throw new Error(`refused: ${String(status)}`);
  };
  await until(async () => (await server.request('GET', '/readyz')).status === 200);
  for (let warmUp = 0; warmUp < 200; warmUp += 1) await send();
  const before = { node: cpuMicros(server.pid), redis: redis === undefined ? 0 : cpuMicros(redis.pid) };
  const started = performance.now();
  let requests = 0;
  const publisher = async () => {
    while (performance.now() < started + forMs) {
      await send();
      requests += 1;
    }
  };
  await Promise.all(Array.from({ length: 4 }, publisher));
  const events = requests * batch;
  const measured = {
    perSecond: (events * 1000) / (performance.now() - started),
    node: (cpuMicros(server.pid) - before.node) / events,
    redis: redis === undefined ? 0 : (cpuMicros(redis.pid) - before.redis) / events,
  };
  await server.stop();
  await redis?.stop();
  return measured;
}

/**
 * A stream that others append to (100 keys, 400 B), and one node that delivers it to 100 SSE sessions; CPU in cores, and
 * what one of the sessions waited. The last row is as fast as Redis takes it: what the node carries is what it got done.
 */
export async function redisTail({ quick }) {
  const rounds = quick ? 1 : 3;
  const rates = quick ? [5000, 0] : [1000, 5000, 20_000, 0];
  const figures = new Map(rates.map((rate) => [rate, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const rate of rates) figures.get(rate).push(await measureTail(rate, quick ? 2 : 8));
  }
  return rates.map((rate) => {
    const of = (figure) => median(figures.get(rate).map((measured) => measured[figure]));
    return {
      'events/s appended': Math.round(of('appended')),
      'events/s carried': Math.round(of('carried')),
      'node cores': of('node').toFixed(2),
      'Redis cores': of('redis').toFixed(2),
      'node µs per event': ((of('node') * 1e6) / of('carried')).toFixed(1),
      'Redis µs per event': ((of('redis') * 1e6) / of('carried')).toFixed(1),
      'p50 ms': of('p50'),
      'p95 ms': of('p95'),
    };
  });
}

async function measureTail(perSecond, seconds) {
  const redis = await startRedis();
  // Nothing may be trimmed before the node has read it.
  const server = await startFlipgate({
    APP_PROFILE: 'SSE',
    REDIS_URL: redis.url,
    LOG_MAX_EVENTS: '5000000',
    LOG_MAX_BYTES: String(64 * 1024 * 1024),
  });
  const reader = fork(CLIENTS);
  await ask(reader, { connect: { port: server.port, count: 1 } }, 'connected');
  const clients = await startClients(server.port, 'sse', 99);
  await until(async () => (await server.clients()) === 100);
  const publisher = fork(PUBLISHER);
  const publish = async (load) => {
    const started = performance.now();
    const order = { url: redis.url, stream: 'flipgate:{log}', keys: 100, bytes: 400, perSecond, ...load };
    const published = await ask(publisher, { publish: order }, 'published');
    await until(async () => (await ask(reader, { tellLast: true }, 'last')) === published.last);
    return { ...published, ms: performance.now() - started };
  };
  await publish({ seconds: 1, perSecond: Math.min(perSecond || 5000, 5000) });
  await sleep(200);
  await ask(reader, { take: true }, 'latencies');
  const before = { node: cpuMicros(server.pid), redis: cpuMicros(redis.pid) };
  const { sent, seconds: took, ms } = await publish({ seconds });
  const measured = {
    appended: sent / took,
    carried: (sent * 1000) / ms,
    node: (cpuMicros(server.pid) - before.node) / 1000 / ms,
    redis: (cpuMicros(redis.pid) - before.redis) / 1000 / ms,
  };
  const latencies = await ask(reader, { take: true }, 'latencies');
  const { counters } = await server.status();
  if (counters['log_breaks'] !== undefined) throw new Error('the node lost its place in the stream');
  for (const child of [publisher, reader]) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await clients.stop();
  await server.stop();
  await redis.stop();
  return { ...measured, p50: percentile(latencies, 50), p95: percentile(latencies, 95) };
}
