import type { AddressInfo } from 'node:net';
import { Audit } from './core/audit.js';
import { DeniedPrincipals } from './core/auth/denied-principals.js';
import { DenyingAuthenticator } from './core/auth/denying-authenticator.js';
import { systemClock } from './core/clock.js';
import type { FlipOrigin, FlipReport } from './core/flip/flip-report.js';
import { ServedProfile } from './core/flip/served-profile.js';
import { newNodeId } from './core/cluster/node-id.js';
import { Closers } from './core/closers.js';
import type { Config } from './core/config/config.js';
import type { ProfileName } from './core/config/profile.js';
import { ConfigFaults } from './core/config/fault.js';
import type { Delivery } from './core/delivery/delivery.js';
import { DeliveryTraces } from './core/delivery/delivery-traces.js';
import type { Refusal } from './core/errors.js';
import type { NewEvent } from './core/event.js';
import type { Logger } from './core/logger.js';
import { RefusedPermissions } from './core/redis/refused-permissions.js';
import { Counters } from './core/metrics/counters.js';
import { RecentFigures } from './core/metrics/recent-figures.js';
import { Callers } from './profiles/http/callers.js';
import { ClientAddresses } from './profiles/http/client-address.js';
import { ConnectionLimits } from './profiles/http/connection-limits.js';
import { OriginPolicy } from './profiles/http/origin-policy.js';
import { RefusalAudit } from './profiles/http/refusal-audit.js';
import { readTables } from './tables.js';
import { openAuth } from './wiring/auth.js';
import type { Base } from './wiring/base.js';
import { openCluster } from './wiring/cluster.js';
import { openControl } from './wiring/control.js';
import { createDelivery } from './wiring/delivery.js';
import { createListener } from './wiring/listener.js';
import { LogSince } from './wiring/log-since.js';
import { openLog } from './wiring/log.js';
import { createMonitor } from './wiring/monitor.js';
import { createProfileSwitch } from './wiring/profiles.js';
import { openTracing } from './wiring/tracing.js';

/** How long one part may take to close, ms; commands in flight end within it. */
const CLOSE_DEADLINE_MS = 6000;

/** A running gateway. */
export interface Gateway {
  /** Where it listens. */
  readonly address: AddressInfo;
  /** The profile that is served now. */
  profile(): ProfileName;
  /** Serves another profile from now on; the clients that this moves come back over the transport that is on. */
  flip(profile: ProfileName, origin: FlipOrigin): Promise<FlipReport | Refusal>;
  /** The API keys of `config` count from now on; clients of those that are gone are let go. Faults: then nothing has changed. */
  takeKeys(config: Config): ConfigFaults | undefined;
  /** Moves all clients away, over `DRAIN_MS` at most, lets commands in flight end, closes everything. */
  stop(): Promise<void>;
}

/**
 * Wires and starts a gateway. Faults of the files the configuration names come back as such; rejects when the
 * address can't be listened on.
 */
export async function startGateway(config: Config, logger: Logger): Promise<Gateway | ConfigFaults> {
  const tables = readTables(config);
  const clock = systemClock;
  const closers = new Closers(clock, logger, CLOSE_DEADLINE_MS);
  const served = new ServedProfile(config.profile, config.transportOverrides);
  const counters = new Counters();
  const tracing = await openTracing({ config, clock, logger, counters, closers });
  const traces = tracing.on ? new DeliveryTraces({ tracing, clock, counters }) : undefined;
  const base: Base = {
    nodeId: newNodeId(),
    config,
    served,
    logger,
    clock,
    counters,
    permissions: new RefusedPermissions({ clock, logger, counters }),
    tracing,
    traces,
    closers,
  };
  const roomsOf = (event: NewEvent): readonly string[] =>
    tables instanceof ConfigFaults ? config.defaultRooms : tables.types.roomsOf(event);
  const { log, bridge } = await openLog(base);
  const monitor = createMonitor(base, log);
  const control = await openControl(base, log, monitor);
  const auth = await openAuth(base);
  if (tables instanceof ConfigFaults || control instanceof ConfigFaults || auth instanceof ConfigFaults) {
    await closers.closeAll();
    const faulty = [tables, control, auth].filter((one) => one instanceof ConfigFaults);
    return new ConfigFaults(faulty.flatMap(({ faults }) => faults));
  }
  const addresses = new ClientAddresses(config.trustedProxies);
  const origins = new OriginPolicy(config.corsOrigins);
  const limits = new ConnectionLimits(config, addresses, counters);
  const refusals = new RefusalAudit(new Audit(clock, logger), addresses);
  const denied = new DeniedPrincipals(clock);
  const authenticator = new DenyingAuthenticator(auth.authenticator, denied, counters);
  const callers = new Callers(authenticator, addresses, origins, { limits, refusals });
  const delivery = createDelivery(base, log, tables, denied);
  denied.onDenied(() => {
    void endDenied(delivery, denied, logger);
  });
  log.start(delivery.tail);
  const profiles = createProfileSwitch(base, { ...tables, ...control, delivery, callers }, () => listener);
  const cluster = await openCluster(base, { log, bridge, delivery, profiles, denied });
  const figures = new RecentFigures({ clock, counters, delivery: delivery.figures });
  closers.add('figures', () => {
    figures.close();
  });
  const logSince = new LogSince(clock, log);
  closers.add('log since', () => {
    logSince.close();
  });
  const parts = { logSince, log, bridge, delivery, monitor, cluster, profiles, figures, denied, ...control };
  const listener = createListener(base, { ...parts, limits, origins, callers, refusals, roomsOf });
  await profiles.start();
  closers.add('profiles', () => profiles.close());
  closers.add('sessions', () => {
    delivery.shutDown();
  });
  const stop = async (): Promise<void> => {
    profiles.freeze();
    delivery.turnAway();
    await delivery.drain(() => true, 'shutting_down', config.drainMs).done;
    await closers.closeAll();
  };
  try {
    const address = await listener.listen(config.port, config.host);
    cluster?.listensAt(urlOf(address));
    if (config.hostMonitor) monitor.start();
    return {
      address,
      profile: () => served.profile,
      flip: (profile, origin) => profiles.flip(profile, origin),
      takeKeys: (anew) => {
        const gone = anew.authMode === 'token' ? auth.takeKeys?.(anew) : undefined;
        if (gone instanceof ConfigFaults) return gone;
        if (gone !== undefined) void endWithdrawn(delivery, gone, logger);
        return undefined;
      },
      stop,
    };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** Ends the sessions of denied principals. */
async function endDenied(delivery: Delivery, denied: DeniedPrincipals, logger: Logger): Promise<void> {
  const ended = await delivery.endOf(
    (principal) => denied.refusalFor(principal) !== undefined,
    'principal_denied',
  );
  if (ended > 0) logger.info('sessions of denied principals were ended', { audit: 'deny', sessions: ended });
}

/** Ends the sessions of callers whose API keys do not count any more, or count for other rights. */
async function endWithdrawn(delivery: Delivery, gone: ReadonlySet<string>, logger: Logger): Promise<void> {
  const ended = await delivery.endOf(({ id }) => gone.has(id), 'invalid_token');
  logger.info('the API keys were read again', { audit: 'keys', changed: gone.size, sessions: ended });
}

/** The address to open in a browser on the same host: where it listens on all addresses, by the name that every host has. */
export function openUrl({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string {
  const isAny = address === '0.0.0.0' || address === '::';
  return isAny ? `http://localhost:${String(port)}/` : urlOf({ address, port });
}

/** The address of what listens there, as its own host has it. */
export function urlOf({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${String(port)}/`;
}
