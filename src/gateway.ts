import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from './core/clock.js';
import { Closers } from './core/closers.js';
import type { Config } from './core/config/config.js';
import { ConfigFaults } from './core/config/fault.js';
import type { CommandQueue } from './core/control/command-queue.js';
import { type CommandRegistry, loadCommands } from './core/control/command-registry.js';
import { CommandFaults } from './core/control/commands-module.js';
import { CommandGate } from './core/control/gate.js';
import { LocalQueue } from './core/control/local-queue.js';
import { MemoryRateLimit } from './core/control/memory-rate-limit.js';
import { RoutedQueue } from './core/control/routed-queue.js';
import { Delivery } from './core/delivery/delivery.js';
import type { EventLog } from './core/log/event-log.js';
import { MemoryLog } from './core/log/memory-log.js';
import type { PublishBridge } from './core/log/publish-bridge.js';
import type { Logger } from './core/logger.js';
import { Counters } from './core/metrics/counters.js';
import { Publisher } from './core/publisher.js';
import { createApp } from './profiles/http/app.js';
import { jsonBody } from './profiles/http/json-body.js';
import { Listener } from './profiles/http/listener.js';
import { OriginPolicy } from './profiles/http/origin-policy.js';
import { profileDocument, type Served, transportDisabled } from './profiles/http/profile-document.js';
import { eventsEntrance } from './profiles/http/routes/events.js';
import { HostMonitor } from './sources/host-monitor.js';
import { hostMonitorCommands } from './sources/host-monitor-commands.js';
import { realHost } from './sources/host-reader.js';
import { readTables, type Tables } from './tables.js';

/** How long one part may take to close, ms; commands in flight end within it. */
const CLOSE_DEADLINE_MS = 6000;
/** How long requests in flight may take to end once the gateway stops, ms. */
const REQUEST_GRACE_MS = 2000;

/** How long other nodes wait for one that copies published messages and says nothing any more, ms. */
const BRIDGE_LEASE_MS = 3000;

/** A running gateway. */
export interface Gateway {
  /** Where it listens. */
  readonly address: AddressInfo;
  /** Ends sessions so that clients come back, lets commands in flight end, closes everything. */
  stop(): Promise<void>;
}

/** The log, and with Redis what copies published messages into it. */
interface OpenedLog {
  readonly log: EventLog;
  readonly bridge?: PublishBridge | undefined;
}

/** What every part is given. */
interface Base {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly closers: Closers;
}

/**
 * Wires and starts a gateway. Faults of the files the configuration names come back as such; rejects when the
 * address can't be listened on.
 */
export async function startGateway(config: Config, logger: Logger): Promise<Gateway | ConfigFaults> {
  const tables = readTables(config);
  const clock = systemClock;
  const closers = new Closers(clock, logger, CLOSE_DEADLINE_MS);
  const base: Base = { config, logger, clock, counters: new Counters(), closers };
  const { log, bridge } = await openLog(base);
  const monitor = createMonitor(base, log);
  const control = await openControl(base, log, monitor);
  if (tables instanceof ConfigFaults || control instanceof ConfigFaults) {
    await closers.closeAll();
    const both = [tables, control].filter((one) => one instanceof ConfigFaults);
    return new ConfigFaults(both.flatMap(({ faults }) => faults));
  }
  const delivery = createDelivery(base, log, tables);
  log.start(delivery.tail);
  const listener = createListener(base, { log, bridge, delivery, monitor, ...control });
  await attachProfiles(base, listener, { ...tables, ...control, delivery });
  closers.add('sessions', () => {
    delivery.shutDown();
  });
  try {
    const address = await listener.listen(config.port, config.host);
    if (config.hostMonitor) monitor.start();
    return { address, stop: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** The log where the configuration says, and with Redis the bridge from its channels. */
async function openLog({ config, closers, ...parts }: Base): Promise<OpenedLog> {
  const { redisUrl: url, redisKeyPrefix: keyPrefix, logMaxEvents: maxEvents } = config;
  const { maxHttpBufferBytes: maxDataBytes } = config;
  if (url === undefined)
    return { log: new MemoryLog(parts.clock, { maxEvents, maxBytes: config.logMaxBytes }) };
  const { RedisLog } = await import('./core/log/redis-log.js');
  const { BridgeLedger } = await import('./core/log/bridge-ledger.js');
  const { PublishBridge } = await import('./core/log/publish-bridge.js');
  const log = new RedisLog({ url, keyPrefix, maxEvents, maxDataBytes }, parts);
  closers.add('log', () => log.close());
  const ledger = new BridgeLedger({ url, keyPrefix, maxEvents, leaseMs: BRIDGE_LEASE_MS }, parts.logger);
  const bridge = new PublishBridge(
    { url, channels: config.redisChannels, maxDataBytes },
    { ...parts, ledger },
  );
  closers.add('bridge', () => bridge.close());
  bridge.start();
  return { log, bridge };
}

function createMonitor({ clock, logger, counters, closers }: Base, log: EventLog): HostMonitor {
  const monitor = new HostMonitor({
    host: realHost,
    clock,
    logger,
    counters,
    publish: (event) => log.append([event]),
  });
  closers.add('host monitor', () => {
    monitor.stop();
  });
  return monitor;
}

async function openControl(
  { config, clock, logger, counters, closers }: Base,
  log: EventLog,
  monitor: HostMonitor,
): Promise<{ readonly gate: CommandGate; readonly registry: CommandRegistry } | ConfigFaults> {
  const { commandsModule } = config;
  const builtIn = hostMonitorCommands(monitor);
  const registry = await loadCommands(
    commandsModule,
    builtIn.map(({ spec }) => spec),
  );
  if (registry instanceof CommandFaults) {
    const value = String(commandsModule);
    return new ConfigFaults(
      registry.faults.map((remedy) => ({ variable: 'COMMANDS_MODULE', value, source: value, remedy })),
    );
  }
  const local = new LocalQueue(builtIn, logger);
  const worker =
    commandsModule === undefined ? {} : { worker: await openThreads(commandsModule, clock, logger) };
  const gate = new CommandGate({
    registry,
    queue: new RoutedQueue({ local, ...worker }),
    rateLimit: new MemoryRateLimit(config.controlRatePerSecond),
    publish: (event) => log.append([event]),
    clock,
    logger,
    counters,
    controlWaitMs: config.controlWaitMs,
  });
  closers.add('commands', () => gate.close());
  return { gate, registry };
}

async function openThreads(commandsModule: string, clock: Clock, logger: Logger): Promise<CommandQueue> {
  const { ThreadQueue } = await import('./core/control/thread-queue.js');
  return new ThreadQueue({ commandsModule, clock, logger });
}

function createDelivery({ config, ...parts }: Base, log: EventLog, { types }: Tables): Delivery {
  const perSecond = config.maxEventsPerSecondPerClient;
  return new Delivery(
    {
      ...config,
      heartbeatMs: config.pingIntervalMs,
      window: {
        minMs: perSecond === 0 ? 0 : 1000 / perSecond,
        maxMs: config.monitorTickMs,
        maxWaitMs: config.flushIntervalMs,
      },
      memory: { maxEvents: config.logMaxEvents, maxBytes: config.logMaxBytes },
    },
    { ...parts, log, types },
  );
}

function createListener(
  { config, clock, logger, counters, closers }: Base,
  parts: OpenedLog & {
    readonly delivery: Delivery;
    readonly monitor: HostMonitor;
    readonly gate: CommandGate;
    readonly registry: CommandRegistry;
  },
): Listener {
  const { log, bridge, delivery, monitor, gate, registry } = parts;
  const served: Served = config;
  const startedAt = clock.elapsed();
  const readBody = jsonBody(config.maxHttpBufferBytes);
  const publisher = new Publisher(log, clock, counters, config.maxHttpBufferBytes);
  const app = createApp({
    served: () => served,
    delivery,
    gate,
    readBody,
    operations: {
      readiness: () => ({ ready: log.state === 'ready', log: log.state }),
      status: () => ({
        profile: config.profile,
        uptimeSeconds: (clock.elapsed() - startedAt) / 1000,
        ...delivery.status(),
        commands: { open: gate.open, actions: registry.actions },
        hostMonitor: monitor.state,
        log: { kind: log.kind, state: log.state, bridge: bridge?.role ?? null },
        counters: counters.toJSON(),
      }),
    },
    logger,
    consoleFolder: fileURLToPath(new URL('./console/', import.meta.url)),
  });
  const listener = new Listener({
    origins: new OriginPolicy(config.corsOrigins),
    fallback: app,
    refuseUpgrade: () => ({ refusal: transportDisabled(served), extra: profileDocument(served) }),
  });
  listener.mount(eventsEntrance(publisher, readBody, logger));
  closers.add('listener', () => listener.close(REQUEST_GRACE_MS));
  return listener;
}

/** Loads and attaches what the profile serves, and nothing else. */
async function attachProfiles(
  { config, logger, counters, clock, closers }: Base,
  listener: Listener,
  parts: Tables & {
    readonly delivery: Delivery;
    readonly gate: CommandGate;
    readonly registry: CommandRegistry;
  },
): Promise<void> {
  if (config.transports.sse) {
    const { SseProfile } = await import('./profiles/sse/sse-profile.js');
    const profile = new SseProfile({ ...config, ...parts, listener, clock, random: Math.random });
    closers.add('sse', () => profile.close());
  }
  if (!config.transports.websocket) return;
  const { SocketIoProfile } = await import('./profiles/socketio/socketio-profile.js');
  const common = { ...config, ...parts, listener, logger, counters, clock };
  if (config.redisUrl === undefined) {
    const profile = new SocketIoProfile(common);
    closers.add('socket.io', () => profile.close());
    return;
  }
  const { connectClusterRooms } = await import('./profiles/socketio/cluster-rooms.js');
  const rooms = connectClusterRooms(config.redisUrl, config.redisKeyPrefix, logger);
  closers.add('cluster rooms', () => {
    rooms.close();
  });
  const profile = new SocketIoProfile({ ...common, adapter: rooms.adapter });
  closers.add('socket.io', () => profile.close());
}
