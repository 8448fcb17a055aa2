import { Refusal } from '../../core/errors.js';
import { isTypeName, RESERVED_TYPES } from '../../core/event.js';

/** What becomes of an event that a client emits. */
export type LegacyRule =
  /** The requester alone is sent the newest values of its rooms: all, or those of these types. */
  | { readonly snapshot: 'all' | readonly string[] }
  /** A command is run. */
  | LegacyCommand;

/** How an emitted event becomes a command. */
export interface LegacyCommand {
  /** The action; `{name}` in it stands for the property of that name of what the client sent. */
  readonly command: string;
  /** The values each of these properties may have. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** What the requester alone is sent afterwards, since such pages often ask for no ack. */
  readonly reply?: LegacyReply;
}

/** The event that answers a {@link LegacyCommand}: its result, or what is known when it did not succeed. */
export interface LegacyReply {
  readonly type: string;
  /** Data to send when the command did not succeed and no value of the type is known; `error` is added. */
  readonly otherwise: Readonly<Record<string, unknown>>;
}

/** What pages that nobody can change send and expect (`config/hak-gal.json`). */
export interface LegacyMapping {
  /** Sent to each legacy client when it connects. */
  readonly onConnect: readonly { readonly type: string; readonly data: unknown }[];
  /** By the name of the event a client emits. */
  readonly events: ReadonlyMap<string, LegacyRule>;
}

/** Reads the mapping's JSON; an array of faults, in words, when it is not such a mapping. */
export function parseLegacyMapping(json: unknown): LegacyMapping | string[] {
  if (!isObject(json)) return ['the legacy mapping must be an object {"onConnect": […], "events": {…}}'];
  const { onConnect = [], events = {}, ...rest } = json;
  const faults = Object.keys(rest).map((name) => `"${name}" is no part of a legacy mapping`);
  if (!Array.isArray(onConnect) || !onConnect.every(isGreeting)) {
    faults.push('"onConnect" must be a list of {"type": name, "data": any JSON}');
  }
  if (!isObject(events)) return [...faults, '"events" must be an object'];
  for (const [name, rule] of Object.entries(events)) {
    if (!isRule(rule)) {
      faults.push(
        `"${name}" must be {"snapshot": "all" | [type, …]} or {"command": action, "values"?: {property: [value, …]}, ` +
          '"reply"?: {"type": name, "otherwise": object}}, with values for every {property} of the action',
      );
    }
  }
  if (faults.length > 0) return faults;
  return {
    onConnect: onConnect as LegacyMapping['onConnect'],
    events: new Map(Object.entries(events as Record<string, LegacyRule>)),
  };
}

/** The action a client asked for with `sent`. Refused: `invalid_action`, when a property is missing or has none of its values. */
export function actionOf(rule: LegacyCommand, sent: unknown): string | Refusal {
  const properties = isObject(sent) ? sent : {};
  let refusal: Refusal | undefined;
  const action = rule.command.replace(PLACEHOLDER, (_all, name: string) => {
    const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const values = rule.values?.[name] ?? [];
    if (typeof value === 'string' && values.includes(value)) return value;
    const fault = value === undefined || value === null ? 'is missing: it is' : 'must be';
    refusal ??= new Refusal('invalid_action', `${name} ${fault} one of ${values.join(', ')}`);
    return '';
  });
  return refusal ?? action;
}

const PLACEHOLDER = /\{(\w+)\}/g;

function isRule(value: unknown): value is LegacyRule {
  if (!isObject(value)) return false;
  if ('snapshot' in value) {
    const { snapshot } = value;
    return snapshot === 'all' || (Array.isArray(snapshot) && snapshot.every(isTypeName));
  }
  const { command, values = {}, reply } = value;
  if (typeof command !== 'string' || !isTypeName(command.replace(PLACEHOLDER, 'x')) || !isObject(values)) {
    return false;
  }
  const named = [...command.matchAll(PLACEHOLDER)].map((match) => match[1] as string);
  const listed = named.every((name) => {
    const list = values[name];
    return Array.isArray(list) && list.every(isTypeName);
  });
  return (
    listed &&
    (reply === undefined || (isObject(reply) && isEmittable(reply['type']) && isObject(reply['otherwise'])))
  );
}

function isGreeting(value: unknown): boolean {
  return isObject(value) && isEmittable(value['type']) && 'data' in value;
}

/** Emitting a name that Socket.IO keeps for itself throws. */
function isEmittable(value: unknown): boolean {
  return isTypeName(value) && !RESERVED_TYPES.has(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
