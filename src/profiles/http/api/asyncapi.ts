import type { ChannelParts } from './channel.js';
import { jobChannels, redisChannels } from './channels/redis.js';
import { socketIoChannels } from './channels/socketio.js';
import { streamChannel } from './channels/stream.js';
import type { Schema } from './schema.js';
import { schemasFor } from './schemas/all.js';
import { SECURITY_SCHEMES } from './security.js';
import { readVersion } from './version.js';

const PARTS: readonly ChannelParts[] = [streamChannel, socketIoChannels, redisChannels, jobChannels];

/** Describes what goes over the wires, and the ways in by Redis, as AsyncAPI 3. */
export function asyncApiDocument(): Schema {
  const channels = Object.assign({}, ...PARTS.map((part) => part.channels)) as Schema;
  const operations = Object.assign({}, ...PARTS.map((part) => part.operations)) as Schema;
  return {
    asyncapi: '3.0.0',
    info: { title: 'flipgate', version: readVersion(), description: DESCRIPTION },
    defaultContentType: 'application/json',
    servers: {
      http: server('http', 'gateway', 'localhost:5002', 'A gateway, for streams.'),
      websocket: server('ws', 'gateway', 'localhost:5002', 'A gateway, for Socket.IO.'),
      redis: {
        ...server('redis', 'redis', 'localhost:6379', 'The Redis of the gateways (`REDIS_URL`).'),
        security: [],
      },
    },
    channels,
    operations,
    components: { schemas: schemasFor({ channels, operations }), securitySchemes: securitySchemes() },
  };
}

const DESCRIPTION =
  'The same events over Server-Sent Events or Socket.IO. The HTTP API, by which streams are opened, too, is described by ' +
  '`/openapi.json`. To follow a room takes the right `subscribe`, to run a command `command`.';

function server(protocol: string, variable: string, host: string, description: string): Schema {
  return {
    host: `{${variable}}`,
    protocol,
    description,
    variables: { [variable]: { default: host, description: 'Host and port.' } },
    security: Object.keys(SECURITY_SCHEMES).map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
  };
}

/** The same as those of HTTP; AsyncAPI calls some otherwise. */
function securitySchemes(): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(SECURITY_SCHEMES).map(([name, scheme]) => [
      name,
      scheme['type'] === 'apiKey' ? { ...scheme, type: 'httpApiKey' } : scheme,
    ]),
  );
}
