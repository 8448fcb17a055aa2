import { newSessionId } from '../core/cluster/node-id.js';
import type { DeniedPrincipals } from '../core/auth/denied-principals.js';
import { Delivery } from '../core/delivery/delivery.js';
import type { EventLog } from '../core/log/event-log.js';
import type { Tables } from '../tables.js';
import type { Base } from './base.js';

/** The delivery engine under both wires. */
export function createDelivery(
  { config, nodeId, served, ...parts }: Base,
  log: EventLog,
  { types }: Tables,
  denied: DeniedPrincipals,
): Delivery {
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
    {
      ...parts,
      log,
      types,
      denied,
      newSessionId: () => newSessionId(nodeId),
      profile: () => served.profile,
      random: Math.random,
    },
  );
}
