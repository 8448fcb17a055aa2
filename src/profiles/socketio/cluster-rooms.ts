import { createAdapter } from '@socket.io/redis-adapter';
import type { ServerOptions } from 'socket.io';
import type { Logger } from '../../core/logger.js';
import type { Counters } from '../../core/metrics/counters.js';
import { connectRedis, type RedisConnection } from '../../core/redis/redis-connection.js';
import { GuardedSubscriber } from './guarded-subscriber.js';

/** Room operations of the whole cluster, over Redis. Events never travel this way. */
export interface ClusterRooms {
  readonly adapter: NonNullable<ServerOptions['adapter']>;
  /** To be called after Socket.IO was closed. */
  close(): void;
}

/** What {@link connectClusterRooms} works with. */
export interface ClusterRoomsParts {
  readonly logger: Logger;
  readonly counters: Counters;
}

/** Connects Socket.IO's Redis adapter; its channels begin with `<keyPrefix>:socket.io`. */
export function connectClusterRooms(
  url: string,
  keyPrefix: string,
  { logger, counters }: ClusterRoomsParts,
): ClusterRooms {
  const publisher = tolerant(connectRedis(url, 'wait', logger));
  const subscriber = tolerant(connectRedis(url, 'wait', logger));
  const guarded = new GuardedSubscriber(subscriber, (error) => {
    counters.add('node_messages_ignored', 'socket_io');
    logger.debug('a message on the channels of Socket.IO can not be carried out', { reason: String(error) });
  });
  return {
    adapter: createAdapter(publisher, guarded, { key: `${keyPrefix}:socket.io` }),
    close: () => {
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

/** The adapter looks at no command's outcome, so one that fails while Redis is away must not count as a bug. */
function tolerant(redis: RedisConnection): RedisConnection {
  const send = redis.sendCommand.bind(redis) as (...args: readonly unknown[]) => unknown;
  redis.sendCommand = (...args: readonly unknown[]) => {
    const reply = send(...args);
    if (reply instanceof Promise) reply.catch(() => undefined);
    return reply;
  };
  return redis;
}
