import { TabHub } from './tab-hub.js';

export { openTab } from './tab-connection.js';

/** What a shared worker hears when a tab comes. Source: WHATWG HTML, section 10.2.1.3. */
interface WorkerScope {
  readonly name: string;
  addEventListener(name: 'connect', take: (event: { readonly ports: readonly MessagePort[] }) => void): void;
}

async function serveTabs(scope: WorkerScope): Promise<void> {
  const early: MessagePort[] = [];
  let take = (port: MessagePort): unknown => early.push(port);
  // Before anything is awaited: a worker that listens later has missed who came.
  scope.addEventListener('connect', ({ ports }) => {
    for (const port of ports) take(port);
  });
  const { FlipgateClient } = await import('./index.js');
  const hub = new TabHub((urls, options) => new FlipgateClient(urls, options));
  take = (port) => {
    hub.add(port);
  };
  early.forEach(take);
}

if ('SharedWorkerGlobalScope' in globalThis) void serveTabs(globalThis as unknown as WorkerScope);
