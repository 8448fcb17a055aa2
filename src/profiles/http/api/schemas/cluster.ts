import type { ClusterStatus, NodeStatus } from '../../../../core/cluster/cluster-status.js';
import { MAX_REPORTED_ROOMS } from '../../../../core/cluster/node-report.js';
import {
  amount,
  closed,
  count,
  listOf,
  mapOf,
  oneOfNames,
  orNull,
  ref,
  type Schema,
  text,
} from '../schema.js';

/** Schemas of what all nodes on one Redis have together. */
export const clusterSchemas: Readonly<Record<string, Schema>> = {
  Node: closed<NodeStatus>('One node, as it tells of itself every two seconds.', {
    id: text(),
    thisNode: { type: 'boolean' },
    ageMs: amount('How old these figures are, ms.'),
    url: { type: ['string', 'null'], description: 'Where it listens, as it sees it; null until it does.' },
    host: text(),
    pid: count(),
    profile: text(),
    transports: listOf(oneOfNames(['websocket', 'sse'])),
    sessions: ref('SessionCounts'),
    clients: orNull(ref('ClientsByTransport')),
    uptimeSeconds: amount(),
    cursor: ref('Cursor'),
    log: closed<NodeStatus['log']>('Its log, and its bridge.', {
      state: text(),
      bridge: { type: ['string', 'null'] },
    }),
  }),
  Cluster: closed<ClusterStatus>('What all nodes have together; null without Redis.', {
    nodes: { ...listOf(ref('Node')), minItems: 1, description: 'This one first.' },
    sessions: ref('SessionCounts'),
    clients: ref('ClientsByTransport'),
    rooms: {
      ...mapOf(count()),
      maxProperties: MAX_REPORTED_ROOMS,
      description: 'Sessions by room, the largest rooms.',
    },
    reachable: {
      type: 'boolean',
      description: 'False while Redis is away: the others are shown as they were.',
    },
    ageMs: orNull(amount('How old what is known of the others is, ms; null: nothing is known yet.')),
  }),
};
