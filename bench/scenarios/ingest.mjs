// How many events a second go in over HTTP, and what one costs: nobody listens.
import { cpuMicros } from '../lib/accounting.mjs';
import { startFlipgate } from '../lib/server-process.mjs';

/** Events per second and CPU per event, by how many come in one request. */
export async function ingest({ quick }) {
  const rows = [];
  for (const batch of quick ? [1, 100] : [1, 100, 1000]) {
    const server = await startFlipgate({ APP_PROFILE: 'SSE' });
    const body = JSON.stringify(
      Array.from({ length: batch }, (_, index) => ({
        type: 'update',
        key: `key-${String(index)}`,
        data: { text: 'x'.repeat(400) },
      })),
    );
    const send = () => server.request('POST', '/api/events', body);
    for (let warmUp = 0; warmUp < 200; warmUp += 1) await send();
    const before = cpuMicros(server.pid);
    const started = performance.now();
    const until = started + (quick ? 1000 : 10_000);
    let requests = 0;
    const publisher = async () => {
      while (performance.now() < until) {
        await send();
        requests += 1;
      }
    };
    await Promise.all(Array.from({ length: 4 }, publisher));
    const seconds = (performance.now() - started) / 1000;
    const events = requests * batch;
    rows.push({
      'events per request': batch,
      'events/s': Math.round(events / seconds),
      'CPU µs per event': ((cpuMicros(server.pid) - before) / events).toFixed(2),
    });
    await server.stop();
  }
  return rows;
}
