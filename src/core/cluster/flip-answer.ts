import { PROFILES, type ProfileName } from '../config/profile.js';
import { forEachKind } from '../delivery/client-kind.js';
import type { Flip, FlipClients, FlipReport, FlipState, FlippedKind } from '../flip/flip-report.js';
import { Refusal } from '../errors.js';
import { fieldsOf, isErrorCode } from './node-answer.js';

const STATES: readonly FlipState[] = ['switching', 'draining', 'done', 'failed', 'superseded'];

/** There is no such node any more, or it is stopping: nothing has to be flipped there. */
export class NodeGone extends Refusal {
  constructor() {
    super(
      'node_unavailable',
      'this gateway ended meanwhile and is passed over; its clients go to others. A gateway that is started in its place serves its own APP_PROFILE',
    );
  }
}

/** What another node serves, and how its flip goes on; undefined when that can't be read. */
export function readReport(body: unknown): FlipReport | undefined {
  const { profile, transports, since, repeated, flip } = fieldsOf(body);
  const { websocket, sse, control } = fieldsOf(transports);
  const read = flip === null ? null : readFlip(flip);
  if (!isProfile(profile) || read === undefined) return undefined;
  const on = { websocket: websocket === true, sse: sse === true, control: control === true };
  return {
    profile,
    transports: on,
    since: typeof since === 'number' ? since : null,
    repeated: repeated === true,
    flip: read,
  };
}

function readFlip(value: unknown): Flip | undefined {
  const { id, from, to, by, address, via, startedAt, state, sessions, error } = fieldsOf(value);
  const { total, left, clients } = fieldsOf(sessions);
  const { code, message } = fieldsOf(error);
  const known = STATES.find((one) => one === state);
  const way = (['http', 'signal', 'cluster'] as const).find((one) => one === via);
  if (!isProfile(from) || !isProfile(to) || known === undefined || way === undefined) return undefined;
  if (typeof id !== 'number' || typeof startedAt !== 'number') return undefined;
  if (typeof total !== 'number' || typeof left !== 'number') return undefined;
  return {
    id,
    from,
    to,
    by: String(by),
    address: typeof address === 'string' ? address : null,
    via: way,
    startedAt,
    state: known,
    sessions: { total, left, clients: readClients(clients) },
    error: isErrorCode(code) && typeof message === 'string' ? { code, message } : null,
  };
}

/** Null where the node tells nothing of them that can be read: it is of another version. */
function readClients(value: unknown): FlipClients | null {
  const { moved, returned, cutOff, gone, byKind } = fieldsOf(value);
  if (!isCount(moved) || !isCount(returned) || !isCount(cutOff) || !isCount(gone)) return null;
  const kinds = forEachKind((kind) => readKind(fieldsOf(byKind)[kind]));
  const { sdk, bundle, eventsource, stock } = kinds;
  if (sdk === undefined || bundle === undefined || eventsource === undefined || stock === undefined)
    return null;
  return { moved, returned, cutOff, gone, byKind: { sdk, bundle, eventsource, stock } };
}

function readKind(value: unknown): FlippedKind | undefined {
  const { total, left, ended } = fieldsOf(value);
  return isCount(total) && isCount(left) && isCount(ended) ? { total, left, ended } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isProfile(value: unknown): value is ProfileName {
  return PROFILES.some((name) => name === value);
}
