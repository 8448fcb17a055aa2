import type { RedisServer } from './redis-server.js';

export default async function tearDown(): Promise<void> {
  await (globalThis as { flipgateRedis?: RedisServer }).flipgateRedis?.stop();
}
