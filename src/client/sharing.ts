import type { Ask, ConnectionListener, ConnectionTarget, OpenConnection } from './connection.js';
import type { TokenSource } from './http.js';
import type { Transport } from './wire.js';

/** What tabs must have in common to share a stream, and what they bring. */
export interface Sharing {
  /** Address of `client-shared.js` at the page's own origin. */
  readonly script: string;
  readonly urls: readonly string[];
  readonly token: TokenSource | undefined;
  /** Why there is no sharing, once that is known: from then on connections are the tab's own. */
  note: string;
}

/** The tab's end of a shared stream: what `client-shared.js` exports. Throws where there is no sharing. */
export type OpenTab = (
  target: ConnectionTarget,
  listener: ConnectionListener,
  sharing: Sharing,
  transport: Transport,
) => Ask;

/**
 * Opens connections to the shared worker that has the stream of all tabs of an origin, over `transport`; where there is no
 * sharing, with `openOwn`. The code for it is loaded only now.
 */
export function openShared(sharing: Sharing, transport: Transport, openOwn: OpenConnection): OpenConnection {
  return (target, listener) => {
    if (sharing.note !== '') return openOwn(target, listener);
    const tab = load(sharing.script).then((openTab) => openTab(target, listener, sharing, transport));
    tab.catch((error: unknown) => {
      sharing.note = `not shared: ${(error as Error).message}`;
      listener.lost(error);
    });
    return async (...asked) => (await tab)(...asked);
  };
}

async function load(script: string): Promise<OpenTab> {
  const module: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ script);
  return (module as { readonly openTab: OpenTab }).openTab;
}
