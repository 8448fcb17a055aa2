// Appends to the log's stream as a publisher of any language does: XADD, in pipelines. Runs as a process of its own
// (fork). `perSecond` 0 is as fast as Redis takes it.
import process from 'node:process';
import { Redis } from 'ioredis';
import { sleep } from './wait.mjs';

/** Events of a pipeline, at most. */
const PIPELINE = 100;
/** Pipelines a second, where the rate is given. */
const PER_SECOND = 100;
/** Pipelines on their way at once. */
const AHEAD = 4;

process.on('message', async ({ publish: { url, stream, perSecond, seconds, keys, bytes } }) => {
  const redis = new Redis(url);
  const data = JSON.stringify('x'.repeat(bytes));
  const size = perSecond === 0 ? PIPELINE : Math.min(PIPELINE, Math.ceil(perSecond / PER_SECOND));
  const started = performance.now();
  const until = started + seconds * 1000;
  let sent = 0;
  const writer = async () => {
    while (performance.now() < until) {
      const pipeline = redis.pipeline();
      for (let index = 0; index < size; index += 1) {
        pipeline.xadd(stream, '*', 'type', 'update', 'key', `key-${String(sent % keys)}`, 'data', data);
        sent += 1;
      }
      const due = perSecond === 0 ? 0 : started + (sent * 1000) / perSecond - performance.now();
      await pipeline.exec();
      if (due > 0) await sleep(due);
    }
  };
  await Promise.all(Array.from({ length: perSecond === 0 ? AHEAD : 1 }, writer));
  const took = (performance.now() - started) / 1000;
  const info = await redis.xinfo('STREAM', stream);
  const last = info[info.indexOf('last-generated-id') + 1];
  redis.disconnect();
  process.send({ published: { sent, seconds: took, last } });
});
process.on('disconnect', () => process.exit(0));
