import type { RedisServer } from './redis-server.ts';

export default async function tearDown(): Promise<void> {
  await (globalThis as { flipgateRedis?: RedisServer }).flipgateRedis?.stop();
}
