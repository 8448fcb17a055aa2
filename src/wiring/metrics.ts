import type { Exposition } from '../core/metrics/exposition.js';
import type { Base } from './base.js';
import type { StatusParts } from './status.js';
import { runningVersion } from './version.js';

/** What `GET /metrics` answers. What it takes is loaded at the first scrape: who is never scraped pays nothing. */
export function metricsOf(
  { counters }: Base,
  { log, bridge, delivery, gate, journal, cluster, profiles, figures }: StatusParts,
): () => Promise<{ readonly contentType: string; readonly text: string }> {
  const open = async (): Promise<Exposition> => {
    const { Exposition } = await import('../core/metrics/exposition.js');
    return new Exposition({
      version: runningVersion(),
      counters,
      delivery,
      loopLag: () => figures.loopLag(),
      commands: { figures: journal.figures, open: () => gate.open },
      profiles,
      log,
      bridge,
      nodes: cluster === undefined ? undefined : () => cluster.nodes(),
    });
  };
  let opened: Promise<Exposition> | undefined;
  return async () => {
    opened ??= open();
    const exposition = await opened;
    return { contentType: exposition.contentType, text: await exposition.text() };
  };
}
