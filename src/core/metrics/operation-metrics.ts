import process from 'node:process';
import { PROFILES } from '../config/profile.js';
import type { FlipReport } from '../flip/flip-report.js';
import type { EventLog } from '../log/event-log.js';
import type { BridgeRole } from '../log/publish-bridge.js';
import type { CommandFigures } from './command-figures.js';
import type { ToldMetrics } from './told-metrics.js';

/** What {@link tellOperation} reads. */
export interface OperationSources {
  /** Of flipgate, as its package says. */
  readonly version: string;
  readonly commands: { readonly figures: CommandFigures; readonly open: () => number };
  readonly profiles: { report(): FlipReport };
  readonly log: Pick<EventLog, 'kind' | 'state'>;
  /** Undefined without Redis. */
  readonly bridge: { readonly role: BridgeRole } | undefined;
  /** Gateways on this Redis, this one among them; undefined without Redis. */
  readonly nodes: (() => { readonly known: number; readonly reachable: boolean }) | undefined;
}

/** Upper ends of the buckets of the durations of commands, s. */
const DURATION_BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
const FLIP_STATES = ['switching', 'draining', 'done', 'failed', 'superseded'];
const LOG_STATES = ['starting', 'ready', 'unavailable'];
const BRIDGE_ROLES: readonly BridgeRole[] = ['copying', 'standing by', 'coming back', 'not listening'];

/** Tells of commands, of flips, of the log and of Redis, and what runs here. */
export function tellOperation(metrics: ToldMetrics, sources: OperationSources): void {
  const { version } = sources;
  metrics.gauge(
    {
      name: 'flipgate_build_info',
      help: 'Always 1; its labels say what runs here.',
      labels: ['version', 'node', 'log'],
    },
    () => [[1, { version, node: process.versions.node, log: sources.log.kind }]],
  );
  tellCommands(metrics, sources);
  tellFlips(metrics, sources);
  tellLog(metrics, sources);
}

function tellCommands(metrics: ToldMetrics, { commands }: OperationSources): void {
  metrics.gauge(
    {
      name: 'flipgate_commands_open',
      help: 'Commands that were taken here and whose end this node does not know yet: queued, or being executed.',
    },
    () => [[commands.open()]],
  );
  metrics.histogram(
    {
      name: 'flipgate_command_duration_seconds',
      help: 'From a command being taken to its end, the wait in the queue included, by action and how it ended; with Redis each is told by one node of all.',
      labels: ['action', 'status'],
      bounds: DURATION_BOUNDS,
    },
    () =>
      commands.figures
        .durations()
        .map(({ action, status, durationMs }) => [durationMs, { action, status }] as const),
  );
}

function tellFlips(metrics: ToldMetrics, { profiles }: OperationSources): void {
  metrics.state(
    {
      name: 'flipgate_profile',
      help: 'The profile that is served: 1 for that one, 0 for the others.',
      labels: ['profile'],
      words: PROFILES,
    },
    () => profiles.report().profile,
  );
  metrics.state(
    {
      name: 'flipgate_flip_state',
      help: 'How the newest flip of this node goes: 1 for that state, 0 for the others; all 0 before the first.',
      labels: ['state'],
      words: FLIP_STATES,
    },
    () => profiles.report().flip?.state ?? null,
  );
  metrics.gauge(
    {
      name: 'flipgate_flip_sessions_left',
      help: 'Clients that the flip under way has still to move; 0 when none is under way.',
    },
    () => {
      const flip = profiles.report().flip;
      return [[flip?.state === 'draining' ? flip.sessions.left : 0]];
    },
  );
  metrics.gauge(
    {
      name: 'flipgate_flip_clients',
      help: 'What became of the clients whose transport the newest flip of this node turned off: moved (the SDK, told to come back over another transport), returned (the SDK, came back here over another transport), cut_off (disconnected, and not known to speak another transport), gone (left by themselves); all 0 before the first.',
      labels: ['outcome'],
    },
    () => {
      const clients = profiles.report().flip?.sessions.clients;
      return [
        [clients?.moved ?? 0, { outcome: 'moved' }],
        [clients?.returned ?? 0, { outcome: 'returned' }],
        [clients?.cutOff ?? 0, { outcome: 'cut_off' }],
        [clients?.gone ?? 0, { outcome: 'gone' }],
      ];
    },
  );
}

function tellLog(metrics: ToldMetrics, { log, bridge, nodes }: OperationSources): void {
  metrics.gauge(
    {
      name: 'flipgate_log_ready',
      help: '1 when the log takes and gives events; 0 while it is read in, or Redis is away.',
    },
    () => [[log.state === 'ready' ? 1 : 0]],
  );
  metrics.state(
    {
      name: 'flipgate_log_state',
      help: 'State of the log: 1 for that one, 0 for the others.',
      labels: ['state'],
      words: LOG_STATES,
    },
    () => log.state,
  );
  if (bridge !== undefined) {
    metrics.state(
      {
        name: 'flipgate_bridge_role',
        help: 'What this node does with messages that are published on Redis channels: 1 for that, 0 for the others. One node of all copies them.',
        labels: ['role'],
        words: BRIDGE_ROLES,
      },
      () => bridge.role,
    );
  }
  if (nodes === undefined) return;
  metrics.gauge(
    {
      name: 'flipgate_cluster_nodes',
      help: 'Gateways on this Redis that this node knows of, itself among them.',
    },
    () => [[nodes().known]],
  );
  metrics.gauge(
    {
      name: 'flipgate_cluster_reachable',
      help: '1 when Redis tells this node of the others; 0 when it does not.',
    },
    () => [[nodes().reachable ? 1 : 0]],
  );
}
