import { COMMANDS_LIMIT } from '../../routes/operations.js';
import { jsonAnswer } from '../answers.js';
import { operation } from '../operation.js';
import { CLIENT_LABEL, jsonBody, optional } from '../request-parts.js';
import { ref, type Schema } from '../schema.js';

const TRANSPORTS = { websocket: false, sse: true, control: true };
const FLIP = {
  id: 1,
  from: 'WEBSOCKET',
  to: 'SSE',
  by: 'key:operator',
  address: '127.0.0.1',
  via: 'http',
  startedAt: 1795334945969,
  state: 'draining',
  sessions: {
    total: 120,
    left: 80,
    clients: {
      moved: 38,
      returned: 37,
      cutOff: 0,
      gone: 2,
      byKind: {
        sdk: { total: 40, left: 0, ended: 38 },
        bundle: { total: 0, left: 0, ended: 0 },
        eventsource: { total: 0, left: 0, ended: 0 },
        stock: { total: 80, left: 80, ended: 0 },
      },
    },
  },
  error: null,
};
const REPORT = {
  profile: 'SSE',
  transports: TRANSPORTS,
  since: 1795334945971,
  repeated: false,
  node: '4f1c09d2a6be',
  flip: FLIP,
  rollout: null,
};

const discover = operation({
  id: 'readProfile',
  tag: 'profile',
  summary: 'Ask which transports are on',
  text: 'Clients ask before they connect, and again whenever one is refused with `transport_disabled`.',
  access: 'public',
  parameters: [CLIENT_LABEL],
  answers: {
    200: jsonAnswer('What is served.', ref('ProfileDocument'), {
      profile: 'SSE',
      transports: { websocket: null, sse: { path: '/api/events/stream' } },
      control: { path: '/api/control' },
      reconnect: { minMs: 1000, maxMs: 30_000, jitterMs: 3000 },
    }),
  },
});

const readFlips = operation({
  id: 'readFlips',
  tag: 'profile',
  summary: 'Ask how a flip goes on',
  text: 'What this node serves, its newest flip, and the newest flip of all nodes that was asked of it.',
  access: 'admin: status',
  answers: { 200: jsonAnswer('The report.', ref('FlipsReport'), REPORT) },
});

const flip = operation({
  id: 'flip',
  tag: 'profile',
  summary: 'Flip to another profile',
  text:
    'Answers once this node serves the profile. After that it disconnects the clients of transports that are off, over ' +
    '`DRAIN_MS`: those of the SDK come back over another transport, the others are cut off. With `all` every node is ' +
    'flipped, one after the other, this one last: then the answer comes at the beginning. `repeated` says that the profile was ' +
    'served already, and nothing was changed.',
  access: 'admin: flip',
  trailed: true,
  body: jsonBody(ref('FlipRequest'), { flip: { profile: 'HYBRID' }, all: { profile: 'HYBRID', all: true } }),
  answers: { 200: jsonAnswer('The profile is served.', ref('FlipsReport'), REPORT) },
  refusals: ['invalid_profile', 'serves_nothing', 'flip_failed', 'node_unavailable', 'shutting_down'],
});

const me = operation({
  id: 'readMe',
  tag: 'operations',
  summary: 'Ask what you may do',
  text: 'Who the gateway takes you for, by what you show, and the rights that has.',
  access: 'known',
  answers: {
    200: jsonAnswer('You.', ref('Me'), {
      id: 'key:page',
      rights: { subscribe: ['default', 'team.*'], publish: [], command: [], admin: ['status'] },
      expiresAt: null,
    }),
  },
});

const health = operation({
  id: 'readHealth',
  tag: 'operations',
  summary: 'Ask whether the process is alive',
  text: 'For liveness probes.',
  access: 'public',
  answers: { 200: jsonAnswer('It is.', ref('Health'), { status: 'ok' }) },
});

const readiness = operation({
  id: 'readReadiness',
  tag: 'operations',
  summary: 'Ask whether this node is fit to receive traffic',
  text: 'For readiness probes and load balancers. A node that stops is not; one that flips is.',
  access: 'public',
  answers: {
    200: jsonAnswer('It is.', ref('Readiness'), {
      ready: true,
      log: 'ready',
      since: 1795334945969,
      draining: false,
    }),
    503: jsonAnswer('It is not.', ref('Readiness'), {
      ready: false,
      log: 'ready',
      since: 1795334945969,
      draining: true,
    }),
  },
});

const status = operation({
  id: 'readStatus',
  tag: 'operations',
  summary: 'Read all figures of this node',
  text: 'What the console shows, and with Redis what all nodes have together.',
  access: 'admin: status',
  answers: {
    200: {
      description: 'The status.',
      headers: { 'Cache-Control': { required: true, schema: { const: 'no-store' } } },
      content: { 'application/json': { schema: ref('Status') } },
    },
  },
});

const metrics = operation({
  id: 'readMetrics',
  tag: 'operations',
  summary: 'Read all figures for Prometheus',
  text: "In Prometheus' text format.",
  access: 'admin: metrics',
  answers: {
    200: {
      description: 'The figures.',
      headers: { 'Cache-Control': { required: true, schema: { const: 'no-store' } } },
      content: { 'text/plain': { schema: { type: 'string', pattern: '^# HELP ' } } },
    },
  },
});

const commands = operation({
  id: 'listCommands',
  tag: 'operations',
  summary: 'List the newest commands',
  text: 'Without their data, their results and who asked.',
  access: 'admin: status',
  parameters: [
    optional('query', 'limit', 'Most commands of the answer.', {
      type: 'integer',
      minimum: 1,
      maximum: COMMANDS_LIMIT.max,
      default: COMMANDS_LIMIT.default,
    }),
  ],
  answers: {
    200: jsonAnswer('The newest.', ref('Commands'), {
      commands: [
        {
          id: '9065786a-6a87-4676-ac7b-0f7422aad5c5',
          action: 'host-monitor.stop',
          status: 'succeeded',
          at: 1795334945969,
          durationMs: 3,
        },
      ],
    }),
  },
  refusals: ['queue_unavailable'],
});

/** Paths for operators and for what watches the gateway. */
export const operationPaths: Readonly<Record<string, Schema>> = {
  '/api/profile': { get: discover },
  '/api/me': { get: me },
  '/api/admin/profile': { get: readFlips, put: flip },
  '/api/admin/status': { get: status },
  '/api/admin/commands': { get: commands },
  '/metrics': { get: metrics },
  '/healthz': { get: health },
  '/readyz': { get: readiness },
};
