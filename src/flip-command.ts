import { setTimeout as sleep } from 'node:timers/promises';
import type { FlipsReport } from './core/flip/flips.js';

/** How often the gateway is asked how far it is, ms. */
const ASK_MS = 200;
/** Longest time in ms that one answer may take. */
const ANSWER_MS = 10_000;
/** So many questions without an answer, one after the other, and the gateway counts as gone. */
const MAX_SILENCE = 25;

/** What `flipgate flip` is asked to do. */
export interface FlipCommand {
  /** The profile, as typed. */
  readonly profile: string;
  /** All nodes, one after the other, instead of the one asked. */
  readonly all: boolean;
  /** Where a gateway listens. */
  readonly url: string;
  /** Takes a line for people. */
  readonly print: (line: string) => void;
}

/** Has a running gateway flipped, and tells how it goes on until its clients have moved. Resolves with the exit code. */
export async function runFlip({ profile, all, url, print }: FlipCommand): Promise<number> {
  const address = new URL('/api/admin/profile', url);
  const asked = await ask(address, { method: 'PUT', body: JSON.stringify({ profile, all }) });
  if ('problem' in asked) {
    print(asked.problem);
    return 1;
  }
  let report = asked.report;
  let told = '';
  for (let silence = 0; ; ) {
    const line = describe(report, all);
    if (line !== told) print(line);
    told = line;
    const end = outcome(report, all);
    if (end !== undefined) return end;
    await sleep(ASK_MS);
    const answer = await ask(address, {});
    silence = 'problem' in answer ? silence + 1 : 0;
    if ('report' in answer) report = answer.report;
    else if (silence > MAX_SILENCE) {
      print(answer.problem);
      return 1;
    }
  }
}

type Answer = { readonly report: FlipsReport } | { readonly problem: string };

async function ask(address: URL, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(address, {
      ...init,
      headers: { 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const body = (await response.json()) as FlipsReport & { error?: { code: string; message: string } };
    if (body.error !== undefined) return { problem: `${body.error.code}: ${body.error.message}` };
    return { report: body };
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } };
    return { problem: `no gateway answers at ${address.origin} (${String(cause?.code ?? error)})` };
  }
}

/** The exit code once it is over. */
function outcome({ flip, rollout }: FlipsReport, all: boolean): number | undefined {
  const state = all && rollout !== null ? rollout.state : (flip?.state ?? 'done');
  if (state === 'running' || state === 'switching' || state === 'draining') return undefined;
  return state === 'done' ? 0 : 1;
}

function describe({ profile, flip, rollout }: FlipsReport, all: boolean): string {
  if (all && rollout !== null) {
    const nodes = rollout.nodes.map(
      ({ id, host, state, sessions, error }) =>
        `${host}/${id} ${state}${sessions === null ? '' : moved(sessions)}${error === null ? '' : ` (${error.message})`}`,
    );
    return `${rollout.to}: ${rollout.state}; ${nodes.join(', ')}`;
  }
  if (flip === null || flip.to !== profile) return `${profile} is served`;
  return `${flip.from} → ${flip.to}: ${flip.state}${moved(flip.sessions)}`;
}

function moved({ total, left }: { readonly total: number; readonly left: number }): string {
  return total === 0 ? '' : `, ${String(total - left)} of ${String(total)} clients moved`;
}
