import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../rig/until.js';
import { tokenHint } from '../token-hint.js';
import { CLIENT_KINDS, type ClientKind, KIND_NAMES, sharedBy } from './client-kind.js';
import type { LoadCrowd } from './load/load-crowd.js';
import { LoadPublisher } from './load/load-publisher.js';
import { eventsPerSecond } from './load/load-shape.js';
import type { Progress } from './load/messages.js';
import { cpuFigures, kindFigures, nodesNote, serverPoints } from './load-figures.js';
import { StatusWatch } from './subject/status-watch.js';
import type { Subject } from './subject/subject.js';
import type { ValidateOptions } from './validate-options.js';
import type { LoadFigures } from './validation-result.js';

/** The rights the token of the load's clients needs. */
const SUBSCRIBE_RIGHT = 'rights to subscribe to the rooms validate-1, validate-2, …';

/** How long all clients may take to connect, and after the load to have everything, ms. */
const CONNECT_MS = 30_000;
const SETTLE_MS = 30_000;
/** How often it is asked whether they do, ms. */
const ASK_MS = 50;
/** Length of a slot of the latencies over time, ms. */
const SLOT_MS = 250;

/** What a load takes. */
export interface LoadParts {
  readonly subject: Subject;
  readonly crowd: LoadCrowd;
  readonly options: ValidateOptions;
  /** Name of this run, which no other has. */
  readonly run: string;
  /** Seconds of load that count, and those before them that do not. */
  readonly seconds: number;
  readonly warmUp: number;
}

/**
 * Puts the load on a server: connects the clients, warms up, and measures from when all clients have everything to when
 * they have everything again. Rejects with an error that says what went wrong where that can't be done.
 */
export async function runLoad(parts: LoadParts): Promise<LoadFigures> {
  const { subject, crowd, options, run } = parts;
  const { server, kinds } = subject;
  const { shape } = options;
  await crowd.connect({ server, run, shape, clients: sharedBy(kinds, options.clients) });
  await everybodyThere(subject, crowd);
  const publisher = new LoadPublisher(server, run, shape);
  const publish = (seconds: number): Promise<number> =>
    unlessEnded(subject, publisher.publish(Math.max(1, Math.round(seconds * eventsPerSecond(shape)))));
  if (parts.warmUp > 0) await publish(parts.warmUp);
  await settled(crowd, publisher.next);
  const watch = server.isGateway ? new StatusWatch(server.url, server.token) : undefined;
  try {
    const figures = await measured(parts, publisher, () => publish(parts.seconds), watch);
    await crowd.disconnect();
    const ended = subject.trouble();
    if (ended !== undefined) throw new Error(ended);
    return figures;
  } finally {
    await watch?.stop();
  }
}

async function measured(
  { subject, crowd, options }: LoadParts,
  publisher: LoadPublisher,
  publish: () => Promise<number>,
  watch: StatusWatch | undefined,
): Promise<LoadFigures> {
  crowd.takeLagMs();
  const first = publisher.next;
  const cpuBefore = await subject.cpuSeconds();
  const since = Date.now();
  const publishedIn = await publish();
  const progress = await settled(crowd, publisher.next);
  const seconds = (Date.now() - since) / 1000;
  const cpuAfter = await subject.cpuSeconds();
  await watch?.stop();
  const loadLagMs = crowd.takeLagMs();
  const begun = publisher
    .beginnings(first)
    .map(({ sentAt, loggedAt }) => (subject.latencyFrom === 'id' ? loggedAt : sentAt));
  const arrived = await crowd.collect({ from: first, begun, since, slotMs: SLOT_MS });
  return {
    seconds,
    events: begun.length,
    taken: begun.length / publishedIn,
    ...cpuFigures(cpuBefore, cpuAfter, begun.length / eventsPerSecond(options.shape)),
    kinds: subject.kinds.map((kind) => kindFigures(kind, progress[kind], arrived[kind], SLOT_MS)),
    points: watch === undefined ? [] : serverPoints(watch.readings, since),
    statusNote: watch === undefined ? '' : (watch.refusal?.why ?? nodesNote(watch.readings)),
    refused: { ...crowd.refused },
    loadLagMs,
  };
}

async function everybodyThere(subject: Subject, crowd: LoadCrowd): Promise<void> {
  let away: readonly (readonly [ClientKind, number])[] = [];
  const there = await until(
    CONNECT_MS,
    async () => {
      const ended = subject.trouble();
      if (ended !== undefined) throw new Error(ended);
      const progress = await crowd.progress(0);
      away = CLIENT_KINDS.map((kind) => [kind, progress[kind].away] as const).filter(
        ([, count]) => count > 0,
      );
      // What is refused with no hope of another answer is not waited for.
      return away.length === 0 || Object.keys(crowd.refused).some(isFinal);
    },
    ASK_MS,
  );
  if (there && away.length === 0) return;
  const who = away.map(([kind, count]) => `${String(count)} ${KIND_NAMES[kind]}`).join(' and ');
  const why = Object.entries(crowd.refused).map(([reason, times]) => `${reason} (${String(times)} times)`);
  const hint = Object.keys(crowd.refused)
    .map((code) => tokenHint(code, SUBSCRIBE_RIGHT))
    .find((text) => text !== '');
  throw new Error(`${who} could not connect: ${why.join(', ') || 'no answer'}${hint ?? ''}`);
}

function isFinal(reason: string): boolean {
  return [
    'unauthenticated',
    'invalid_token',
    'token_expired',
    'forbidden',
    'principal_denied',
    'too_many_connections',
  ].includes(reason);
}

/** Rejects as soon as it is known that the server ended, whatever `work` waits for. */
async function unlessEnded<T>(subject: Subject, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const trouble = subject.trouble();
      if (trouble !== undefined) reject(new Error(trouble));
    }, ASK_MS);
  });
  try {
    return await Promise.race([work, ended]);
  } catch (error) {
    // That it does not answer shows before it is known that it ended.
    await sleep(ASK_MS);
    const trouble = subject.trouble();
    throw trouble === undefined ? error : new Error(trouble, { cause: error });
  } finally {
    clearInterval(timer);
    work.catch(() => undefined);
  }
}

/** Waits until all clients have what is owed after `upTo` events, for as long as that gets less; what they lack then. */
async function settled(crowd: LoadCrowd, upTo: number): Promise<Record<ClientKind, Progress>> {
  let progress = await crowd.progress(upTo);
  await until(
    SETTLE_MS,
    async () => {
      progress = await crowd.progress(upTo);
      return CLIENT_KINDS.every((kind) => progress[kind].missing === 0);
    },
    ASK_MS,
  );
  return progress;
}
