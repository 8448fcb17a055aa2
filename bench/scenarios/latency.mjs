// From ingest (the time of the id) to the client: 200 append events/s, one at a time, to all.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile, rssBytes } from '../lib/accounting.mjs';
import { ask, startClients, startFlipgate } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const CLIENTS = fileURLToPath(new URL('../lib/latency-clients.mjs', import.meta.url));

/** Latency at 1000 and 5000 clients. */
export async function latency({ quick }) {
  const rows = [];
  for (const [count, target] of quick
    ? [[1000, '< 80']]
    : [
        [1000, '< 80'],
        [5000, '< 150'],
      ]) {
    const { latencies } = await run({
      count,
      seconds: quick ? 5 : 15,
      stalled: 0,
      perSecond: 200,
      bytes: 200,
    });
    rows.push(row({ clients: count }, latencies, target));
  }
  return rows;
}

/** 100 stalled readers among 1000: what they cost in memory, and the others in time. */
export async function stalledReaders({ quick }) {
  const load = { count: 1000, seconds: quick ? 8 : 40, perSecond: 100, bytes: quick ? 20_000 : 50_000 };
  const alone = await run({ ...load, stalled: 0 });
  const beside = await run({ ...load, stalled: 100 });
  const grown = (beside.rss - alone.rss) / 1e6;
  return [
    row(
      { stalled: 0, 'published MB': alone.megabytes, 'RSS MB': (alone.rss / 1e6).toFixed(0) },
      alone.latencies,
      '',
    ),
    row(
      { stalled: 100, 'published MB': beside.megabytes, 'RSS MB': (beside.rss / 1e6).toFixed(0) },
      beside.latencies,
      `≤ +32 MB (+${grown.toFixed(0)}), p95 ≤ 1.2× (${(percentile(beside.latencies, 95) / percentile(alone.latencies, 95)).toFixed(2)}×)`,
    ),
  ];
}

function row(facts, latencies, target) {
  return {
    ...facts,
    events: latencies.length,
    'p50 ms': percentile(latencies, 50),
    'p95 ms': percentile(latencies, 95),
    'p99 ms': percentile(latencies, 99),
    target,
  };
}

/** Publishes keyed events where they are large (so that slow readers matter), else append events. */
async function run({ count, seconds, stalled, perSecond, bytes }) {
  const server = await startFlipgate({ APP_PROFILE: 'SSE', LOG_MAX_BYTES: '67108864' });
  const idle = stalled === 0 ? undefined : await startClients(server.port, 'sse', stalled);
  await idle?.stall(stalled);
  const healthy = fork(CLIENTS);
  const listening = bytes > 1000 ? 50 : count;
  await ask(healthy, { connect: { port: server.port, count: listening } }, 'connected');
  const rest = bytes > 1000 ? await startClients(server.port, 'sse', count - listening - stalled) : undefined;
  const total = bytes > 1000 ? count : count + stalled;
  await until(async () => (await server.clients()) === total);
  await sleep(1000);
  await ask(healthy, { take: true }, 'latencies');
  const everyMs = 1000 / perSecond;
  const started = performance.now();
  let published = 0;
  for (let sent = 0; sent < seconds * perSecond; sent += 1) {
    const key = bytes > 1000 ? { key: `key-${String(sent % 10)}` } : {};
    await server.publish([{ type: 'update', ...key, data: 'x'.repeat(bytes) }]);
    published += bytes;
    const wait = started + (sent + 1) * everyMs - performance.now();
    if (wait > 0) await sleep(wait);
  }
  await sleep(1000);
  const latencies = await ask(healthy, { take: true }, 'latencies');
  await server.heap();
  await sleep(300);
  const rss = rssBytes(server.pid);
  for (const child of [healthy]) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await idle?.stop();
  await rest?.stop();
  await server.stop();
  return { latencies, rss, megabytes: (published / 1e6).toFixed(0) };
}
