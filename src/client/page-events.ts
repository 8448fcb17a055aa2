/** What may wake a stream. */
export interface Wakeable {
  /** The page or the machine may have been asleep. */
  wake(): void;
  /** The network came or went. */
  networkChanged(): void;
}

type Listening = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

/**
 * Tells of what a page hears that concerns its connections: it is shown again, comes out of the back/forward cache or the
 * freezer, or its network comes or goes. Returns what ends that. Does nothing in Node.
 * Source: WICG, Page Lifecycle.
 */
export function listenToPage(stream: Wakeable): () => void {
  const wake = (): void => {
    stream.wake();
  };
  const network = (): void => {
    stream.networkChanged();
  };
  const page = globalThis as Partial<Listening> & { readonly document?: Listening };
  const listening: readonly (readonly [Partial<Listening> | undefined, string, () => void])[] = [
    [page.document, 'visibilitychange', wake],
    [page.document, 'resume', wake],
    [page, 'pageshow', wake],
    [page, 'online', network],
    [page, 'offline', network],
  ];
  for (const [target, name, take] of listening) target?.addEventListener?.(name, take);
  return () => {
    for (const [target, name, take] of listening) target?.removeEventListener?.(name, take);
  };
}

/** False where the browser knows that there is no network. */
export function isOnline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine !== false;
}
