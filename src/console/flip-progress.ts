import { CLIENT_KINDS, followsProfile, KIND_NAMES } from './client-kinds.js';
import {
  type FlipReportView,
  type FlipState,
  isAwaitingReturns,
  isUnderWay,
  type Moved,
  movedInAll,
  NOBODY,
} from './flip-report.js';
import { formatTimeOfDay } from './quantity.js';
import { type Cell, Rows } from './rows.js';

/** The elements that show how a flip goes on. */
export interface FlipProgressParts {
  /** Hidden while there has been no flip. */
  readonly box: HTMLElement;
  readonly text: HTMLElement;
  readonly bar: HTMLProgressElement;
  /** When it began, and who asked. */
  readonly note: HTMLElement;
  /** Clients by kind; hidden where there are none, or the gateway does not tell them apart. */
  readonly kinds: HTMLElement;
  readonly kindsBody: HTMLElement;
  /** Nodes of a flip of all; hidden without one. */
  readonly nodes: HTMLElement;
  readonly nodesBody: HTMLElement;
  /** Read out: at every change of state, and a few times in between. */
  readonly live: HTMLElement;
  readonly error: HTMLElement;
}

/** Said while fewer clients have come back to all nodes than were moved. */
const MOVED_TWICE = '. A client that comes back to a node before that one flips is moved once more.';

/** The newest flip, or, where that is newer, the newest flip of all nodes. */
interface Shown {
  readonly to: string;
  readonly state: FlipState;
  readonly sessions: Moved;
  readonly startedAt: number | undefined;
  readonly error: string | undefined;
  readonly note: string;
}

/** Shows how far the newest flip is: sessions closed, what became of their clients, and, with several nodes, each of them. */
export class FlipProgress {
  readonly #parts: FlipProgressParts;
  readonly #rows: Rows;
  readonly #kinds: Rows;
  /** What was read out last, and of which stage it was. */
  #stage = '';

  constructor(parts: FlipProgressParts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.nodesBody);
    this.#kinds = new Rows(parts.kindsBody);
  }

  /** Shows a report; what is over already when the page comes is shown, but not read out. */
  draw(report: FlipReportView): void {
    const { box, text, bar, note, nodes, error } = this.#parts;
    const shown = newestOf(report);
    box.hidden = shown === undefined;
    if (shown === undefined) return;
    const { total, left } = shown.sessions;
    text.textContent = describe(shown);
    text.dataset['value'] = shown.state;
    bar.hidden = total === 0 && !isUnderWay(shown.state);
    bar.max = Math.max(1, total);
    if (isUnderWay(shown.state) && total === 0) bar.removeAttribute('value');
    else bar.value = total === 0 ? 1 : total - left;
    note.textContent = shown.note;
    const kinds = kindRows(shown.sessions);
    this.#parts.kinds.hidden = kinds.length === 0;
    this.#kinds.draw(kinds);
    if (error.textContent !== (shown.error ?? '')) error.textContent = shown.error ?? '';
    const rollout = isRollout(report) ? report.rollout : undefined;
    nodes.hidden = rollout === undefined;
    this.#rows.draw(rollout?.nodes.map(rowOf) ?? []);
    this.#readOut(shown);
  }

  #readOut(shown: Shown): void {
    const { total, left } = shown.sessions;
    const quarter = total === 0 ? 0 : Math.floor(((total - left) / total) * 4);
    const stage = `${String(shown.startedAt)} ${shown.state} ${String(quarter)} ${String(shown.sessions.clients?.returned)}`;
    if (stage === this.#stage) return;
    const isFirst = this.#stage === '';
    this.#stage = stage;
    if (!isFirst || isUnderWay(shown.state)) this.#parts.live.textContent = describe(shown);
  }
}

function isRollout({ flip, rollout }: FlipReportView): boolean {
  if (rollout === undefined) return false;
  if (flip === undefined || isUnderWay(rollout.state)) return true;
  // The flip of this node that a rollout brought about begins after it, and belongs to it.
  return flip.to === rollout.to || (flip.startedAt ?? 0) < (rollout.startedAt ?? 0);
}

function newestOf(report: FlipReportView): Shown | undefined {
  const { flip, rollout } = report;
  if (rollout !== undefined && isRollout(report)) {
    const failed = rollout.nodes.find(({ error }) => error !== undefined);
    return {
      ...rollout,
      sessions: movedInAll(rollout.nodes),
      error: failed?.error === undefined ? undefined : `${failed.name}: ${failed.error}`,
      note: `All nodes, begun ${formatTimeOfDay(secondsOf(rollout.startedAt)).slice(0, 8)}${isAwaitingReturns(report) ? MOVED_TWICE : ''}`,
    };
  }
  if (flip === undefined) return undefined;
  const begun = formatTimeOfDay(secondsOf(flip.startedAt)).slice(0, 8);
  return { ...flip, note: `From ${flip.from}, begun ${begun} by ${flip.by} (${flip.via})` };
}

function secondsOf(epochMs: number | undefined): number | undefined {
  return epochMs === undefined ? undefined : epochMs / 1000;
}

function describe({ to, state, sessions }: Shown): string {
  const { total, left } = sessions;
  const closed = `${String(total - left)} of ${String(total)} sessions closed`;
  const flipping = total === 0 ? `Flipping to ${to}…` : `Flipping to ${to}: ${closed}`;
  const flipped =
    total === 0 ? `Flipped to ${to}; nobody had to move` : `Flipped to ${to}: ${describeEnd(sessions)}`;
  const texts: Readonly<Record<FlipState, string>> = {
    waiting: flipping,
    switching: flipping,
    draining: flipping,
    running: flipping,
    done: flipped,
    same: flipped,
    gone: flipped,
    failed: `The flip to ${to} failed`,
    superseded: `The flip to ${to} gave way to another: ${closed}`,
    unknown: `A flip to ${to}`,
  };
  return texts[state];
}

/** Says how many clients of a flip that is over were moved, came back, or were cut off. */
function describeEnd({ total, left, clients }: Moved): string {
  if (clients === undefined) return `${String(total - left)} of ${String(total)} sessions closed`;
  const { moved, returned, cutOff, gone } = clients;
  const parts = [
    moved > 0 ? `${String(moved)} moved, ${String(returned)} came back` : '',
    cutOff > 0 ? `${String(cutOff)} cut off` : '',
    gone > 0 ? `${String(gone)} left by themselves` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** A row for each kind of client of which there were some: what becomes of it, and of how many so far. */
function kindRows({ clients }: Moved): Cell[][] {
  if (clients === undefined) return [];
  return CLIENT_KINDS.filter((kind) => clients.total[kind] > 0).map((kind) => {
    const [ended, total] = [clients.ended[kind], clients.total[kind]];
    const word = followsProfile(kind) ? 'moved' : 'cut off';
    return [
      KIND_NAMES[kind],
      { text: word, state: word },
      { text: `${String(ended)} / ${String(total)}`, className: 'number share', level: ended / total },
    ];
  });
}

function rowOf(node: {
  name: string;
  state: FlipState;
  sessions: Moved | undefined;
  error: string | undefined;
}): Cell[] {
  const { total, left } = node.sessions ?? NOBODY;
  const level =
    total === 0 ? (node.state === 'done' || node.state === 'same' ? 1 : 0) : (total - left) / total;
  return [
    { text: node.name, title: node.error ?? node.name },
    { text: node.state, state: node.state },
    {
      text: node.sessions === undefined ? '' : `${String(total - left)} / ${String(total)}`,
      className: 'number share',
      level,
    },
  ];
}
