import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { DrillEvent } from './drill-event.js';

/** Publishes by `XADD` to the log's stream, as any backend may; true once Redis has them all. */
export async function appendToStream(
  redis: RedisConnection,
  stream: string,
  events: readonly DrillEvent[],
): Promise<boolean> {
  const pipeline = redis.pipeline();
  for (const { type, room, key, data } of events) {
    const fields = ['type', type, 'room', room, 'data', JSON.stringify(data)];
    pipeline.xadd(stream, '*', ...fields, ...(key === undefined ? [] : ['key', key]));
  }
  return succeeds(pipeline);
}

/** Publishes by `PUBLISH` on a channel, as backends of the old do; true once Redis took them all. */
export async function publishOnChannel(
  redis: RedisConnection,
  channel: string,
  events: readonly DrillEvent[],
): Promise<boolean> {
  const pipeline = redis.pipeline();
  for (const event of events) pipeline.publish(channel, JSON.stringify(event));
  return succeeds(pipeline);
}

async function succeeds(pipeline: ReturnType<RedisConnection['pipeline']>): Promise<boolean> {
  const answers = await pipeline.exec().catch(() => null);
  return answers?.every(([error]) => error === null) ?? false;
}
