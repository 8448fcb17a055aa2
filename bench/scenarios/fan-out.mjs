// Server CPU per delivered frame: every server gets the same load in turn, in fresh processes, several rounds.
import { cpuMicros, median } from '../lib/accounting.mjs';
import { startClients, startFlipgate, startPeer } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const TYPE = 'update';

/** Servers in the order they take turns. `kind` is the clients' wire; `full`: not in the quick run. */
const SERVERS = [
  { label: 'raw net write', kind: 'sse', start: () => startPeer('raw'), target: null },
  { label: 'flipgate SSE', kind: 'sse', start: () => startFlipgate({ APP_PROFILE: 'SSE' }), target: 1.1 },
  {
    label: 'flipgate Socket.IO legacy',
    kind: 'legacy',
    start: () => startFlipgate({ APP_PROFILE: 'WEBSOCKET' }),
    target: 1.3,
  },
  {
    label: 'flipgate Socket.IO bundle',
    kind: 'bundle',
    start: () => startFlipgate({ APP_PROFILE: 'WEBSOCKET' }),
    target: 1.3,
  },
  {
    label: 'Node http res.write',
    kind: 'sse',
    start: () => startPeer('node-http'),
    target: null,
    full: true,
  },
  { label: 'better-sse', kind: 'sse', start: () => startPeer('better-sse'), target: null, full: true },
  { label: 'naive Express', kind: 'sse', start: () => startPeer('express-naive'), target: null, full: true },
  { label: 'stock Socket.IO', kind: 'legacy', start: () => startPeer('socketio-stock'), target: null },
];

/** Runs the comparison; `quick` makes it short. Returns rows for the table, ratios to raw. */
export async function fanOut({ quick }) {
  const rounds = quick ? 1 : 5;
  const load = { clients: 1000, broadcasts: quick ? 20 : 60, everyMs: quick ? 50 : 100, bytes: 400 };
  const servers = SERVERS.filter(({ full }) => full !== true || !quick);
  const figures = new Map(servers.map(({ label }) => [label, []]));
  const frames = new Map();
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) {
      const { microsPerDelivery, bytesPerDelivery } = await measure(server, load);
      figures.get(server.label).push(microsPerDelivery);
      frames.set(server.label, bytesPerDelivery);
    }
  }
  const raw = median(figures.get('raw net write'));
  return servers.map(({ label, target }) => {
    const micros = median(figures.get(label));
    return {
      server: label,
      'µs per delivery': micros.toFixed(2),
      'bytes per delivery': frames.get(label).toFixed(0),
      'ratio to raw': (micros / raw).toFixed(2),
      target: target === null ? '' : `≤ ${target}`,
    };
  });
}

async function measure({ start, kind }, { clients: count, broadcasts, everyMs, bytes }) {
  const server = await start();
  const payload = JSON.stringify({ type: TYPE, data: 'x'.repeat(bytes), timestamp: 1732219200.123 });
  const clients = await startClients(server.port, kind, count);
  await until(async () => (await server.clients()) === count);
  // Until the code is compiled: what is compared is how servers run, not how they start.
  for (let warmUp = 0; warmUp < 40; warmUp += 1) {
    await server.broadcast(payload);
    await sleep(25);
  }
  await sleep(500);
  const before = { cpu: cpuMicros(server.pid), bytes: await clients.bytes() };
  for (let sent = 0; sent < broadcasts; sent += 1) {
    await server.broadcast(payload);
    await sleep(everyMs);
  }
  await sleep(500);
  const after = { cpu: cpuMicros(server.pid), bytes: await clients.bytes() };
  await clients.stop();
  await server.stop();
  const deliveries = count * broadcasts;
  return {
    microsPerDelivery: (after.cpu - before.cpu) / deliveries,
    bytesPerDelivery: (after.bytes - before.bytes) / deliveries,
  };
}
