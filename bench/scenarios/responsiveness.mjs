// The loop's lag and a control request's latency while a room of 8000 is served.
import { percentile } from '../lib/accounting.mjs';
import { startClients, startFlipgate } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

/** Lag and control latency under fan-out, per wire. */
export async function responsiveness({ quick }) {
  const count = quick ? 4000 : 8000;
  const seconds = quick ? 5 : 20;
  const rows = [];
  for (const [profile, kind] of [
    ['SSE', 'sse'],
    ['WEBSOCKET', 'legacy'],
  ]) {
    const server = await startFlipgate({ APP_PROFILE: profile });
    const clients = await startClients(server.port, kind, count);
    await until(async () => (await server.clients()) === count);
    await sleep(1000);
    await server.lag('start');
    const latencies = [];
    const until_ = performance.now() + seconds * 1000;
    let rounds = 0;
    while (performance.now() < until_) {
      if (rounds % 4 === 0) await server.publish([{ type: 'update', data: 'x'.repeat(400) }]);
      const { ms } = await server.request('POST', '/api/control', '{"action":"host-monitor.stop"}');
      latencies.push(ms);
      rounds += 1;
      await sleep(25);
    }
    const lag = await server.lag('stop');
    const { windowMs } = await server.status();
    await clients.stop();
    await server.stop();
    rows.push({
      wire: kind,
      clients: count,
      'lag p99 ms': lag.p99.toFixed(1),
      'lag max ms': lag.max.toFixed(1),
      'control p50 ms': percentile(latencies, 50).toFixed(1),
      'control p99 ms': percentile(latencies, 99).toFixed(1),
      'window ms': windowMs.toFixed(0),
      target: 'lag p99 < 10, control p99 < 20',
    });
  }
  return rows;
}
