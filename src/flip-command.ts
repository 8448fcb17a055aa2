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
  /** What the gateway is shown; undefined: nothing. */
  readonly token: string | undefined;
  /** Takes a line for people. */
  readonly print: (line: string) => void;
}

/**
 * Has a running gateway flipped, and tells how it goes on until its clients have moved. Resolves with the exit code: 0 only
 * when just this flip is done, or the profile was served already.
 */
export async function runFlip({ profile, all, url, token, print }: FlipCommand): Promise<number> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    print(`--url ${url} is no address: name one such as http://127.0.0.1:5002`);
    return 1;
  }
  const address = new URL(`${url.replace(/\/+$/, '')}/api/admin/profile`);
  const asked = await ask(address, token, { method: 'PUT', body: JSON.stringify({ profile, all }) });
  if ('problem' in asked) {
    print(asked.problem);
    return 1;
  }
  let { report } = asked;
  const own = ownOf(report, all);
  let told = '';
  for (let silence = 0; ; ) {
    const end = endOf(report, own);
    const line = end?.line ?? describe(report, own.kind === 'rollout');
    if (line !== told) print(line);
    told = line;
    if (end !== undefined) return end.code;
    await sleep(ASK_MS);
    const answer = await ask(address, token, {});
    silence = 'problem' in answer ? silence + 1 : 0;
    if ('report' in answer) report = answer.report;
    else if (silence > MAX_SILENCE) {
      print(answer.problem);
      return 1;
    }
  }
}

/** What was asked for, as the gateway answered at first; no id where the profile was served already. */
interface Own {
  readonly kind: 'rollout' | 'flip';
  readonly id: number | undefined;
  readonly profile: string;
}

function ownOf({ profile, flip, rollout }: FlipsReport, all: boolean): Own {
  if (all && rollout !== null) return { kind: 'rollout', id: rollout.id, profile: rollout.to };
  return { kind: 'flip', id: flip?.to === profile ? flip.id : undefined, profile };
}

type Answer = { readonly report: FlipsReport } | { readonly problem: string };

async function ask(address: URL, token: string | undefined, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(address, {
      ...init,
      headers: {
        'Content-Type': 'application/json',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
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

/** How it ended; undefined while it goes on. */
function endOf(report: FlipsReport, own: Own): { readonly code: number; readonly line: string } | undefined {
  const now = report[own.kind];
  const line = describe(report, own.kind === 'rollout');
  if (own.id === undefined) return { code: 0, line };
  if (now === null || now.id < own.id) {
    const isServed = report.profile === own.profile;
    return {
      code: isServed && own.kind === 'flip' ? 0 : 1,
      line: `the gateway was restarted meanwhile; it serves ${report.profile}`,
    };
  }
  if (now.id > own.id || now.state === 'superseded') {
    return { code: 1, line: `another flip took its place; ${report.profile} is served` };
  }
  if (now.state === 'done') return { code: 0, line };
  return now.state === 'failed' ? { code: 1, line } : undefined;
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
