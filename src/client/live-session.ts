import type { Emitter } from './emitter.js';
import { GatewayError } from './gateway-error.js';
import type { Stream } from './stream.js';
import type { LiveSession, StreamNews } from './stream-parts.js';

/** The session of a stream, once it is live. Rejects when the stream is closed before, or it takes longer. */
export function liveSession(
  stream: Stream,
  news: Emitter<StreamNews>,
  timeoutMs: number,
): Promise<LiveSession> {
  return new Promise((resolve, reject) => {
    const end = (code: string): void => {
      leave();
      clearTimeout(timer);
      if (stream.session === undefined) reject(new GatewayError(code, 'no live stream'));
      else resolve(stream.session);
    };
    const look = (): void => {
      if (stream.session !== undefined || stream.state.state === 'closed') end('closed');
    };
    const leave = news.on('state', look);
    const timer = setTimeout(end, timeoutMs, 'timeout');
    look();
  });
}
