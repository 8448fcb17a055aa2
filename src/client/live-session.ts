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
    const refuse = (code: string): void => {
      reject(new GatewayError(code, 'there is no live stream'));
    };
    const look = (): void => {
      if (stream.session !== undefined) resolve(stream.session);
      else if (stream.state.state === 'closed') refuse('closed');
      else return;
      leave();
      clearTimeout(timer);
    };
    const timer = setTimeout(() => {
      leave();
      refuse('timeout');
    }, timeoutMs);
    const leave = news.on('state', look);
    look();
  });
}
