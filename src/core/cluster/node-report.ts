import { type ClientKind, forEachKind } from '../delivery/client-kind.js';
import type { ClientsByTransport } from '../delivery/client-tally.js';
import { Refusal } from '../errors.js';
import { isRoomName } from '../event.js';
import { parseJson } from '../parse-json.js';

/** Rooms that a node tells the others of: the largest. */
export const MAX_REPORTED_ROOMS = 1000;

/** What a node says of itself, every beat. */
export interface NodeReport {
  /** Where it listens, as it sees it; null until it does. */
  readonly url: string | null;
  /** Name of its host, and its process there. */
  readonly host: string;
  readonly pid: number;
  /** What it serves. */
  readonly profile: string;
  readonly transports: readonly string[];
  /** Sessions it has. */
  readonly sessions: { readonly websocket: number; readonly sse: number };
  /** The same, by transport and kind of client; null of a node whose version does not tell them apart. */
  readonly clients: ClientsByTransport | null;
  readonly uptimeSeconds: number;
  /** How far it has read the log. */
  readonly cursor: string;
  /** State of its log, and what its bridge does; null without one. */
  readonly log: { readonly state: string; readonly bridge: string | null };
}

/** What a node tells the others: its report, and sessions by room, at most {@link MAX_REPORTED_ROOMS}. */
export interface NodeState {
  readonly report: NodeReport;
  readonly rooms: Readonly<Record<string, number>>;
}

/**
 * Reads a report as another node, perhaps of another version, has written it. Undefined when it is none; fields it
 * does not know are left out.
 */
export function parseNodeReport(text: string): NodeReport | undefined {
  const value = parseObject(text);
  if (value === undefined) return undefined;
  const { url, host, pid, profile, transports, uptimeSeconds, cursor } = value;
  const sessions = isObject(value['sessions']) ? value['sessions'] : {};
  const log = isObject(value['log']) ? value['log'] : {};
  const { websocket, sse } = sessions;
  const { state, bridge } = log;
  const sound =
    (url === null || isText(url)) &&
    isText(host) &&
    isCount(pid) &&
    isText(profile) &&
    Array.isArray(transports) &&
    transports.length <= 10 &&
    transports.every(isText) &&
    isCount(websocket) &&
    isCount(sse) &&
    isAmount(uptimeSeconds) &&
    isText(cursor) &&
    isText(state) &&
    (bridge === null || isText(bridge));
  if (!sound) return undefined;
  return {
    url,
    host,
    pid,
    profile,
    transports: transports,
    sessions: { websocket, sse },
    clients: readClients(value['clients']),
    uptimeSeconds,
    cursor,
    log: { state, bridge },
  };
}

/** Reads sessions by room as a node has written them; leaves out what is none, and what is beyond the bound. */
export function parseReportedRooms(text: string): ReadonlyMap<string, number> {
  const rooms = Object.entries(parseObject(text) ?? {}).filter(
    (entry): entry is [string, number] => isRoomName(entry[0]) && isCount(entry[1]),
  );
  return new Map(rooms.slice(0, MAX_REPORTED_ROOMS));
}

function readClients(value: unknown): ClientsByTransport | null {
  const { websocket, sse } = isObject(value) ? value : {};
  return isCounts(websocket) && isCounts(sse)
    ? { websocket: forEachKind((kind) => websocket[kind]), sse: forEachKind((kind) => sse[kind]) }
    : null;
}

function isCounts(value: unknown): value is Readonly<Record<ClientKind, number>> {
  return isObject(value) && Object.values(forEachKind((kind) => isCount(value[kind]))).every(Boolean);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  const parsed = parseJson(text);
  return !(parsed instanceof Refusal) && isObject(parsed.value) ? parsed.value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 300;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
