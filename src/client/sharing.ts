import type { Ask, ConnectionListener, ConnectionTarget, OpenConnection } from './connection.js';
import { GatewayError, gatewayError } from './gateway-error.js';
import type { TokenSource } from './http.js';
import type { Transport } from './wire.js';

/** What tabs must have in common to share a stream, and what they bring. */
export interface SharedSettings {
  /** Address of `client-shared.js` at the page's own origin. */
  readonly script: string;
  readonly urls: readonly string[];
  readonly token: TokenSource | undefined;
}

/** The tab's end of a shared stream: what `client-shared.js` exports. Throws where there is no sharing. */
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
  readonly #settings: SharedSettings;
  #reason = '';

  constructor(settings: SharedSettings) {
    this.#settings = settings;
  }

  /** Why the stream is not shared; empty where it is. */
  get reason(): string {
    return this.#reason;
  }

  /** Opens connections to the worker, which has one over `transport`; or, where there is no sharing, with `openOwn`. */
  opener(transport: Transport, openOwn: OpenConnection): OpenConnection {
    return (target, listener) => {
      if (this.#reason !== '') return openOwn(target, listener);
      const lost = (thrown: unknown): void => {
        const error = gatewayError(thrown);
        if (error.code === 'unshared') this.#reason = error.message;
        listener.lost(error);
      };
      const tab = this.#load().then((openTab) =>
        openTab(target, { ...listener, lost }, this.#settings, transport),
      );
      tab.catch((error: unknown) => {
        lost(new GatewayError('unshared', `not shared: ${(error as Error).message}`));
      });
      return async (...asked) => (await tab)(...asked);
    };
  }

  async #load(): Promise<OpenTab> {
    const module: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ this.#settings.script);
    return (module as { readonly openTab: OpenTab }).openTab;
  }
}
