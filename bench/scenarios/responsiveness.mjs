// The loop's lag and a control request's latency while a room of 8000 is served.
import { fileURLToPath } from 'node:url';
import { percentile } from '../lib/accounting.mjs';
import { startClients, startFlipgate } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

/** Sends the outcomes of the control requests to a room of their own, so that they are no load themselves. */
const EVENT_TYPES_FILE = fileURLToPath(new URL('../lib/event-types.json', import.meta.url));

/** Lag and control latency under fan-out, per wire. */
export async function responsiveness({ quick }) {
  const count = quick ? 2000 : 8000;
  const rows = [];
  for (const [profile, kind] of [
    ['SSE', 'sse'],
    ['WEBSOCKET', 'bundle'],
    ['WEBSOCKET', 'legacy'],
  ]) {
    if (quick && kind !== 'sse') continue;
    rows.push({ wire: kind, clients: count, ...(await measure(profile, kind, count, quick ? 3 : 20)) });
  }
  return rows;
}

async function measure(profile, kind, count, seconds) {
  const server = await startFlipgate({ APP_PROFILE: profile, EVENT_TYPES_FILE });
  const clients = await startClients(server.port, kind, count);
  await until(async () => (await server.clients()) === count);
  await underLoad(server, 1);
  await server.lag('start');
  const latencies = await underLoad(server, seconds);
  const lag = await server.lag('stop');
  const { windowMs } = await server.status();
  await clients.stop();
  await server.stop();
  return {
    'lag p50 ms': lag.p50.toFixed(1),
    'lag p99 ms': lag.p99.toFixed(1),
    'longest collection ms': lag.gcMax.toFixed(1),
    'control p50 ms': percentile(latencies, 50).toFixed(1),
    'control p99 ms': percentile(latencies, 99).toFixed(1),
    'window ms': windowMs.toFixed(0),
    target: 'lag p99 < 10, control p99 < 20',
  };
}

/** About 10 events/s to all, and control requests all the time; how long those took, ms. */
async function underLoad(server, seconds) {
  const latencies = [];
  const end = performance.now() + seconds * 1000;
  for (let round = 0; performance.now() < end; round += 1) {
    if (round % 4 === 0) await server.publish([{ type: 'update', data: 'x'.repeat(400) }]);
    const { ms } = await server.request('POST', '/api/control', '{"action":"host-monitor.stop"}');
    latencies.push(ms);
    await sleep(25);
  }
  return latencies;
}
