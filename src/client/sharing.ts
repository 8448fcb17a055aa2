import type { Ask, ConnectionListener, ConnectionTarget, OpenConnection } from './connection.js';
import { GatewayError } from './gateway-error.js';
import type { TokenSource } from './http.js';
import type { Transport } from './wire.js';

/** What tabs must have in common to share a stream, and what they bring. */
export interface SharedSettings {
  /** Address of `client-shared.js` at the page's own origin. */
  readonly script: string;
  readonly urls: readonly string[];
  readonly token: TokenSource | undefined;
}

/** The tab's end of a shared stream: what `client-shared.js` exports. */
export type OpenTab = (
  target: ConnectionTarget,
  listener: ConnectionListener,
  settings: SharedSettings,
  transport: Transport,
) => Ask;

/**
 * The sharing of one stream by the tabs of an origin, through a shared worker; its code is loaded only when it is needed.
 * Where that can't be, connections are the tab's own.
 */
export class Sharing {
  /** Why the stream is not shared; empty where it is. */
  reason = '';
  readonly #settings: SharedSettings;

  constructor(settings: SharedSettings) {
    this.#settings = settings;
    const { SharedWorker, location } = globalThis as {
      SharedWorker?: unknown;
      location?: { readonly origin: string };
    };
    if (SharedWorker === undefined) this.reason = 'not shared: there are no shared workers here';
    else if (new URL(settings.script).origin !== location?.origin)
      this.reason = 'not shared: its script is of another origin than the page';
  }

  /** Opens connections to the worker, which has one over `transport`; or, where there is no sharing, with `openOwn`. */
  opener(transport: Transport, openOwn: OpenConnection): OpenConnection {
    return (target, listener) => {
      if (this.reason !== '') return openOwn(target, listener);
      const lost = (error: GatewayError): void => {
        if (error.code === 'unshared') this.reason = error.message;
        listener.lost(error);
      };
      const tab = this.#load().then((openTab) =>
        openTab(target, { ...listener, lost }, this.#settings, transport),
      );
      tab.catch(() => {
        lost(new GatewayError('unshared', 'not shared: client-shared.js could not be loaded'));
      });
      return async (...asked) => (await tab)(...asked);
    };
  }

  async #load(): Promise<OpenTab> {
    const module: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ this.#settings.script);
    return (module as { readonly openTab: OpenTab }).openTab;
  }
}
