import type { DrillEvent } from './drill-event.js';

/** How long a gateway may take to answer a publication, ms. */
const TIMEOUT_MS = 10_000;

/**
 * Publishes by `POST /api/events`, at one gateway for as long as it takes publications, then at the next. What was not
 * acknowledged is not sent again: its numbers stay unknown.
 */
export class HttpPublication {
  readonly #urls: readonly string[];
  #turn = 0;

  /** `urls` of the gateways, without a slash at the end; `turn`: the one to begin with. */
  constructor(urls: readonly string[], turn = 0) {
    this.#urls = urls;
    this.#turn = turn;
  }

  /** True once the log has them all. */
  async publish(events: readonly DrillEvent[]): Promise<boolean> {
    const url = this.#urls[this.#turn % this.#urls.length] ?? '';
    const stored = await fetch(`${url}/api/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
      .then(async (response) => {
        // Read to its end, so that the connection serves the next one.
        await response.arrayBuffer();
        return response.status === 202;
      })
      .catch(() => false);
    if (!stored) this.#turn += 1;
    return stored;
  }
}
