import { fileURLToPath } from 'node:url';
import { NodeFlips } from '../core/flip/flips.js';
import { Publisher } from '../core/publisher.js';
import { createApp } from '../profiles/http/app.js';
import { jsonBody } from '../profiles/http/json-body.js';
import { Listener } from '../profiles/http/listener.js';
import { OriginPolicy } from '../profiles/http/origin-policy.js';
import { profileDocument, type Served, transportDisabled } from '../profiles/http/profile-document.js';
import { eventsEntrance } from '../profiles/http/routes/events.js';
import type { Base } from './base.js';
import { metricsOf } from './metrics.js';
import { statusOf, type StatusParts } from './status.js';

/** How long requests in flight may take to end once the gateway stops, ms: those that wait for a command, and others. */
const REQUEST_GRACE_MS = { most: 5000, least: 2000 };

/** The one listener, with the routes every profile has; it does not listen yet. */
export function createListener(base: Base, parts: StatusParts): Listener {
  const { config, clock, logger, counters, closers } = base;
  const { log, delivery, gate, cluster, profiles } = parts;
  const served = (): Served => ({
    profile: base.served.profile,
    transports: base.served.transports,
    reconnectJitterMs: config.reconnectJitterMs,
  });
  const readBody = jsonBody(config.maxHttpBufferBytes);
  const publisher = new Publisher(log, clock, counters, config.maxHttpBufferBytes);
  const app = createApp({
    served,
    delivery,
    remoteSessions: cluster?.sessions,
    flips: cluster?.flips ?? new NodeFlips(profiles),
    gate,
    readBody,
    operations: {
      readiness: () => ({
        ready: log.state === 'ready' && !delivery.isClosing,
        log: log.state,
        draining: delivery.isClosing,
      }),
      status: statusOf(base, parts),
      commands: (limit) => gate.recent(limit),
      metrics: metricsOf(base, parts),
    },
    logger,
    consoleFolder: fileURLToPath(new URL('../console/', import.meta.url)),
    clientFolder: fileURLToPath(new URL('../client/', import.meta.url)),
  });
  const listener = new Listener({
    origins: new OriginPolicy(config.corsOrigins),
    fallback: app,
    refuseUpgrade: () => ({ refusal: transportDisabled(served()), extra: profileDocument(served()) }),
  });
  listener.mount(eventsEntrance(publisher, readBody, logger));
  // Who waits for a command's outcome is told it.
  const grace = Math.min(
    REQUEST_GRACE_MS.most,
    Math.max(REQUEST_GRACE_MS.least, config.controlWaitMs + 1000),
  );
  closers.add('listener', () => listener.close(grace));
  return listener;
}
