import { QUEUE } from '../../../../core/control/commands-module.js';
import { type ChannelParts, message, receives, repliedWith, sends, serverRefs } from '../channel.js';
import { anyJson, ref } from '../schema.js';

const PREFIX = { default: 'flipgate', description: '`REDIS_KEY_PREFIX`.' };
const SERVERS = serverRefs('redis');

/** The ways into the log by Redis, for publishers in any language. */
export const redisChannels: ChannelParts = {
  channels: {
    log: {
      address: '{prefix}:{log}',
      title: 'The log',
      description:
        'A Redis Stream: entries added with `XADD` are events of the log. Entries that are no events reach no client and are ' +
        'counted. Its consumer group `epoch:…` names the log: leave it alone.',
      servers: SERVERS,
      parameters: {
        prefix: PREFIX,
        log: {
          default: '{log}',
          description: 'The braces are part of the key.',
        },
      },
      messages: {
        added: message({
          summary: 'An entry, by its fields.',
          payload: ref('LogFields'),
          example: { type: 'kb_update', room: 'default', data: '{"facts": 43}' },
        }),
      },
    },
    published: {
      address: '{channel}',
      title: 'Published messages',
      description:
        'What existing publishers `PUBLISH`. A gateway copies it into the log; what is published while none runs, Redis forgets.',
      servers: SERVERS,
      parameters: {
        channel: {
          default: 'events',
          examples: ['events', 'updates'],
          description: 'One of `REDIS_CHANNELS`; a pattern such as `events:*` names the room by its tail.',
        },
      },
      messages: {
        published: message({
          summary: 'An event.',
          payload: ref('NewEvent'),
          example: { type: 'fact_added', data: { facts: 42 }, timestamp: 1732219200.123 },
        }),
      },
    },
  },
  operations: {
    readLog: receives('log', ['added'], 'Gateways follow the log.'),
    copyPublished: receives('published', ['published'], 'One of the gateways copies what is published.'),
  },
};

/** What workers are given, and give: BullMQ. */
export const jobChannels: ChannelParts = {
  channels: {
    jobs: {
      address: '{queue}',
      title: 'Commands for workers',
      description:
        'A queue of BullMQ, whose prefix is `REDIS_KEY_PREFIX` in braces: `{flipgate}`. A job is named like its action, and ' +
        "its id is the command's, the same when it is tried again.",
      servers: SERVERS,
      parameters: {
        queue: {
          default: 'commands',
          examples: ['commands', 'governor'],
          description: `\`${QUEUE.source}\``,
        },
      },
      messages: {
        job: message({
          summary: "A command: the job's data.",
          payload: ref('CommandJob'),
          example: {
            action: 'governor.start',
            data: { reason: 'by hand' },
            principal: { id: 'user:ada' },
            timeoutMs: 30_000,
            publishes: { type: 'governor_update' },
          },
        }),
        result: message({
          summary: 'What the worker returns: the result of the command.',
          payload: anyJson,
          example: { running: true },
        }),
        failure: message({
          summary: 'What the worker throws: the reason of the failure.',
          contentType: 'text/plain',
          payload: ref('FailureReason'),
          example: '[command_timeout] it took too long',
        }),
      },
    },
  },
  operations: {
    queueCommand: sends('jobs', ['job'], 'A command for whoever serves the queue.', {
      ...repliedWith('jobs', 'result', 'failure'),
    }),
  },
};
