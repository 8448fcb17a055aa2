// A publisher process: XADDs in pipelines to the streams it is told, as fast as they are taken or at a rate.
// argv: URL, keys and rooms as JSON [[key, room], …], ms to publish, events per second (0: as fast as possible).
import process from 'node:process';
import { Cluster, Redis } from 'ioredis';

const [url, pairs, forMs, perSecond] = process.argv.slice(2);
const streams = JSON.parse(pairs);
const isCluster = url.startsWith('redis+cluster://');
const hosts = url.slice(url.indexOf('//') + 2).split(',');
const redis = isCluster
  ? new Cluster(hosts.map((host) => ({ host: host.split(':')[0], port: Number(host.split(':')[1]) })))
  : new Redis(url);
const BATCH = 100;
const data = JSON.stringify({ text: 'x'.repeat(200) });

async function batch(nth) {
  const [key, room] = streams[nth % streams.length];
  const pipeline = redis.pipeline();
  for (let count = 0; count < BATCH; count += 1)
    pipeline.xadd(key, 'MAXLEN', '~', 100_000, '*', 'type', 'update', 'room', room, 'data', data);
  await pipeline.exec();
}

await redis.ping();
for (let nth = 0; nth < streams.length; nth += 1) await batch(nth);
process.send({ ready: true });
process.once('message', async () => {
  const startedAt = performance.now();
  const until = startedAt + Number(forMs);
  let sent = 0;
  const publish = async (lane, lanes) => {
    for (let nth = lane; performance.now() < until; nth += lanes) {
      if (Number(perSecond) > 0) {
        const dueAt = startedAt + (nth * BATCH * 1000) / Number(perSecond);
        const waitMs = dueAt - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        if (performance.now() >= until) break;
      }
      await batch(nth);
      sent += BATCH;
    }
  };
  const lanes = Number(perSecond) > 0 ? 1 : 4;
  await Promise.all(Array.from({ length: lanes }, (_, lane) => publish(lane, lanes)));
  process.send({ sent, ms: performance.now() - startedAt });
  redis.disconnect();
});
