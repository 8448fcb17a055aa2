import { PROFILES, type Transports } from '../../../../core/config/profile.js';
import type { ErrorBody } from '../../../../core/errors.js';
import { type ClientKind, forEachKind } from '../../../../core/delivery/client-kind.js';
import type {
  Flip,
  FlipClients,
  FlipError,
  FlippedKind,
  FlipState,
  MovedSessions,
} from '../../../../core/flip/flip-report.js';
import type { FlipsReport, Rollout, RolloutNode } from '../../../../core/flip/flips.js';
import { CONTROL_PATH, type ProfileDocument, SSE_PATH, WEBSOCKET_PATH } from '../../profile-document.js';
import {
  closed,
  count,
  listOf,
  oneOfNames,
  open,
  orNull,
  type Properties,
  ref,
  type Schema,
  text,
} from '../schema.js';

const FLIP_STATES: readonly FlipState[] = ['switching', 'draining', 'done', 'failed', 'superseded'];
const NODE_STATES: readonly RolloutNode['state'][] = [
  'waiting',
  'switching',
  'draining',
  'done',
  'failed',
  'same',
  'gone',
];
const ROLLOUT_STATES: readonly Rollout['state'][] = ['running', 'done', 'failed', 'superseded'];

const served: Properties<ProfileDocument> = {
  profile: ref('Profile'),
  transports: closed<ProfileDocument['transports']>('Where each transport is served; null: it is off.', {
    websocket: at(WEBSOCKET_PATH),
    sse: at(SSE_PATH),
  }),
  control: at(CONTROL_PATH),
  reconnect: closed<ProfileDocument['reconnect']>('How to come back after a lost connection.', {
    minMs: count('Shortest pause between two attempts, ms.'),
    maxMs: count('Longest pause between two attempts, ms.'),
    jitterMs: count('What is added at random to each pause, at most, ms.'),
  }),
};

const asked = {
  by: text('Id of the principal; of a signal its name.'),
  address: { type: ['string', 'null'], description: 'Where the request came from; null for a signal.' },
  via: oneOfNames(['http', 'signal', 'cluster']),
  startedAt: count('Epoch ms.'),
};
const moved = orNull(ref('MovedSessions'));
const failure = orNull(ref('FlipError'));

/** Schemas of what is served, and of flips. */
export const profileSchemas: Readonly<Record<string, Schema>> = {
  Profile: oneOfNames(PROFILES, 'Which transports are served: Socket.IO, Server-Sent Events, or both.'),
  Transports: closed<Transports>('What is on.', {
    websocket: { type: 'boolean', description: 'Socket.IO.' },
    sse: { type: 'boolean', description: 'Server-Sent Events.' },
    control: { type: 'boolean', description: 'Commands over HTTP.' },
  }),
  ProfileDocument: closed<ProfileDocument>('Which transports are on, and where.', served),
  TransportDisabled: closed<ErrorBody & ProfileDocument>('The answer at the path of what is off.', {
    error: ref('ErrorDetail'),
    ...served,
  }),
  FlipRequest: open<{ readonly profile: string; readonly all?: boolean }>(
    'A flip.',
    {
      profile: { ...text('`WEBSOCKET`, `SSE` or `HYBRID`; letter case does not matter.') },
      all: {
        type: 'boolean',
        description: 'True: every node, one after the other. Default false: this node.',
      },
    },
    'all',
  ),
  MovedSessions: closed<MovedSessions>('Sessions whose transport a flip turns off.', {
    total: count(),
    left: count('Sessions that are still open.'),
    clients: orNull(ref('FlipClients')),
  }),
  FlipClients: closed<FlipClients>(
    'What becomes of their clients; null of a node that does not tell them apart.',
    {
      moved: count('SDK clients that were told to come back over a transport that is on.'),
      returned: count(
        'SDK clients that came to this node with a cursor, over a transport that is on, until 60 s after the end of the flip.',
      ),
      cutOff: count('Other clients that were disconnected: they are not known to speak another transport.'),
      gone: count('Clients of any kind that closed their connection before their turn came.'),
      byKind: closed<Record<ClientKind, FlippedKind>>(
        'By kind.',
        forEachKind(() => ref('FlippedKind')),
      ),
    },
  ),
  FlippedKind: closed<FlippedKind>('Clients of one kind.', {
    total: count('Sessions when the flip began.'),
    left: count('Sessions that are still open.'),
    ended: count('Sessions that the flip has ended; the others closed by themselves.'),
  }),
  FlipError: closed<FlipError>('Why a flip failed.', { code: ref('ErrorCode'), message: text() }),
  Flip: closed<Flip>('One flip of this node.', {
    id: { type: 'integer', minimum: 1, description: 'Counts the flips of this process.' },
    from: ref('Profile'),
    to: ref('Profile'),
    ...asked,
    state: oneOfNames(FLIP_STATES),
    sessions: ref('MovedSessions'),
    error: failure,
  }),
  RolloutNode: closed<RolloutNode>(
    'One node of a rollout; `same`: it served that profile already; `gone`: it ended before it had flipped, and was passed over.',
    {
      id: text(),
      url: { type: ['string', 'null'] },
      host: text(),
      state: oneOfNames(NODE_STATES),
      sessions: moved,
      error: failure,
    },
  ),
  Rollout: closed<Rollout>('A flip of all nodes, one after the other.', {
    id: { type: 'integer', minimum: 1, description: 'Counts the rollouts of this process.' },
    to: ref('Profile'),
    ...asked,
    state: oneOfNames(ROLLOUT_STATES),
    nodes: listOf(ref('RolloutNode')),
  }),
  FlipsReport: closed<FlipsReport>('What this node serves, and the newest flips.', {
    profile: ref('Profile'),
    transports: ref('Transports'),
    node: text('Id of the node that answers; the ids of flips and rollouts count on it alone.'),
    since: { type: ['integer', 'null'], description: 'Since when the profile is served, epoch ms.' },
    repeated: {
      type: 'boolean',
      description:
        'True in the answer to a request for the profile that is served already: nothing was changed.',
    },
    flip: orNull(ref('Flip')),
    rollout: orNull(ref('Rollout')),
  }),
};

function at(path: string): Schema {
  return orNull(closed<{ readonly path: string }>('Where it is served.', { path: { const: path } }));
}
