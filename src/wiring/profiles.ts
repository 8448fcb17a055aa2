import type { Delivery } from '../core/delivery/delivery.js';
import { ProfileSwitch } from '../core/flip/profile-switch.js';
import type { ServedTransport } from '../core/flip/served-transport.js';
import type { Callers } from '../profiles/http/callers.js';
import type { Listener } from '../profiles/http/listener.js';
import type { SocketIoProfile } from '../profiles/socketio/socketio-profile.js';
import type { Tables } from '../tables.js';
import type { Base } from './base.js';
import type { OpenedControl } from './control.js';

/** What serving a transport takes. */
export type TransportParts = Tables &
  OpenedControl & { readonly delivery: Delivery; readonly callers: Callers };

/** The switch between profiles. Each transport is loaded when it is served for the first time, and not before. */
export function createProfileSwitch(
  base: Base,
  parts: TransportParts,
  listener: () => Listener,
): ProfileSwitch {
  const { served, config, clock, logger, counters } = base;
  return new ProfileSwitch({
    served,
    drainMs: config.drainMs,
    open: {
      websocket: () => openSocketIo(base, parts, listener()),
      sse: () => openSse(base, parts, listener()),
    },
    drain: (leaving, reason, overMs) => parts.delivery.drain(leaving, reason, overMs),
    clients: () => parts.delivery.clients(),
    clock,
    logger,
    counters,
  });
}

async function openSse(
  { config, clock }: Base,
  parts: TransportParts,
  listener: Listener,
): Promise<ServedTransport> {
  const { SseProfile } = await import('../profiles/sse/sse-profile.js');
  return new SseProfile({ ...config, ...parts, listener, clock, random: Math.random });
}

async function openSocketIo(
  { nodeId, config, logger, counters, permissions, clock }: Base,
  parts: TransportParts,
  listener: Listener,
): Promise<ServedTransport> {
  const module = await import('../profiles/socketio/socketio-profile.js');
  const common = { ...config, ...parts, listener, logger, counters, clock };
  if (config.redisUrl === undefined) return new module.SocketIoProfile(common);
  const { connectClusterRooms } = await import('../profiles/socketio/cluster-rooms.js');
  const rooms = connectClusterRooms(
    { url: config.redisUrl, keyPrefix: config.redisKeyPrefix, nodeId },
    { clock, logger, counters, onError: permissions.of('emitters') },
  );
  let profile: SocketIoProfile;
  try {
    profile = new module.SocketIoProfile({ ...common, adapter: rooms.adapter });
  } catch (error) {
    rooms.close();
    throw error;
  }
  return {
    admit: () => {
      profile.admit();
    },
    turnAway: () => {
      profile.turnAway();
    },
    close: async () => {
      await profile.close();
      rooms.close();
    },
  };
}
