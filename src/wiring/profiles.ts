import type { Delivery } from '../core/delivery/delivery.js';
import type { Listener } from '../profiles/http/listener.js';
import type { Tables } from '../tables.js';
import type { Base } from './base.js';
import type { OpenedControl } from './control.js';

/** Loads and attaches what the profile serves, and nothing else. */
export async function attachProfiles(
  { config, logger, counters, clock, closers }: Base,
  listener: Listener,
  parts: Tables & OpenedControl & { readonly delivery: Delivery },
): Promise<void> {
  if (config.transports.sse) {
    const { SseProfile } = await import('../profiles/sse/sse-profile.js');
    const profile = new SseProfile({ ...config, ...parts, listener, clock, random: Math.random });
    closers.add('sse', () => profile.close());
  }
  if (!config.transports.websocket) return;
  const { SocketIoProfile } = await import('../profiles/socketio/socketio-profile.js');
  const common = { ...config, ...parts, listener, logger, counters, clock };
  if (config.redisUrl === undefined) {
    const profile = new SocketIoProfile(common);
    closers.add('socket.io', () => profile.close());
    return;
  }
  const { connectClusterRooms } = await import('../profiles/socketio/cluster-rooms.js');
  const rooms = connectClusterRooms(config.redisUrl, config.redisKeyPrefix, { logger, counters });
  closers.add('cluster rooms', () => {
    rooms.close();
  });
  const profile = new SocketIoProfile({ ...common, adapter: rooms.adapter });
  closers.add('socket.io', () => profile.close());
}
