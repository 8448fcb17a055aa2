// Memory of an idle connection: many connect and get nothing. RSS and heap (after a collection) less an empty server's.
import { rssBytes } from '../lib/accounting.mjs';
import { startClients, startFlipgate, startPeer } from '../lib/server-process.mjs';
import { sleep, until } from '../lib/wait.mjs';

const SERVERS = [
  { label: 'raw net', kind: 'sse', start: () => startPeer('raw'), target: '' },
  {
    label: 'flipgate SSE',
    kind: 'sse',
    start: () => startFlipgate({ APP_PROFILE: 'SSE' }),
    target: 'RSS ≤ 10, heap ≤ 6',
  },
  { label: 'Node http', kind: 'sse', start: () => startPeer('node-http'), target: '' },
  { label: 'Express', kind: 'sse', start: () => startPeer('express-naive'), target: '' },
  { label: 'better-sse', kind: 'sse', start: () => startPeer('better-sse'), target: '' },
  {
    label: 'flipgate Socket.IO legacy',
    kind: 'legacy',
    start: () => startFlipgate({ APP_PROFILE: 'WEBSOCKET' }),
    target: '',
  },
  { label: 'stock Socket.IO', kind: 'legacy', start: () => startPeer('socketio-stock'), target: '' },
];

/** KB per idle connection. */
export async function idleMemory({ quick }) {
  const count = quick ? 2000 : 8000;
  const rows = [];
  for (const { label, kind, start, target } of quick ? SERVERS.slice(0, 3) : SERVERS) {
    const server = await start();
    const empty = { heap: await server.heap(), rss: rssBytes(server.pid) };
    const clients = await startClients(server.port, kind, count);
    await until(async () => (await server.clients()) === count);
    await sleep(1000);
    await server.heap();
    await sleep(500);
    const full = { heap: await server.heap(), rss: rssBytes(server.pid) };
    await clients.stop();
    await server.stop();
    rows.push({
      server: label,
      connections: count,
      'RSS KB each': ((full.rss - empty.rss) / count / 1000).toFixed(1),
      'heap KB each': ((full.heap - empty.heap) / count / 1000).toFixed(1),
      target,
    });
  }
  return rows;
}
