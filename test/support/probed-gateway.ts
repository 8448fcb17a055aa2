import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type LaunchedGateway, launchGateway, ROOT } from './launched-gateway.js';

const PROBE = pathToFileURL(path.join(ROOT, 'test/support/gateway-probe.mjs')).href;
/** Bytes of a page of memory, as Linux counts them on the machines that run the tests. */
const PAGE_BYTES = 4096;

/** A launched gateway that tells what it holds in memory. */
export interface ProbedGateway extends LaunchedGateway {
  /** Bytes of its heap and of its buffers after a collection. */
  heldBytes(): Promise<number>;
  /** Bytes of memory the system counts for it; undefined where the system is not Linux. */
  rssBytes(): number | undefined;
}

/** Starts the built launcher with what makes it tell. */
export async function launchProbedGateway(
  variables: Record<string, string | undefined>,
): Promise<ProbedGateway> {
  const args = ['--expose-gc', '--import', PROBE, path.join(ROOT, 'dist/launcher.js')];
  const gateway = await launchGateway(variables, args, { ipc: true });
  let asked = 0;
  return {
    ...gateway,
    heldBytes: () => {
      const ask = ++asked;
      return new Promise((resolve) => {
        const take = (answer: { ask: number; heldBytes: number }): void => {
          if (answer.ask !== ask) return;
          gateway.process.off('message', take);
          resolve(answer.heldBytes);
        };
        gateway.process.on('message', take);
        gateway.process.send({ ask });
      });
    },
    rssBytes: () => {
      if (process.platform !== 'linux') return undefined;
      const [, resident] = readFileSync(`/proc/${String(gateway.process.pid)}/statm`, 'utf8').split(' ');
      return Number(resident) * PAGE_BYTES;
    },
  };
}
