// From ingest (the time of the id) to the client: 200 append events/s, one at a time, to all.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile, rssBytes } from '../lib/accounting.mjs';
import { ask, startClients, startFlipgate } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const CLIENTS = fileURLToPath(new URL('../lib/latency-clients.mjs', import.meta.url));
/** Clients that note latencies; the others throw the bytes away, so that reading does not become what is measured. */
const LISTENING = 50;

/** Latency at 1000 and 5000 clients. */
export async function latency({ quick }) {
  const seconds = quick ? 3 : 15;
  const rows = [];
  for (const [count, target] of [[1000, 80], ...(quick ? [] : [[5000, 150]])]) {
    const { latencies } = await run({ count, seconds, stalled: 0, perSecond: 200, bytes: 200 });
    rows.push(row({ clients: count }, latencies, `p95 < ${target}`));
  }
  return rows;
}

/** 100 stalled readers among 1000, 200 MB published: what they cost in memory, and the others in time. */
export async function stalledReaders({ quick }) {
  const load = { count: 1000, seconds: quick ? 2 : 40, perSecond: 100, bytes: 50_000, keys: 10 };
  const alone = await run({ ...load, stalled: 0 });
  const beside = await run({ ...load, stalled: 100 });
  const grown = (beside.rss - alone.rss) / 1e6;
  const slower = percentile(beside.latencies, 95) / percentile(alone.latencies, 95);
  return [
    row({ stalled: 0, ...sizes(alone) }, alone.latencies, ''),
    row(
      { stalled: 100, ...sizes(beside) },
      beside.latencies,
      `≤ +32 MB (${grown.toFixed(0)}), p95 ≤ 1.2× (${slower.toFixed(2)}×)`,
    ),
  ];
}

function sizes({ megabytes, rss }) {
  return { 'published MB': megabytes, 'RSS MB': (rss / 1e6).toFixed(0) };
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

/** One load: `count` clients of which `stalled` read nothing. With `keys`, so many keys take turns. */
async function run({ count, seconds, stalled, perSecond, bytes, keys }) {
  const server = await startFlipgate({ APP_PROFILE: 'SSE', LOG_MAX_BYTES: String(64 * 1024 * 1024) });
  const idle = stalled === 0 ? undefined : await startClients(server.port, 'sse', stalled);
  await idle?.stall(stalled);
  const listening = fork(CLIENTS);
  await ask(listening, { connect: { port: server.port, count: LISTENING } }, 'connected');
  const rest = await startClients(server.port, 'sse', count - LISTENING - stalled);
  await until(async () => (await server.clients()) === count);
  const publish = async (forSeconds) => {
    const started = performance.now();
    for (let sent = 0; sent < forSeconds * perSecond; sent += 1) {
      const key = keys === undefined ? {} : { key: `key-${String(sent % keys)}` };
      await server.publish([{ type: 'update', ...key, data: 'x'.repeat(bytes) }]);
      const wait = started + ((sent + 1) * 1000) / perSecond - performance.now();
      if (wait > 0) await sleep(wait);
    }
    await sleep(1000);
  };
  await publish(1);
  await ask(listening, { take: true }, 'latencies');
  await publish(seconds);
  const latencies = await ask(listening, { take: true }, 'latencies');
  await server.heap();
  await sleep(300);
  const rss = rssBytes(server.pid);
  listening.kill('SIGKILL');
  await once(listening, 'exit');
  await idle?.stop();
  await rest.stop();
  await server.stop();
  return { latencies, rss, megabytes: ((seconds * perSecond * bytes) / 1e6).toFixed(0) };
}
