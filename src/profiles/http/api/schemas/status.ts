import type { ProfileName } from '../../../../core/config/profile.js';
import { type ClientCounts, forEachKind } from '../../../../core/delivery/client-kind.js';
import type { DeliveryStatus } from '../../../../core/delivery/delivery-status.js';
import type { SessionBacklog } from '../../../../core/delivery/sweeper.js';
import type { LogState } from '../../../../core/log/event-log.js';
import type { RefusedPermission } from '../../../../core/redis/refused-permissions.js';
import type { BridgeRole } from '../../../../core/log/publish-bridge.js';
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

/** What the status says of the log. */
interface ToldLog {
  readonly kind: 'memory' | 'redis';
  readonly state: LogState;
  readonly since: number;
  readonly reason: string | null;
  readonly bridge: BridgeRole | null;
}

/** What `GET /readyz` answers. */
interface ToldReadiness {
  readonly ready: boolean;
  readonly log: LogState;
  readonly since: number;
  readonly reason?: string;
  readonly refused?: readonly string[];
  readonly draining: boolean;
}

const LOG_STATES: readonly LogState[] = ['starting', 'ready', 'unavailable'];
const BRIDGE_ROLES: readonly BridgeRole[] = ['copying', 'standing by', 'coming back', 'not listening'];

const delivery = {
  sessions: ref('SessionCounts'),
  clients: ref('ClientsByTransport'),
  rooms: {
    ...mapOf(count()),
    propertyNames: ref('Name'),
    description: 'Sessions by room: the 1000 largest.',
  },
  eventsHeld: count('Events of the log that this process holds.'),
  cursor: ref('Cursor'),
  windowMs: amount('For how long events are gathered before they leave, now, ms.'),
  flushes: count('How often events left.'),
  backlog: closed<SessionBacklog>('How far sessions are behind, found out once a second.', {
    oldestSeconds: amount('How long ago the oldest event arrived that some session still awaits, s.'),
    sessionsBehind: count('Sessions that have awaited something for more than a second.'),
  }),
} satisfies Record<keyof DeliveryStatus, Schema>;

/** What is told with the status besides delivery's part. */
const others = {
  profile: ref('Profile'),
  transports: ref('Transports'),
  profiles: closed<Record<ProfileName, unknown>>('What each profile would serve here.', {
    WEBSOCKET: ref('Transports'),
    SSE: ref('Transports'),
    HYBRID: ref('Transports'),
  }),
  drainMs: count('ms over which a flip moves clients.'),
  flip: orNull(ref('Flip')),
  uptimeSeconds: amount(),
  figures: ref('Figures'),
  commands: closed<{ readonly open: number; readonly actions: readonly string[] }>('Commands.', {
    open: count('Taken here and not ended, as far as this process knows.'),
    actions: listOf(ref('Name')),
  }),
  denied: count('Principals that operators deny access to.'),
  hostMonitor: ref('HostMonitorState'),
  log: closed<ToldLog>('The event log.', {
    kind: oneOfNames(['memory', 'redis']),
    state: oneOfNames(LOG_STATES),
    since: count('Since when it is in this state, epoch ms, to a second.'),
    reason: orNull(text('Why the log is not ready.')),
    bridge: { enum: [...BRIDGE_ROLES, null], description: 'What copies `PUBLISH`ed messages; null: none.' },
  }),
  redis: orNull(
    closed<{ readonly refusedPermissions: readonly RefusedPermission[] }>('Redis; null without it.', {
      refusedPermissions: {
        ...listOf(
          closed<RefusedPermission>('A permission that the Redis user of this process lacks.', {
            command: text('The command that Redis refused.'),
            on: text('The keys, channels or patterns that it was about; empty for none.'),
            effect: text('What does not work because of it.'),
            rule: text('The ACL rule to add.'),
          }),
        ),
        description: 'Those that were refused in the last two minutes.',
      },
    }),
  ),
  cluster: orNull(ref('Cluster')),
  counters: {
    ...mapOf(mapOf(count())),
    description: 'What happened since the start, by name and reason: limits, refusals, drops.',
  },
};

/** Schemas of what operators ask. */
export const statusSchemas: Readonly<Record<string, Schema>> = {
  Health: closed<{ readonly status: string }>('The process is alive.', { status: { const: 'ok' } }),
  Readiness: closed<ToldReadiness>(
    'Whether this node is fit to receive traffic: events can be read and appended, and it does not stop.',
    {
      ready: { type: 'boolean' },
      log: oneOfNames(LOG_STATES),
      since: count('Since when the log is in this state, epoch ms, to a second.'),
      reason: text('Why the log is not ready; left out when it is.'),
      refused: {
        ...listOf(text('What does not work.')),
        description: 'What does not work since Redis refuses permissions; left out when all does.',
      },
      draining: { type: 'boolean', description: 'True once it stops: its clients are being moved.' },
    },
    'reason',
    'refused',
  ),
  HostMonitorState: closed<{ readonly running: boolean; readonly intervalMs: number }>('The host monitor.', {
    running: { type: 'boolean' },
    intervalMs: count('ms between two readings.'),
  }),
  SessionCounts: closed<DeliveryStatus['sessions']>('Sessions by transport.', {
    websocket: count(),
    sse: count(),
  }),
  ClientsByTransport: closed<DeliveryStatus['clients']>('Sessions by transport and kind of client.', {
    websocket: ref('ClientCounts'),
    sse: ref('ClientCounts'),
  }),
  ClientCounts: closed<ClientCounts>(
    'Sessions by kind of client. `sdk`: names itself by `client=sdk/<version>`; `bundle`, `eventsource`: do not; `stock`: legacy.',
    forEachKind(() => count()),
  ),
  Status: closed<Record<keyof typeof others | keyof typeof delivery, unknown>>(
    'Everything the console shows, of this node.',
    { ...others, ...delivery },
  ),
};
