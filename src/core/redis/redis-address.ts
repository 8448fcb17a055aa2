/** One server's host and port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What all kinds of addresses may have. */
interface Credentials {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Redis as one server, whose URL ioredis reads by itself. */
export interface ServerAddress {
  readonly kind: 'server';
  readonly url: string;
}

/** Redis as a master that Sentinels watch. */
export interface SentinelAddress extends Credentials {
  readonly kind: 'sentinel';
  readonly sentinels: readonly HostAndPort[];
  /** The name by which the Sentinels know it. */
  readonly master: string;
  readonly database: number;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
}

/** Redis Cluster; one of its nodes is enough to find the others. */
export interface ClusterAddress extends Credentials {
  readonly kind: 'cluster';
  readonly nodes: readonly HostAndPort[];
}

/** Where Redis is. */
export type RedisAddress = ServerAddress | SentinelAddress | ClusterAddress;

const SERVER = /^rediss?:\/\//i;
const SEVERAL = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/?]*)@)?([^@/?#]+)(\/[^?#@]*)?(\?[^#@]*)?$/i;
const DEFAULT_PORTS = { sentinel: 26379, cluster: 6379 } as const;

/**
 * Reads `redis://` and `rediss://` URLs, and those of several hosts: `redis+sentinel://host:port,host:port/master[/database]`
 * and `redis+cluster://host:port,host:port`, both with `rediss` for TLS and with `user:password@` before the hosts; what
 * the Sentinels themselves ask for goes into `?sentinelUsername=…&sentinelPassword=…`. What is special in a URL must be
 * percent-encoded in a password. Undefined for anything else.
 */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  if (SERVER.test(text)) return isServerUrl(text) ? { kind: 'server', url: text } : undefined;
  const [, scheme, kind, userInfo = '', hosts = '', path = '', query = ''] = SEVERAL.exec(text) ?? [];
  if (scheme === undefined || kind === undefined) return undefined;
  const lowered = kind.toLowerCase() as 'sentinel' | 'cluster';
  const addresses = hosts.split(',').map((host) => readHost(host, DEFAULT_PORTS[lowered]));
  const known = addresses.filter((address) => address !== undefined);
  const [username, password] = readUserInfo(userInfo);
  if (known.length < addresses.length || username === null || password === null) return undefined;
  const credentials = { tls: scheme.toLowerCase() === 'rediss', username, password };
  if (lowered === 'cluster') {
    return /^\/?0?$/.test(path) && query === ''
      ? { kind: 'cluster', nodes: known, ...credentials }
      : undefined;
  }
  const [, master, database] = /^\/([A-Za-z0-9_.-]+)(?:\/(\d{1,4}))?$/.exec(path) ?? [];
  if (master === undefined) return undefined;
  const options = new URLSearchParams(query);
  return {
    kind: 'sentinel',
    sentinels: known,
    master,
    database: Number(database ?? 0),
    ...credentials,
    sentinelUsername: options.get('sentinelUsername') ?? undefined,
    sentinelPassword: options.get('sentinelPassword') ?? undefined,
  };
}

/** A host, at most a database number as path, and no password that is cut off by an unescaped character. */
function isServerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.hostname !== '' && /^(\/\d*)?$/.test(url.pathname) && !isSplitInPassword(url);
}

/** An unescaped "/", "?" or "#" in a password ends the user info early and leaves its rest, and the "@", behind. */
export function isSplitInPassword(url: URL): boolean {
  return `${url.pathname}${url.search}${url.hash}`.includes('@');
}

function readHost(text: string, defaultPort: number): HostAndPort | undefined {
  if (!URL.canParse(`redis://${text}`)) return undefined;
  const { hostname, port, pathname } = new URL(`redis://${text}`);
  if (hostname === '' || pathname !== '') return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) };
}

/** `user:password`, `:password` or nothing; null for what is not encoded well. */
function readUserInfo(text: string): readonly (string | undefined | null)[] {
  const colon = text.indexOf(':');
  const parts = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  return parts.map((part) => {
    try {
      return part === '' ? undefined : decodeURIComponent(part);
    } catch {
      return null;
    }
  });
}
