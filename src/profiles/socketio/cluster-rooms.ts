import { createAdapter } from '@socket.io/redis-adapter';
import type { ServerOptions } from 'socket.io';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Counters } from '../../core/metrics/counters.js';
import { LiveSubscription } from '../../core/redis/live-subscription.js';
import {
  connectRedis,
  connectSubscriber,
  type ErrorListener,
  type RedisConnection,
} from '../../core/redis/redis-connection.js';
import { GuardedSubscriber } from './guarded-subscriber.js';

/** Room operations of the whole cluster, over Redis. Events never travel this way. */
export interface ClusterRooms {
  readonly adapter: NonNullable<ServerOptions['adapter']>;
  /** To be called after Socket.IO was closed. */
  close(): void;
}

/** Where {@link connectClusterRooms} connects to. */
export interface ClusterRoomsSettings {
  readonly url: string;
  readonly keyPrefix: string;
  /** This process among all that share a Redis. */
  readonly nodeId: string;
}

/** What {@link connectClusterRooms} works with. */
export interface ClusterRoomsParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Is told every error that Redis answers. */
  readonly onError?: ErrorListener;
}

/**
 * Connects Socket.IO's Redis adapter; its channels begin with `<keyPrefix>:socket.io`. Messages that backends emit while its
 * subscription is broken are lost: that is counted (`socket_io_subscriptions_lost`) and logged.
 */
export function connectClusterRooms(
  { url, keyPrefix, nodeId }: ClusterRoomsSettings,
  { clock, logger, counters, onError }: ClusterRoomsParts,
): ClusterRooms {
  const key = `${keyPrefix}:socket.io`;
  const publisher = tolerant(connectRedis(url, 'wait', logger, onError));
  const subscriber = tolerant(connectSubscriber(url, key, logger, onError));
  const guarded = new GuardedSubscriber(subscriber, (error) => {
    counters.add('node_messages_ignored', 'socket_io');
    logger.debug('a message on the channels of Socket.IO can not be carried out', { reason: String(error) });
  });
  const aliveChannel = `${key}-alive#${nodeId}`;
  let isLost = false;
  const live = new LiveSubscription({
    name: 'socket_io',
    subscriber,
    subscribe: () => guarded.subscribeAll(),
    publish: () => publisher.publish(aliveChannel, ''),
    onAlive: () => {
      if (isLost) logger.info('listens again to what backends emit through Socket.IO');
      isLost = false;
    },
    onLost: () => {
      isLost = true;
      counters.add('socket_io_subscriptions_lost');
      logger.warn(
        'lost the subscription of the Socket.IO adapter: messages that backends emit meanwhile do not reach clients',
      );
    },
    clock,
    logger,
    counters,
  });
  guarded.onRefused = () => {
    live.again();
  };
  guarded.subscribe([aliveChannel]);
  subscriber.on('message', (channel: string) => {
    if (channel === aliveChannel) live.heard();
  });
  live.start();
  return {
    adapter: createAdapter(publisher, guarded, { key }),
    close: () => {
      live.stop();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

/** The adapter looks at no command's outcome, so one that fails while Redis is away must not count as a bug. */
function tolerant<Connection extends RedisConnection>(redis: Connection): Connection {
  const send = redis.sendCommand.bind(redis) as (...args: readonly unknown[]) => unknown;
  redis.sendCommand = (...args: readonly unknown[]) => {
    const reply = send(...args);
    if (reply instanceof Promise) reply.catch(() => undefined);
    return reply;
  };
  return redis;
}
