import type { DeniedPrincipals } from '../core/auth/denied-principals.js';
import { PROFILES } from '../core/config/profile.js';
import type { Delivery } from '../core/delivery/delivery.js';
import type { ProfileSwitch } from '../core/flip/profile-switch.js';
import type { RecentFigures } from '../core/metrics/recent-figures.js';
import type { HostMonitor } from '../sources/host-monitor.js';
import type { Base } from './base.js';
import type { OpenedCluster } from './cluster.js';
import type { OpenedControl } from './control.js';
import type { OpenedLog } from './log.js';
import type { LogSince } from './log-since.js';

/** What the status is about. */
export type StatusParts = OpenedLog &
  OpenedControl & {
    readonly delivery: Delivery;
    readonly monitor: HostMonitor;
    readonly cluster: OpenedCluster | undefined;
    readonly profiles: ProfileSwitch;
    readonly figures: RecentFigures;
    readonly logSince: LogSince;
    readonly denied: DeniedPrincipals;
  };

/** What `GET /api/admin/status` answers: everything the console shows. */
export function statusOf(
  { config, served, clock, counters, permissions }: Base,
  {
    log,
    bridge,
    delivery,
    monitor,
    gate,
    registry,
    cluster,
    profiles,
    figures,
    logSince,
    denied,
  }: StatusParts,
): () => Promise<object> {
  const startedAt = clock.elapsed();
  return async () => ({
    profile: served.profile,
    transports: served.transports,
    // What a flip would serve, and over which time it would move clients.
    profiles: Object.fromEntries(PROFILES.map((profile) => [profile, served.under(profile)])),
    drainMs: config.drainMs,
    flip: profiles.report().flip,
    uptimeSeconds: (clock.elapsed() - startedAt) / 1000,
    ...delivery.status(),
    figures: figures.report(),
    commands: { open: gate.open, actions: registry.actions },
    denied: denied.size,
    hostMonitor: monitor.state,
    log: {
      kind: log.kind,
      state: log.state,
      reason: log.reason,
      since: logSince.since,
      bridge: bridge?.role ?? null,
    },
    redis: config.redisUrl === undefined ? null : { refusedPermissions: permissions.lacking },
    cluster: (await cluster?.status()) ?? null,
    counters: counters.toJSON(),
  });
}
