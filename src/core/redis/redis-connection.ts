import { Cluster, Redis } from 'ioredis';
import type { Logger } from '../logger.js';
import { lasting } from './lasting.js';
import { type ConnectionOptions, followMasterOf } from './master-connector.js';
import { type ClusterAddress, parseRedisUrl, type RedisAddress } from './redis-address.js';
import { isOfReplica } from './redis-errors.js';

/** A connection to Redis, to a master that Sentinels name, or to a Cluster: all take the same commands. */
export type RedisConnection = Redis | Cluster;

/**
 * What a connection to Redis is used for. `write` fails at once while Redis is away. `read` (blocking reads) waits for
 * a connection, and fails when an attempt to connect does or the connection breaks. `wait` (subscriptions) waits for
 * as long as it takes; what was on its way when the connection broke is then never answered (ioredis 6). `work` (workers
 * of BullMQ) waits too, and sends again what was on its way: it must bear being done twice.
 */
export type RedisUse = 'write' | 'read' | 'wait' | 'work';

/** Is told the errors that Redis answers. */
export type ErrorListener = (error: Error) => void;

/** Longest time in ms for Redis to answer a write before it counts as unreachable. */
const WRITE_TIMEOUT_MS = 3000;
/**
 * How long a connection may owe an answer before it is given up for a new one, ms: where the network lost it without a
 * word, the system would find out after a quarter of an hour. Longer than Redis is asked to wait with its answer.
 */
const SILENCE_MS = { write: WRITE_TIMEOUT_MS + 1000, read: 6000, wait: 6000, work: 20_000 } as const;
/** How often connections are asked for an answer, ms. */
const ASK_MS = 2000;
/** Longest pause in ms between two attempts to reach Redis. */
const MAX_RETRY_MS = 2000;

/**
 * Opens a connection that reconnects by itself for as long as it lives. A command that was on its way when the
 * connection broke is not sent again: who sent it decides. A Cluster's client, alone, may ask another node again: what
 * is written must bear being written twice. `url` is one that {@link parseRedisUrl} takes; throws for others. `onError` is told
 * every error that Redis answers.
 */
export function connectRedis(
  url: string,
  use: RedisUse,
  logger: Logger,
  onError: ErrorListener = () => undefined,
): RedisConnection {
  const address = addressOf(url);
  const connection =
    address.kind === 'cluster'
      ? openCluster(address, use, onError)
      : openServer(address, optionsFor(use, onError));
  // A Cluster's client follows its masters by itself; BullMQ's connections write all the time.
  if (address.kind !== 'cluster' && use !== 'work') {
    keepAsking(connection, () => connection.wait(0, 0));
  }
  return tellOf(connection, use, logger);
}

/**
 * Opens a connection for subscriptions. All nodes that give the same `key` are connected to the same server, also of a
 * Cluster (the master of the key), so that they get the messages of all publishers in the same order.
 */
export function connectSubscriber(
  url: string,
  key: string,
  logger: Logger,
  onError: ErrorListener = () => undefined,
): Redis {
  const address = addressOf(url);
  // Whoever subscribes does so at each connection, in the order that it needs.
  const options = { ...optionsFor('wait', onError), autoResubscribe: false };
  const subscriber =
    address.kind === 'cluster'
      ? followMasterOf(key, openCluster(address, 'wait', onError), { ...options, ...credentialsOf(address) })
      : openServer(address, options);
  keepAsking(subscriber, () => subscriber.ping());
  return tellOf(subscriber, 'wait', logger);
}

function addressOf(url: string): RedisAddress {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new TypeError('not a URL of Redis');
  return address;
}

function optionsFor(use: RedisUse, onError: ErrorListener): ConnectionOptions {
  return {
    connectionName: `flipgate-${use}`,
    autoResendUnfulfilledCommands: use === 'work',
    retryStrategy: pauseBefore,
    sentinelRetryStrategy: pauseBefore,
    socketTimeout: SILENCE_MS[use],
    maxRetriesPerRequest: use === 'wait' || use === 'work' ? null : 0,
    // After a failover the old master is a replica; a new connection finds the new one.
    reconnectOnError: (error) => {
      onError(error);
      return isOfReplica(error);
    },
    ...(use === 'write' ? { enableOfflineQueue: false, commandTimeout: WRITE_TIMEOUT_MS } : {}),
  };
}

function pauseBefore(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RETRY_MS);
}

function openServer(address: Exclude<RedisAddress, ClusterAddress>, options: ConnectionOptions): Redis {
  if (address.kind === 'server') return lasting(new Redis(address.url, options));
  const { sentinels, master, database, tls, sentinelUsername, sentinelPassword } = address;
  const redis = new Redis({
    ...options,
    ...credentialsOf(address),
    sentinels: [...sentinels],
    name: master,
    db: database,
    failoverDetector: true,
    enableTLSForSentinelMode: tls,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  });
  return lasting(redis);
}

function openCluster(address: ClusterAddress, use: RedisUse, onError: ErrorListener): Cluster {
  const {
    retryStrategy: _,
    enableOfflineQueue = true,
    reconnectOnError: __,
    maxRetriesPerRequest,
    ...options
  } = optionsFor(use, onError);
  return new Cluster([...address.nodes], {
    clusterRetryStrategy: pauseBefore,
    enableOfflineQueue,
    redisOptions: {
      ...options,
      // Where a master is, the Cluster's client finds out by itself.
      reconnectOnError: (error) => {
        onError(error);
        return false;
      },
      ...credentialsOf(address),
      ...(maxRetriesPerRequest === null ? { maxRetriesPerRequest } : {}),
    },
  });
}

function credentialsOf({
  username,
  password,
  tls,
}: Exclude<RedisAddress, { kind: 'server' }>): ConnectionOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}

/** Has a connection made anew, wherever its server is now; nothing happens while it is being made. */
export function connectAgain(connection: RedisConnection): void {
  if (connection.status === 'ready') connection.disconnect(true);
}

/** Logs once when Redis can't be reached, and once when it is back. */
function tellOf<Connection extends RedisConnection>(
  connection: Connection,
  use: RedisUse,
  logger: Logger,
): Connection {
  let reachable = true;
  const { emitter } = { emitter: connection as Redis };
  emitter.on('error', (error: Error) => {
    if (reachable) logger.warn('redis is unreachable, trying again', { use, reason: error.message });
    reachable = false;
  });
  emitter.on('ready', () => {
    if (!reachable) logger.info('redis is back', { use });
    reachable = true;
  });
  return connection;
}

/**
 * Asks a connection for an answer now and then. Without one it is given up; a replica's answer tells that the server is no
 * master any more (`WAIT 0 0` answers at once on a master).
 */
function keepAsking(connection: RedisConnection, ask: () => Promise<unknown>): void {
  const asking = setInterval(() => {
    if (connection.status === 'ready') ask().catch(() => undefined);
  }, ASK_MS);
  asking.unref();
  const disconnect = connection.disconnect.bind(connection);
  connection.disconnect = (reconnect = false): void => {
    if (!reconnect) clearInterval(asking);
    disconnect(reconnect);
  };
}
