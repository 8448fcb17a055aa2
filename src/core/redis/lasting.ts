import type { Redis } from 'ioredis';

/** Pause before a client that has ended by itself connects again, ms. */
const AGAIN_MS = 200;

/**
 * Makes an ioredis client end only when it is told to. ioredis ends a client for good when it is disconnected while it
 * looks for its server, even where it was to connect again: its own detector of failovers does so when Sentinels name a
 * new master before the client has come back from the old one. Such a client, and its duplicates, connect again.
 */
export function lasting(redis: Redis): Redis {
  const disconnect = redis.disconnect.bind(redis);
  const duplicate = redis.duplicate.bind(redis);
  let isClosed = false;
  // A client that was told to quit closes a connection before it ends; one that ends while it looks for its server has none.
  let hadConnection = true;
  redis.disconnect = (reconnect = false): void => {
    isClosed ||= !reconnect;
    disconnect(reconnect);
  };
  redis.duplicate = (options): Redis => lasting(duplicate(options));
  redis.on('connecting', () => {
    hadConnection = false;
  });
  redis.on('close', () => {
    hadConnection = true;
  });
  redis.on('end', () => {
    if (isClosed || hadConnection) return;
    setTimeout(() => {
      if (!isClosed) redis.connect().catch(() => undefined);
    }, AGAIN_MS).unref();
  });
  return redis;
}
