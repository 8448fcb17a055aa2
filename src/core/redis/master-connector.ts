import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type Cluster, Redis, type RedisOptions } from 'ioredis';
import { lasting } from './lasting.js';

/** What a connection is opened with. */
export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** How often it is checked that the server a subscription is at is still the key's master, ms. */
const CHECK_MS = 1000;

/**
 * A connection to that node of a Cluster which is the master of `key`, wherever that is: looked up at each connection,
 * and left when another node has become it. Ends `cluster` with itself.
 */
export function followMasterOf(key: string, cluster: Cluster, options: ConnectionOptions): Redis {
  let at: string | undefined;

  class MasterConnector extends AbstractConnector {
    constructor() {
      super(options.disconnectTimeout ?? 2000);
    }

    override async connect(): ReturnType<AbstractConnector['connect']> {
      this.connecting = true;
      const { name, host, port } = await masterOf(key, cluster);
      if (!this.connecting) throw new Error('Connection is closed.');
      at = name;
      this.stream =
        options.tls === undefined ? connectPlain(port, host) : connectTls(port, host, options.tls);
      return this.stream;
    }
  }

  const redis = lasting(new Redis({ ...options, Connector: MasterConnector }));
  const leaveOldMaster = async (): Promise<void> => {
    const { name } = await masterOf(key, cluster);
    if (redis.status === 'ready' && name !== at) redis.disconnect(true);
  };
  let isLooking = false;
  const check = setInterval(() => {
    if (isLooking || redis.status !== 'ready') return;
    isLooking = true;
    void leaveOldMaster()
      .catch(() => undefined)
      .finally(() => (isLooking = false));
  }, CHECK_MS);
  check.unref();
  const disconnect = redis.disconnect.bind(redis);
  // Between two attempts to connect, nothing else says that it is over.
  redis.disconnect = (reconnect = false): void => {
    disconnect(reconnect);
    if (reconnect) return;
    clearInterval(check);
    cluster.disconnect();
  };
  return redis;
}

async function masterOf(
  key: string,
  cluster: Cluster,
): Promise<{ readonly name: string; readonly host: string; readonly port: number }> {
  const [slot, shards] = await Promise.all([cluster.cluster('KEYSLOT', key), cluster.cluster('SLOTS')]);
  for (const [from, to, master] of shards) {
    if (slot < from || slot > to) continue;
    if (master === undefined) continue;
    const [host, port] = master;
    return { name: `${host}:${String(port)}`, host, port };
  }
  throw new Error(`no node of the cluster serves the slot of ${key}`);
}
