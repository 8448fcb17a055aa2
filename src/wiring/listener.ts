import { fileURLToPath } from 'node:url';
import { ProcessDenials } from '../core/auth/denials.js';
import { NodeFlips } from '../core/flip/flips.js';
import { Publisher } from '../core/publisher.js';
import type { NewEvent } from '../core/event.js';
import { createApp } from '../profiles/http/app.js';
import type { Callers } from '../profiles/http/callers.js';
import type { ConnectionLimits } from '../profiles/http/connection-limits.js';
import { Door } from '../profiles/http/door.js';
import { HostPolicy } from '../profiles/http/host-policy.js';
import { jsonText } from '../profiles/http/json-body.js';
import { LargeAnswers } from '../profiles/http/large-answers.js';
import { Listener } from '../profiles/http/listener.js';
import type { OriginPolicy } from '../profiles/http/origin-policy.js';
import type { RefusalAudit } from '../profiles/http/refusal-audit.js';
import { profileDocument, type Served, transportDisabled } from '../profiles/http/profile-document.js';
import { eventsEntrance } from '../profiles/http/routes/events.js';
import type { RefusedPermissions } from '../core/redis/refused-permissions.js';
import type { Base } from './base.js';
import { metricsOf } from './metrics.js';
import { statusOf, type StatusParts } from './status.js';

/** How long requests in flight may take to end once the gateway stops, ms: those that wait for a command, and others. */
const REQUEST_GRACE_MS = { most: 5000, least: 2000 };

/** What the listener stands on. */
export type ListenerParts = StatusParts & {
  readonly limits: ConnectionLimits;
  readonly origins: OriginPolicy;
  readonly callers: Callers;
  readonly refusals: RefusalAudit;
  /** The rooms an event goes to. */
  readonly roomsOf: (event: NewEvent) => readonly string[];
};

/** The one listener, with the routes every profile has; it does not listen yet. */
export function createListener(base: Base, parts: ListenerParts): Listener {
  const { config, clock, logger, counters, closers, tracing, traces, permissions } = base;
  const { log, delivery, gate, cluster, profiles, callers, origins, denied } = parts;
  const served = (): Served => ({
    profile: base.served.profile,
    transports: base.served.transports,
    reconnectJitterMs: config.reconnectJitterMs,
  });
  const readText = jsonText(config.maxHttpBufferBytes);
  const publisher = new Publisher(log, clock, counters, config.maxHttpBufferBytes, parts.roomsOf);
  const app = createApp({
    served,
    delivery,
    remoteSessions: cluster?.sessions,
    denials: cluster?.denials ?? new ProcessDenials(denied),
    denied,
    flips: cluster?.flips ?? new NodeFlips(base.nodeId, profiles),
    gate,
    callers,
    maxBodyBytes: config.maxHttpBufferBytes,
    answers: new LargeAnswers(counters),
    operations: {
      readiness: () => ({
        ready: log.state === 'ready' && !delivery.isClosing,
        log: log.state,
        since: parts.logSince.since,
        ...(log.reason === null ? {} : { reason: log.reason }),
        ...refusedBy(permissions),
        draining: delivery.isClosing,
      }),
      status: statusOf(base, parts),
      commands: (limit) => gate.recent(limit),
      metrics: metricsOf(base, parts),
    },
    clock,
    logger,
    tracing,
    consoleFolder: fileURLToPath(new URL('../console/', import.meta.url)),
    clientFolder: fileURLToPath(new URL('../client/', import.meta.url)),
  });
  const hosts = new HostPolicy({
    allowed: config.allowedHosts,
    listensOn: config.host,
    isLocalOnly: config.authMode === 'none' && !config.allowInsecure,
  });
  const listener = new Listener({
    door: new Door(hosts, origins, counters),
    limits: parts.limits,
    origins,
    counters,
    refusals: parts.refusals,
    fallback: app,
    refuseUpgrade: (path) => ({
      refusal: transportDisabled(served(), path),
      extra: profileDocument(served()),
    }),
  });
  listener.mount(eventsEntrance({ publisher, callers, readText, logger, tracing, traces }));
  // Who waits for a command's outcome is told it.
  const grace = Math.min(
    REQUEST_GRACE_MS.most,
    Math.max(REQUEST_GRACE_MS.least, config.controlWaitMs + 1000),
  );
  closers.add('listener', () => listener.close(grace));
  return listener;
}

/** The effects of lacking permissions in Redis; nothing when all works. */
function refusedBy({ lacking }: RefusedPermissions): { readonly refused?: readonly string[] } {
  return lacking.length === 0 ? {} : { refused: [...new Set(lacking.map(({ effect }) => effect))] };
}
