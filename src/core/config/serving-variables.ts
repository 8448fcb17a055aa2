import { isListenAddress } from './address.js';
import { PROFILES } from './profile.js';
import { choice, flag, integer, seconds, text } from './variable.js';

/** Variables of what is served, where, and to how many; keys are the names in the configuration. */
export const SERVING_VARIABLES = {
  appProfile: choice({
    env: 'APP_PROFILE',
    options: PROFILES,
    default: 'WEBSOCKET',
    doc: 'Which transports are served: Socket.IO (`WEBSOCKET`), Server-Sent Events (`SSE`), or both (`HYBRID`). Case does not matter.',
  }),
  enableWs: flag({
    env: 'ENABLE_WS',
    default: undefined,
    defaultText: 'by profile: true in WEBSOCKET and HYBRID',
    doc: 'Serves Socket.IO, or does not, whatever the profile.',
  }),
  enableSse: flag({
    env: 'ENABLE_SSE',
    default: undefined,
    defaultText: 'by profile: true in SSE and HYBRID',
    doc: 'Serves Server-Sent Events, or does not, whatever the profile.',
  }),
  enableControlHttp: flag({
    env: 'ENABLE_CONTROL_HTTP',
    default: undefined,
    defaultText: 'by profile: true in every one',
    doc: 'Serves commands over HTTP, or does not. With this and both transports off nothing would be served, and the start is refused.',
  }),
  host: text({
    env: 'HOST',
    default: '127.0.0.1',
    accepts: 'an IPv4 or IPv6 address, or a host name',
    check: isListenAddress,
    doc: 'Address to listen on. One that is not loopback takes `AUTH_MODE=token` (or `ALLOW_INSECURE=true`).',
  }),
  port: integer({
    env: 'PORT',
    unit: 'TCP port, 0 = any free one',
    min: 0,
    max: 65535,
    default: 5002,
    doc: 'Port to listen on.',
  }),
  maxHttpBufferBytes: integer({
    env: 'MAX_HTTP_BUFFER_SIZE',
    unit: 'bytes',
    min: 1024,
    max: 104_857_600,
    default: 2_097_152,
    doc: "Most bytes of one inbound message, of one request body, and of an event's `data`.",
  }),
  maxConnections: integer({
    env: 'MAX_CONNECTIONS',
    unit: 'connections, 0 = no limit',
    min: 0,
    max: 1_000_000,
    default: 20_000,
    doc: 'Most connections of this process, of both wires together.',
  }),
  maxConnectionsPerAddress: integer({
    env: 'MAX_CONNECTIONS_PER_ADDRESS',
    unit: 'connections, 0 = no limit',
    min: 0,
    max: 1_000_000,
    default: 0,
    doc: 'Most connections from one address (IPv6: from one /64).',
  }),
  maxPendingPerAddress: integer({
    env: 'MAX_PENDING_PER_ADDRESS',
    unit: 'connections, 0 = no limit',
    min: 0,
    max: 1_000_000,
    default: 1000,
    doc: 'Most connections from one address (IPv6: from one /64) whose clients have not signed in; a new one takes the place of the oldest. Addresses of this machine are exempt.',
  }),
  pingIntervalMs: seconds({
    env: 'PING_INTERVAL',
    min: 0.1,
    max: 300,
    default: 10,
    doc: 'Socket.IO: time between pings. SSE: time without another write after which `: ping` is sent.',
  }),
  pingTimeoutMs: seconds({
    env: 'PING_TIMEOUT',
    min: 0.1,
    max: 300,
    default: 5,
    doc: 'Socket.IO: how long a client may take to answer a ping before its connection is closed.',
  }),
  reconnectJitterMs: seconds({
    env: 'RECONNECT_JITTER',
    min: 0,
    max: 300,
    default: 3,
    doc: 'Clients are told to wait a random extra time, up to this, before they reconnect.',
  }),
  allowEio3: flag({
    env: 'ALLOW_EIO3',
    default: true,
    doc: 'Lets socket.io-client 2.x connect (Engine.IO 3).',
  }),
  drainMs: integer({
    env: 'DRAIN_MS',
    unit: 'ms',
    min: 0,
    max: 600_000,
    default: 5000,
    doc: 'Time over which the clients of a node that flips or stops are moved; fewer than 100 a second take less.',
  }),
} as const;
