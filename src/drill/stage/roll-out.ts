import type { ProfileName } from '../../core/config/profile.js';
import type { FlipsReport } from '../../core/flip/flips.js';
import { until } from './until.js';

/** How long all nodes may take to flip and to move their clients, ms. */
const PATIENCE_MS = 120_000;
const ASK_MS = 100;

/**
 * Has all nodes serve another profile, asked of the one at `url`, and waits until the clients of each have moved. Throws
 * an error that says why it could not be done. `onNode` is told of every node that begins.
 */
export async function rollOut(
  url: string,
  profile: ProfileName,
  onNode: (number: number) => void,
): Promise<void> {
  let report = await ask(url, { method: 'PUT', body: JSON.stringify({ profile, all: true }) });
  const told = new Set<number>();
  const done = await until(
    PATIENCE_MS,
    async () => {
      report = await ask(url, {});
      for (const [index, { state }] of (report.rollout?.nodes ?? []).entries()) {
        if (state === 'waiting' || told.has(index)) continue;
        told.add(index);
        onNode(index + 1);
      }
      return report.rollout?.state !== 'running';
    },
    ASK_MS,
  );
  const { rollout } = report;
  if (rollout === null) throw new Error('the gateway knows of no flip of all nodes');
  if (!done) throw new Error(`the flip did not end within ${String(PATIENCE_MS / 1000)} s`);
  if (rollout.state !== 'done') {
    const why = rollout.nodes.flatMap(({ host, error }) =>
      error === null ? [] : `${host}: ${error.message}`,
    );
    throw new Error(`the flip ${rollout.state}: ${why.join('; ')}`);
  }
}

async function ask(url: string, init: RequestInit): Promise<FlipsReport> {
  const response = await fetch(`${url}/api/admin/profile`, {
    ...init,
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await response.json()) as FlipsReport & { error?: { code: string; message: string } };
  if (body.error !== undefined)
    throw new Error(`the flip was refused: ${body.error.code}: ${body.error.message}`);
  return body;
}
