import { PROFILES, type ProfileName } from '../config/profile.js';
import type { Flip, FlipReport, FlipState } from '../flip/flip-report.js';
import { fieldsOf, isErrorCode } from './node-answer.js';

const STATES: readonly FlipState[] = ['switching', 'draining', 'done', 'failed', 'superseded'];

/** What another node serves, and how its flip goes on; undefined when that can't be read. */
export function readReport(body: unknown): FlipReport | undefined {
  const { profile, transports, flip } = fieldsOf(body);
  const { websocket, sse, control } = fieldsOf(transports);
  const read = flip === null ? null : readFlip(flip);
  if (!isProfile(profile) || read === undefined) return undefined;
  const on = { websocket: websocket === true, sse: sse === true, control: control === true };
  return { profile, transports: on, flip: read };
}

function readFlip(value: unknown): Flip | undefined {
  const { id, from, to, by, address, via, startedAt, state, sessions, error } = fieldsOf(value);
  const { total, left } = fieldsOf(sessions);
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
    sessions: { total, left },
    error: isErrorCode(code) && typeof message === 'string' ? { code, message } : null,
  };
}

function isProfile(value: unknown): value is ProfileName {
  return PROFILES.some((name) => name === value);
}
