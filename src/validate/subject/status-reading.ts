import { readError } from '../../client/gateway-error.js';
import { ask } from '../../client/http.js';
import { tokenHint } from '../../token-hint.js';
import type { Unmeasured } from './subject.js';

/** Longest time in ms that one answer may take. */
const ANSWER_MS = 5000;

/** What `GET /api/admin/status` says of how a node works. */
export interface StatusReading {
  /** When it was read, epoch ms. */
  readonly at: number;
  /** Which node answered; empty where there is one alone. */
  readonly node: string;
  /** How many nodes there are. */
  readonly nodes: number;
  /** 99th percentile of the event loop's lag over its last 5 to 10 s, ms; null in the first moment. */
  readonly lagMs: number | null;
  /** Age of the oldest event that a session awaits, s. */
  readonly backlogSeconds: number | null;
  /** CPU time of the process so far, s. */
  readonly cpuSeconds: number | null;
}

/** Reads the status of the gateway at `url`; why not, where it refuses or does not answer. */
export async function readStatus(
  url: string,
  token: string | undefined,
): Promise<StatusReading | Unmeasured> {
  try {
    const { status, body } = await ask(`${url}/api/admin/status`, { token, timeoutMs: ANSWER_MS });
    if (status === 200) return readingOf(body);
    const code = readError(body, status)?.code ?? `HTTP ${String(status)}`;
    return { why: `GET /api/admin/status: ${code}${tokenHint(code, 'the admin right "status"')}` };
  } catch (error) {
    return { why: `GET /api/admin/status: ${(error as Error).message}` };
  }
}

/** What a status says, of whichever version; what it does not say is null. */
export function readingOf(body: unknown): StatusReading {
  const nodes = [fields(body, 'cluster')['nodes']].flat().filter((node) => node !== undefined);
  const { id } = fields(nodes.find((node) => fields(node)['thisNode'] === true));
  return {
    at: Date.now(),
    node: typeof id === 'string' ? id : '',
    nodes: Math.max(1, nodes.length),
    lagMs: numberOf(fields(body, 'figures', 'recent', 'loopLagMs')['p99']),
    backlogSeconds: numberOf(fields(body, 'backlog')['oldestSeconds']),
    cpuSeconds: numberOf(fields(body, 'figures', 'total')['cpuSeconds']),
  };
}

function fields(value: unknown, ...path: readonly string[]): Record<string, unknown> {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const [name, ...rest] = path;
  return name === undefined ? found : fields(found[name], ...rest);
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
