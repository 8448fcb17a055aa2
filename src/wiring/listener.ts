import { fileURLToPath } from 'node:url';
import type { Delivery } from '../core/delivery/delivery.js';
import { Publisher } from '../core/publisher.js';
import { createApp } from '../profiles/http/app.js';
import { jsonBody } from '../profiles/http/json-body.js';
import { Listener } from '../profiles/http/listener.js';
import { OriginPolicy } from '../profiles/http/origin-policy.js';
import { profileDocument, type Served, transportDisabled } from '../profiles/http/profile-document.js';
import { eventsEntrance } from '../profiles/http/routes/events.js';
import type { HostMonitor } from '../sources/host-monitor.js';
import type { Base } from './base.js';
import type { OpenedCluster } from './cluster.js';
import type { OpenedControl } from './control.js';
import type { OpenedLog } from './log.js';

/** How long requests in flight may take to end once the gateway stops, ms. */
const REQUEST_GRACE_MS = 2000;

/** The one listener, with the routes every profile has; it does not listen yet. */
export function createListener(
  { config, clock, logger, counters, closers }: Base,
  parts: OpenedLog &
    OpenedControl & {
      readonly delivery: Delivery;
      readonly monitor: HostMonitor;
      readonly cluster: OpenedCluster | undefined;
    },
): Listener {
  const { log, bridge, delivery, monitor, gate, registry, cluster } = parts;
  const served: Served = config;
  const startedAt = clock.elapsed();
  const readBody = jsonBody(config.maxHttpBufferBytes);
  const publisher = new Publisher(log, clock, counters, config.maxHttpBufferBytes);
  const app = createApp({
    served: () => served,
    delivery,
    remoteSessions: cluster?.sessions,
    gate,
    readBody,
    operations: {
      readiness: () => ({ ready: log.state === 'ready', log: log.state }),
      status: async () => ({
        profile: config.profile,
        uptimeSeconds: (clock.elapsed() - startedAt) / 1000,
        ...delivery.status(),
        commands: { open: gate.open, actions: registry.actions },
        hostMonitor: monitor.state,
        log: {
          kind: log.kind,
          state: log.state,
          shards: log.shards.count,
          followed: log.followed,
          bridge: bridge?.role ?? null,
        },
        cluster: (await cluster?.status()) ?? null,
        counters: counters.toJSON(),
      }),
    },
    logger,
    consoleFolder: fileURLToPath(new URL('../console/', import.meta.url)),
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
