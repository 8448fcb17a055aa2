// With its real ending: Jest loads this file without its module mapping.
import { startRedisServer } from './redis-server.ts';

/** One redis-server for the whole run, unless `REDIS_URL` names one; tests keep apart by key prefix and channel. */
export default async function setUp(): Promise<void> {
  if (process.env.REDIS_URL) {
    process.env.TEST_REDIS_URL = process.env.REDIS_URL;
    return;
  }
  const server = await startRedisServer();
  process.env.TEST_REDIS_URL = server.url;
  (globalThis as { flipgateRedis?: typeof server }).flipgateRedis = server;
}
