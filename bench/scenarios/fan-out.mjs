// Server CPU per delivered frame: every server gets the same load in turn, in fresh processes, several rounds.
import { cpuMicros, median } from '../lib/accounting.mjs';
import { startClients, startFlipgate, startPeer } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const TYPE = 'update';
/** Between two broadcasts, ms: no more a second than a client is given at most. */
const EVERY_MS = 60;

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
  const load = { clients: 1000, warmUps: quick ? 15 : 80, broadcasts: quick ? 12 : 50, bytes: 400 };
  const servers = SERVERS.filter(({ full }) => full !== true || !quick);
  const figures = new Map(servers.map(({ label }) => [label, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) figures.get(server.label).push(await measure(server, load));
  }
  const of = (label, figure) => median(figures.get(label).map((measured) => measured[figure]));
  const ratio = (label, figure) => (of(label, figure) / of(servers[0].label, figure)).toFixed(2);
  return servers.map(({ label, target }) => ({
    server: label,
    'µs per delivery': of(label, 'micros').toFixed(2),
    'bytes per delivery': of(label, 'bytes').toFixed(0),
    'ratio to raw': ratio(label, 'micros'),
    'fan-out alone, ratio': ratio(label, 'fanOutMicros'),
    target: target === null ? '' : `≤ ${target}`,
  }));
}

async function measure({ start, kind }, { clients: count, warmUps, broadcasts, bytes }) {
  const server = await start();
  const payload = JSON.stringify({ type: TYPE, data: 'x'.repeat(bytes), timestamp: 1732219200.123 });
  const clients = await startClients(server.port, kind, count);
  await until(async () => (await server.clients()) === count);
  const broadcast = async (times) => {
    const before = { cpu: cpuMicros(server.pid), bytes: await clients.bytes() };
    for (let sent = 0; sent < times; sent += 1) {
      await server.broadcast(payload);
      await sleep(EVERY_MS);
    }
    await sleep(300);
    return {
      cpu: (cpuMicros(server.pid) - before.cpu) / times / count,
      bytes: ((await clients.bytes()) - before.bytes) / times / count,
    };
  };
  // Until the code is compiled: what is compared is how servers run, not how they start.
  await broadcast(warmUps);
  const all = await broadcast(broadcasts);
  await clients.stop();
  await until(async () => (await server.clients()) === 0);
  // What it costs to take a broadcast in, when there is nobody to give it to.
  const taken = await ingestAlone(server, payload, broadcasts);
  await server.stop();
  return { micros: all.cpu, fanOutMicros: all.cpu - taken / count, bytes: all.bytes };
}

async function ingestAlone(server, payload, times) {
  const before = cpuMicros(server.pid);
  for (let sent = 0; sent < times; sent += 1) {
    await server.broadcast(payload);
    await sleep(EVERY_MS);
  }
  return (cpuMicros(server.pid) - before) / times;
}
