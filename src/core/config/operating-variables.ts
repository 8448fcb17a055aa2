import { isTypeName, RESERVED_TYPES } from '../event.js';
import { LOG_LEVELS } from '../logger.js';
import { isHttpUrl, maskUrl } from './http-url.js';
import { isRedisUrl, maskRedisUrl } from './redis-url.js';
import { choice, flag, integer, list, path, text } from './variable.js';

/** Variables of commands, Redis, logging and the env file; keys are the names in the configuration. */
export const OPERATING_VARIABLES = {
  controlRatePerSecond: integer({
    env: 'CONTROL_RATE_PER_SECOND',
    unit: 'commands/s',
    min: 1,
    max: 10_000,
    default: 5,
    doc: 'Most commands of one client; more are answered `rate_limited`.',
  }),
  controlWaitMs: integer({
    env: 'CONTROL_WAIT_MS',
    unit: 'ms',
    min: 0,
    max: 60_000,
    default: 2000,
    doc: 'How long a request waits for the outcome of its command before it is answered 202.',
  }),
  commandsModule: path({
    env: 'COMMANDS_MODULE',
    default: undefined,
    defaultText: 'none: the built-in commands only',
    doc: 'JavaScript module of commands: their handlers, which workers run, and what gateways need to know of them.',
  }),
  commandOutcomeType: text({
    env: 'COMMAND_OUTCOME_TYPE',
    default: 'command_outcome',
    accepts: '1–128 of A-Z a-z 0-9 _ . : -, but none of the names that Socket.IO keeps for itself',
    check: (type) => isTypeName(type) && !RESERVED_TYPES.has(type),
    doc: 'Type of the events that tell how commands ended which name no event of their own, or failed. Pages must not use the type for something else.',
  }),
  legacyEventsFile: path({
    env: 'LEGACY_EVENTS_FILE',
    default: undefined,
    defaultText: "the package's config/hak-gal.json",
    doc: 'JSON file that maps the event names of legacy Socket.IO clients to commands.',
  }),
  redisUrl: text({
    env: 'REDIS_URL',
    default: undefined,
    defaultText: 'none: everything in this process',
    accepts:
      'redis://[user:password@]host[:port][/database], redis+sentinel://[user:password@]host[:port],…/master[/database] or redis+cluster://[user:password@]host[:port],…; rediss for TLS; percent-encoded',
    mask: maskRedisUrl,
    check: isRedisUrl,
    doc: 'Redis that holds the log, the queues of commands and the limits, shared by all nodes, and carries room operations between them.',
  }),
  redisKeyPrefix: text({
    env: 'REDIS_KEY_PREFIX',
    default: 'flipgate',
    accepts: '1–64 of A-Z a-z 0-9 _ . : -',
    check: (prefix) => /^[A-Za-z0-9_.:-]{1,64}$/.test(prefix),
    doc: 'What the names of all keys in Redis begin with.',
  }),
  redisMinReplicas: integer({
    env: 'REDIS_MIN_REPLICAS',
    unit: 'replicas',
    min: 0,
    max: 10,
    default: 0,
    doc: 'Replicas of Redis that must have an event before it is acknowledged; 1 or more, so that no acknowledged event is lost in a failover.',
  }),
  redisChannels: list({
    env: 'REDIS_CHANNELS',
    default: ['events', 'updates'],
    minItems: 1,
    accepts: 'one or more channels or patterns separated by commas, each 1–256 characters without spaces',
    check: (channel) => /^[^\s,\p{C}]{1,256}$/u.test(channel),
    doc: 'Redis channels whose `PUBLISH`ed messages are copied into the log; a pattern such as `events:*` names the room by its tail. The same on all nodes.',
  }),
  logLevel: choice({
    env: 'LOG_LEVEL',
    options: LOG_LEVELS,
    default: 'info',
    doc: 'Least important level that is logged, on stderr.',
  }),
  otlpEndpoint: text({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    default: undefined,
    defaultText: 'none: nothing is traced',
    accepts: 'an http or https URL; `/v1/traces` is put behind it',
    mask: maskUrl,
    check: isHttpUrl,
    doc: 'Collector of OpenTelemetry that traces are sent to, as OTLP over HTTP in JSON. The other `OTEL_` variables of traces count as well; from the environment only.',
  }),
  otlpTracesEndpoint: text({
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    default: undefined,
    defaultText: 'by OTEL_EXPORTER_OTLP_ENDPOINT',
    accepts: 'an http or https URL, used as it is',
    mask: maskUrl,
    check: isHttpUrl,
    doc: 'The same, for traces alone.',
  }),
  hostMonitor: flag({
    env: 'HOST_MONITOR',
    default: undefined,
    defaultText: 'true without REDIS_URL, else false',
    doc: "Publishes this host's CPU, memory and load as events.",
  }),
  envFile: path({
    env: 'ENV_FILE',
    default: undefined,
    defaultText: '.env, if there is one',
    doc: 'Env file to read. Taken from the environment only.',
  }),
  configDir: path({
    env: 'CONFIG_DIR',
    default: undefined,
    defaultText: 'config/ in the working directory, then in the package',
    accepts: 'the path of a folder, absolute or relative to the working directory',
    doc: 'Folder in which `{NODE_ENV}.json` is looked for. Taken from the environment only.',
  }),
} as const;
