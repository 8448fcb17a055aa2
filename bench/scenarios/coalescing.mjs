// CPU of coalescing against one emit per event: keyed events (100 keys) to 500 clients.
import { cpuMicros } from '../lib/accounting.mjs';
import { startClients, startFlipgate, startPeer } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const KEYS = 100;
const EVENTS_PER_SECOND = 1000;
const BATCHES_PER_SECOND = 50;

const SERVERS = [
  {
    label: 'stock Socket.IO, one emit per event',
    kind: 'legacy',
    start: () => startPeer('socketio-stock'),
    target: '',
  },
  { label: 'raw net, one write per event', kind: 'sse', start: () => startPeer('raw'), target: '' },
  {
    label: 'flipgate SSE, defaults',
    kind: 'sse',
    start: () => startFlipgate({ APP_PROFILE: 'SSE' }),
    target: '≥ 50× less',
  },
  {
    label: 'flipgate SSE, 5 writes/s',
    kind: 'sse',
    start: () => startFlipgate({ APP_PROFILE: 'SSE', MAX_EVENTS_PER_SECOND_PER_CLIENT: '5' }),
    target: '≥ 200× less',
  },
  {
    label: 'flipgate bundles, defaults',
    kind: 'bundle',
    start: () => startFlipgate({ APP_PROFILE: 'WEBSOCKET' }),
    target: '≥ 50× less',
  },
];

/** Server CPU for the same second of events, and how many times less than one emit per event. */
export async function coalescing({ quick }) {
  const seconds = quick ? 4 : 15;
  const clientCount = 500;
  const measured = [];
  for (const { label, kind, start, target } of SERVERS) {
    const server = await start();
    const clients = await startClients(server.port, kind, clientCount);
    await until(async () => (await server.clients()) === clientCount);
    await publish(server, 1);
    const before = cpuMicros(server.pid);
    const took = await publish(server, seconds);
    await sleep(500);
    measured.push({ label, target, cpu: (cpuMicros(server.pid) - before) / 1e6, took });
    await clients.stop();
    await server.stop();
  }
  const emits = measured[0].cpu;
  return measured.map(({ label, target, cpu, took }) => ({
    server: label,
    'CPU s': cpu.toFixed(2),
    'took s': took.toFixed(1),
    'CPU s per s of events': (cpu / seconds).toFixed(3),
    'times less': (emits / cpu).toFixed(1),
    target,
  }));
}

/** Publishes for so many seconds of load; seconds it took, which is more where the server could not keep up. */
async function publish(server, seconds) {
  const size = EVENTS_PER_SECOND / BATCHES_PER_SECOND;
  const started = performance.now();
  let next = 0;
  for (let batch = 0; batch < seconds * BATCHES_PER_SECOND; batch += 1) {
    const events = Array.from({ length: size }, () => ({
      type: 'update',
      key: `key-${(next++ % KEYS).toString()}`,
      data: { value: next, text: 'x'.repeat(60) },
    }));
    if (server.publish === undefined)
      for (const event of events) await server.broadcast(JSON.stringify(event));
    else await server.publish(events);
    const due = started + ((batch + 1) * 1000) / BATCHES_PER_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
  }
  // A peer's work piles up in its inbox: it has done it when it answers.
  await server.clients();
  return (performance.now() - started) / 1000;
}
