// CPU of coalescing against one emit per event: 1000 keyed events/s (100 keys) to 500 clients.
import { cpuMicros } from '../lib/accounting.mjs';
import { startClients, startFlipgate, startPeer } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const KEYS = 100;
const CLIENTS = 500;

/** How the events come in: evenly, or all keys at once ten times a second, as from somebody who polls them. */
const EVENLY = { batchesPerSecond: 50, perBatch: 20 };
const ALL_KEYS = { batchesPerSecond: 10, perBatch: 100 };

const flipgate = (env) => () => startFlipgate({ APP_PROFILE: 'SSE', ...env });
const FIVE_WRITES = { MAX_EVENTS_PER_SECOND_PER_CLIENT: '5' };

/** `bundle`: what the peer is told to write at once, so many events so many times a second, ready-made. */
const SERVERS = [
  {
    label: 'stock Socket.IO, one emit per event',
    kind: 'legacy',
    start: () => startPeer('socketio-stock'),
    pattern: EVENLY,
    quick: true,
  },
  { label: 'raw net, one write per event', kind: 'sse', start: () => startPeer('raw'), pattern: EVENLY },
  {
    label: 'flipgate SSE',
    kind: 'sse',
    start: flipgate({}),
    pattern: EVENLY,
    target: '≥ 50× less',
    quick: true,
  },
  {
    label: 'flipgate bundles',
    kind: 'bundle',
    start: flipgate({ APP_PROFILE: 'WEBSOCKET' }),
    pattern: EVENLY,
    target: '≥ 50× less',
  },
  {
    label: 'raw net, the same bundles',
    kind: 'sse',
    start: () => startPeer('raw'),
    bundle: { batchesPerSecond: 20, perBatch: 50 },
    target: 'the limit of both',
  },
  {
    label: 'flipgate SSE, all keys at once',
    kind: 'sse',
    start: flipgate({}),
    pattern: ALL_KEYS,
    target: '≥ 50× less',
  },
  {
    label: 'flipgate SSE, 5 writes/s',
    kind: 'sse',
    start: flipgate(FIVE_WRITES),
    pattern: EVENLY,
    target: '≥ 200× less',
    quick: true,
  },
  {
    label: 'flipgate SSE, 5 writes/s, all keys at once',
    kind: 'sse',
    start: flipgate(FIVE_WRITES),
    pattern: ALL_KEYS,
    target: '≥ 200× less',
  },
  {
    label: 'raw net, the same bundles',
    kind: 'sse',
    start: () => startPeer('raw'),
    bundle: { batchesPerSecond: 5, perBatch: KEYS },
    target: 'the limit of both',
  },
];

/** Server CPU for the same second of events, and how many times less than one emit per event. */
export async function coalescing({ quick }) {
  const measured = [];
  for (const server of SERVERS) {
    if (quick && server.quick !== true) continue;
    // Stock Socket.IO needs several seconds for one of these.
    const isStock = server.kind === 'legacy';
    const seconds = quick ? (isStock ? 1 : 3) : isStock ? 3 : 15;
    const warmUpSeconds = quick || isStock ? 1 : 5;
    measured.push({ ...server, ...(await measure(server, seconds, warmUpSeconds)) });
  }
  const emits = measured[0].cpuPerSecond;
  return measured.map(({ label, target = '', cpuPerSecond, megabytesPerSecond }) => ({
    server: label,
    'CPU s per s of events': cpuPerSecond.toFixed(3),
    'MB/s sent': megabytesPerSecond.toFixed(1),
    'times less': (emits / cpuPerSecond).toFixed(1),
    target,
  }));
}

async function measure({ kind, start, pattern, bundle }, seconds, warmUpSeconds) {
  const server = await start();
  const clients = await startClients(server.port, kind, CLIENTS);
  await until(async () => (await server.clients()) === CLIENTS);
  const publish = bundle === undefined ? eventsOf(server, pattern) : bundlesOf(server, bundle);
  const load = pattern ?? bundle;
  await run(publish, load.batchesPerSecond, warmUpSeconds);
  await quiet(clients);
  const before = { cpu: cpuMicros(server.pid), bytes: await clients.bytes() };
  await run(publish, load.batchesPerSecond, seconds);
  await quiet(clients);
  const after = { cpu: cpuMicros(server.pid), bytes: await clients.bytes() };
  await clients.stop();
  await server.stop();
  return {
    cpuPerSecond: (after.cpu - before.cpu) / 1e6 / seconds,
    megabytesPerSecond: (after.bytes - before.bytes) / 1e6 / seconds,
  };
}

let next = 0;

function event() {
  next += 1;
  return { type: 'update', key: `key-${String(next % KEYS)}`, data: { value: next, text: 'x'.repeat(60) } };
}

/** Publishes one batch of a pattern. */
function eventsOf(server, { perBatch }) {
  return async () => {
    const events = Array.from({ length: perBatch }, event);
    if (server.publish === undefined) {
      for (const one of events) await server.broadcast(JSON.stringify(one));
    } else {
      await server.publish(events);
    }
  };
}

/** Has a peer write as many events as a bundle of flipgate's has, as flipgate writes them. */
function bundlesOf(server, { perBatch }) {
  return () => {
    const events = Array.from({ length: perBatch }, (_, index) => {
      const { type, key, data } = event();
      return {
        id: `1732219200123-${String(index)}`,
        type,
        room: 'default',
        key,
        data,
        timestamp: 1732219200.123,
      };
    });
    return server.broadcast(JSON.stringify(events).slice(1, -1));
  };
}

/** So many seconds of load; takes longer where the server can't keep up. */
async function run(publish, batchesPerSecond, seconds) {
  const started = performance.now();
  for (let batch = 0; batch < seconds * batchesPerSecond; batch += 1) {
    await publish();
    const wait = started + ((batch + 1) * 1000) / batchesPerSecond - performance.now();
    if (wait > 0) await sleep(wait);
  }
}

/** Resolves once nothing has come for half a second: a server that lags behind its load has done it then. */
async function quiet(clients) {
  let bytes = -1;
  await until(async () => {
    const before = bytes;
    await sleep(500);
    bytes = await clients.bytes();
    return bytes === before;
  }, 300_000);
}
