import { setTimeout as sleep } from 'node:timers/promises';
import { authorization } from './client/http.js';
import type { ClusterStatus } from './core/cluster/cluster-status.js';
import type { FlipsReport } from './core/flip/flips.js';
import { clientsOf, describeReport } from './flip-text.js';
import { whyNoAnswer } from './no-answer.js';
import { FLIP_RIGHT, tokenHint } from './token-hint.js';

/** How often the gateway is asked how far it is, ms. */
const ASK_MS = 200;
/** Longest time in ms that one answer may take. */
const ANSWER_MS = 10_000;
/** So many questions without an answer, one after the other, and the gateway counts as gone. */
const MAX_SILENCE = 25;
/** So many answers of other nodes, one after the other, and the node that was asked counts as gone. */
const MAX_ELSEWHERE = 60;
/** So many questions at once show whether several nodes answer. */
const PROBES = 4;
/** So often it is asked whether the clients that were moved have come back. */
const RETURN_ASKS = 25;
/** Said where fewer clients came back than were moved: of one node, and of all. */
const NOT_ALL_BACK =
  'not all clients that were moved have come back to this node: behind a proxy they may be at another one, and some come back later';
const MOVED_TWICE =
  'a client that came back to a node before that one flipped was moved once more, so fewer came back than were moved; some come back later';
/** Said where clients were cut off. */
const CUT_OFF =
  'clients that were cut off are not known to speak another transport: they get nothing until theirs is served again, and some do not try that long';

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
  /** Resolves after so many ms. Default: a timer's. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/**
 * Has a running gateway flipped, and tells how it goes on until the clients of transports that are off have been disconnected, and
 * those of the SDK have come back, or some seconds have passed. Where a proxy asks another node each
 * time, the answers of the node that was asked first are those that count. Resolves with the exit code: 0 only when just this
 * flip is done, or the profile was served already.
 */
export async function runFlip({
  profile,
  all,
  url,
  token,
  print,
  pause = sleep,
}: FlipCommand): Promise<number> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    print(`--url ${url} is no address: name one such as http://127.0.0.1:5002`);
    return 1;
  }
  const place = { address: new URL(`${url.replace(/\/+$/, '')}/api/admin/profile`), token };
  const asked = await ask(place, { method: 'PUT', body: JSON.stringify({ profile, all }) });
  if ('problem' in asked) {
    print(asked.problem);
    return 1;
  }
  let { report } = asked;
  const own = ownOf(report, all);
  let told = '';
  for (let silence = 0, elsewhere = 0; ; ) {
    const end = endOf(report, own);
    if (end?.code === 0) {
      report = await withReturns(place, own, report, pause);
      print(endOf(report, own)?.line ?? end.line);
      if (own.id !== undefined) explain(report, own, print);
      return await endAlone(place, own, all, print);
    }
    const line = end?.line ?? describeReport(report, own.kind === 'rollout');
    if (line !== told) print(line);
    told = line;
    if (end !== undefined) return end.code;
    await pause(ASK_MS);
    const answer = await ask(place);
    if ('problem' in answer) {
      silence += 1;
      if (silence <= MAX_SILENCE) continue;
      print(answer.problem);
      return 1;
    }
    silence = 0;
    elsewhere = answer.report.node === own.node ? 0 : elsewhere + 1;
    if (elsewhere === 0) report = answer.report;
    else if (elsewhere > MAX_ELSEWHERE) {
      print(await describeLoss(place, own, answer.report));
      return 1;
    }
  }
}

/** The report of a flip that is done, once the clients it has moved have come back, or some seconds have passed. */
async function withReturns(
  place: Place,
  own: Own,
  done: FlipsReport,
  pause: (ms: number) => Promise<unknown>,
): Promise<FlipsReport> {
  let report = done;
  if (own.id === undefined) return report;
  for (let asked = 0; asked < RETURN_ASKS; asked += 1) {
    const clients = clientsOf(report, own.kind === 'rollout');
    if (clients === null || clients.returned >= clients.moved) return report;
    await pause(ASK_MS);
    const answer = await ask(place);
    if (!('report' in answer) || answer.report.node !== own.node) continue;
    // News of another flip is no news of this one.
    if (answer.report[own.kind]?.id !== own.id) return report;
    report = answer.report;
  }
  return report;
}

/** Says what the figures of a flip that is done mean, where that is not plain. */
function explain(report: FlipsReport, { kind }: Own, print: (line: string) => void): void {
  const clients = clientsOf(report, kind === 'rollout');
  if (clients === null) return;
  if (clients.returned < clients.moved) print(kind === 'rollout' ? MOVED_TWICE : NOT_ALL_BACK);
  if (clients.cutOff > 0) print(CUT_OFF);
}

/** Says of a flip of one node that it was of one, where several answer. Resolves with the exit code: not 0 where all were wanted. */
async function endAlone(
  place: Place,
  { kind, id, node }: Own,
  all: boolean,
  print: (line: string) => void,
): Promise<number> {
  if (kind === 'rollout') return 0;
  const answers = await Promise.all(Array.from({ length: PROBES }, () => ask(place)));
  if (!answers.some((answer) => 'report' in answer && answer.report.node !== node)) return 0;
  const alone = `${id === undefined ? 'asked' : 'flipped'} node ${node} alone: several nodes answer at this address`;
  print(`${alone}${all ? ', and it knows of no other (REDIS_URL)' : '; --all flips all'}`);
  return all ? 1 : 0;
}

/** What can be said when the node that was asked answers no more, but others do. */
async function describeLoss(place: Place, { kind, node, profile }: Own, other: FlipsReport): Promise<string> {
  const loss = `node ${node}, which was asked, answers no more at this address`;
  if (kind === 'flip') return `${loss}; node ${other.node} does, and serves ${other.profile}`;
  const nodes = await nodesAt(place);
  const serving = nodes.filter((one) => one.profile === profile);
  const served =
    nodes.length === 0
      ? `node ${other.node} does, and serves ${other.profile}`
      : `${String(serving.length)} of ${String(nodes.length)} nodes serve ${profile}`;
  return `${loss}; ${served}; what became of all clients is not known`;
}

/** Where is asked, and what is shown there. */
interface Place {
  readonly address: URL;
  readonly token: string | undefined;
}

/** What was asked for, as the gateway answered at first; no id where the profile was served already. */
interface Own {
  /** The node that answered. */
  readonly node: string;
  readonly kind: 'rollout' | 'flip';
  readonly id: number | undefined;
  readonly profile: string;
}

function ownOf({ node, profile, flip, rollout, repeated }: FlipsReport, all: boolean): Own {
  if (all && rollout !== null) return { node, kind: 'rollout', id: rollout.id, profile: rollout.to };
  // A flip to the same profile that still moves clients is waited for.
  const isOwn = flip?.to === profile && !(repeated && flip.state !== 'draining');
  return { node, kind: 'flip', id: isOwn ? flip.id : undefined, profile };
}

type Answer = { readonly report: FlipsReport } | { readonly problem: string };

async function ask({ address, token }: Place, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(address, {
      ...init,
      headers: { 'Content-Type': 'application/json', ...authorization(token) },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const body = (await response.json()) as FlipsReport & { error?: { code: string; message: string } };
    if (body.error !== undefined) {
      const { code, message } = body.error;
      return { problem: `${code}: ${message}${tokenHint(code, FLIP_RIGHT)}` };
    }
    return { report: body };
  } catch (error) {
    return { problem: whyNoAnswer(address.origin, error) };
  }
}

/** What the nodes that know of each other serve; none where that is not told. */
async function nodesAt({ address, token }: Place): Promise<readonly { readonly profile: string }[]> {
  try {
    const response = await fetch(new URL('status', address), {
      headers: authorization(token),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const { cluster } = (await response.json()) as { cluster?: Pick<ClusterStatus, 'nodes'> | null };
    return cluster?.nodes ?? [];
  } catch {
    return [];
  }
}

/** How it ended; undefined while it goes on. */
function endOf(report: FlipsReport, own: Own): { readonly code: number; readonly line: string } | undefined {
  const now = report[own.kind];
  const line = describeReport(report, own.kind === 'rollout');
  if (own.id === undefined) return { code: 0, line: alreadyServed(report) };
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

function alreadyServed({ profile, since }: FlipsReport): string {
  // A gateway of an earlier version does not tell.
  const when = typeof since !== 'number' ? '' : ` since ${new Date(since).toISOString()}`;
  return `already serves ${profile}${when}; nothing to do`;
}
