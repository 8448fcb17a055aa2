import { authorization } from '../client/http.js';
import type { ProfileName } from '../core/config/profile.js';
import type { FlipsReport } from '../core/flip/flips.js';
import { FLIP_RIGHT, tokenHint } from '../token-hint.js';
import { until } from './until.js';

/** How long all nodes may take to flip and to move their clients, ms. */
const PATIENCE_MS = 120_000;
const ASK_MS = 100;
/** So many answers of other nodes, one after the other, and the node that was asked counts as gone. */
const MAX_ELSEWHERE = 100;
/** Longest time in ms that one answer may take. */
const ANSWER_MS = 10_000;

/** Which flip is asked for, and where. */
export interface RollOut {
  /** A gateway's, without a slash at the end. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly profile: ProfileName;
  /** Is told of every node that begins, numbered from 1. */
  readonly onNode?: (number: number) => void;
}

/**
 * Has all nodes serve another profile, or the one there is, and waits until each has disconnected the clients of what went off. Where a proxy asks
 * another node each time, only the one that was asked first knows how that goes on. Throws an error that says why it could not
 * be done.
 */
export async function rollOut(rollOut: RollOut): Promise<void> {
  const { profile, onNode } = rollOut;
  let report = await ask(rollOut, { method: 'PUT', body: JSON.stringify({ profile, all: true }) });
  const { node } = report;
  const told = new Set<number>();
  let elsewhere = 0;
  const done = await until(
    PATIENCE_MS,
    async () => {
      const answer = await ask(rollOut, {});
      elsewhere = answer.node === node ? 0 : elsewhere + 1;
      if (elsewhere > MAX_ELSEWHERE)
        throw new Error(`node ${node}, which was asked to flip, answers no more at this address`);
      if (elsewhere > 0) return false;
      report = answer;
      for (const [index, { state }] of (report.rollout?.nodes ?? []).entries()) {
        if (state === 'waiting' || told.has(index)) continue;
        told.add(index);
        onNode?.(index + 1);
      }
      return !isUnderWay(report);
    },
    ASK_MS,
  );
  if (!done) throw new Error(`the flip did not end within ${String(PATIENCE_MS / 1000)} s`);
  const why = failureOf(report);
  if (why !== undefined) throw new Error(`the flip failed: ${why}`);
  if (report.profile !== profile) throw new Error(`another flip took its place: ${report.profile} is served`);
}

/** Of a gateway without others there is no rollout. */
function isUnderWay({ rollout, flip }: FlipsReport): boolean {
  const { state } = rollout ?? flip ?? { state: 'done' };
  return ['running', 'switching', 'draining'].includes(state);
}

function failureOf({ rollout, flip }: FlipsReport): string | undefined {
  if (rollout === null) return flip?.error?.message;
  if (rollout.state === 'done') return undefined;
  const why = rollout.nodes.flatMap(({ host, error }) => (error === null ? [] : `${host}: ${error.message}`));
  return why.join('; ') || rollout.state;
}

async function ask({ url, token }: RollOut, init: RequestInit): Promise<FlipsReport> {
  const response = await fetch(`${url}/api/admin/profile`, {
    ...init,
    headers: { 'content-type': 'application/json', ...authorization(token) },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const body = (await response.json()) as FlipsReport & { error?: { code: string; message: string } };
  if (body.error !== undefined) {
    const { code, message } = body.error;
    throw new Error(`the flip was refused: ${code}: ${message}${tokenHint(code, FLIP_RIGHT)}`);
  }
  return body;
}
