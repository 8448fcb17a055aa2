/** What may wake a stream. */
export interface Wakeable {
  /** The page or the machine may have been asleep. */
  wake(): void;
  /** The network came or went. */
  networkChanged(): void;
}

/**
 * Tells of what a page hears that concerns its connections: it is shown again, comes out of the back/forward cache or the
 * freezer, or its network comes or goes. Returns what ends that. Does nothing in Node.
 * Source: WICG, Page Lifecycle.
 */
export function listenToPage(stream: Wakeable): () => void {
  const { document } = globalThis as { readonly document?: EventTarget & { readonly hidden: boolean } };
  const page = globalThis as Partial<EventTarget>;
  const end = new AbortController();
  const on = (target: Partial<EventTarget> | undefined, name: string, take: () => void): void => {
    target?.addEventListener?.(name, take, { signal: end.signal });
  };
  const wake = (): void => {
    if (!document?.hidden) stream.wake();
  };
  const network = (): void => {
    stream.networkChanged();
  };
  on(document, 'visibilitychange', wake);
  on(document, 'resume', wake);
  on(page, 'pageshow', wake);
  on(page, 'online', network);
  on(page, 'offline', network);
  return () => {
    end.abort();
  };
}

/** True in a browser's pages and workers; false in Node. */
export function isBrowser(): boolean {
  return 'window' in globalThis || 'WorkerGlobalScope' in globalThis;
}

/** False where the browser knows that there is no network. */
export function isOnline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine !== false;
}
