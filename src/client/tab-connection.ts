import { GatewayError, unreachable } from './gateway-error.js';
import { tokenOf } from './http.js';
import type { OpenTab, Sharing } from './sharing.js';
import type { FromTab, FromWorker } from './tab-messages.js';

/** Opens a tab's connection to the worker that has the stream of all tabs of this origin with the same settings. */
export const openTab: OpenTab = (target, listener, sharing, transport) => {
  const { rooms, cursor, signal } = target;
  const { urls, token, script } = sharing;
  if (!('SharedWorker' in globalThis)) throw new Error('there are no shared workers here');
  if (new URL(script).origin !== location.origin) throw new Error(`${script} is not of the page's origin`);
  const worker = new SharedWorker(script, { type: 'module', name: nameOf(sharing, rooms === undefined) });
  const { port } = worker;
  const answers = new Map<number, (value: unknown) => void>();
  const post = (message: FromTab): void => {
    port.postMessage(message, []);
  };
  const giveToken = async (id: number): Promise<void> => {
    post({ name: 'token', id, token: await tokenOf(token) });
  };
  worker.addEventListener('error', () => {
    sharing.note = 'not shared: the worker could not be started';
    listener.lost(new Error(sharing.note));
  });
  port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    listener.heard();
    if (data.name === 'heard') post({ name: 'alive' });
    else if (data.name === 'answer') answers.get(data.id)?.(data.value);
    else if (data.name === 'lost')
      listener.lost(new GatewayError(data.error.code, data.error.message, data.error));
    else if (data.name === 'unshared') {
      sharing.note = `not shared: ${data.reason}`;
      listener.lost(new Error(sharing.note));
    } else if (data.name === 'token') void giveToken(data.id);
    else listener.told(data.name, data.value, data.name === 'events' ? data.cursor : null);
  });
  port.start();
  const leave = (): void => {
    post({ name: 'close' });
  };
  // A page that may come back out of the cache goes on where it was, or is missed by the worker meanwhile.
  const hide = (event: PageTransitionEvent): void => {
    if (!event.persisted) leave();
  };
  addEventListener('pagehide', hide);
  signal.addEventListener('abort', () => {
    removeEventListener('pagehide', hide);
    leave();
    port.close();
  });
  const given = typeof token === 'string' ? token : token !== undefined;
  post({ name: 'open', urls, rooms, cursor, transport, token: given });

  let id = 0;
  return (what, value, timeoutMs) =>
    new Promise((resolve, reject) => {
      const asked = (id += 1);
      const timer = setTimeout(() => {
        answers.delete(asked);
        reject(unreachable('the shared worker does not answer'));
      }, timeoutMs);
      answers.set(asked, (answer) => {
        clearTimeout(timer);
        answers.delete(asked);
        resolve(answer);
      });
      post({ name: 'ask', id: asked, what, value });
    });
};

/**
 * Tabs whose workers have the same name share one: those with the same addresses and the same token. Those in the default
 * rooms are apart from those that name theirs, since which the default rooms are only the gateway knows.
 */
function nameOf({ urls, token }: Sharing, hasDefaultRooms: boolean): string {
  let hash = 0;
  for (const character of typeof token === 'string' ? token : '') {
    hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  }
  return `flipgate ${JSON.stringify([urls, hasDefaultRooms, hash])}`;
}
