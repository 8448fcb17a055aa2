import { fits, isPattern } from './pattern.js';

/** The rights to administer: figures and lists, the metrics, the profile, and denied principals. */
export const ADMIN_RIGHTS = ['status', 'metrics', 'flip', 'deny'] as const;

/** A right of {@link ADMIN_RIGHTS}. */
export type AdminRight = (typeof ADMIN_RIGHTS)[number];

/** What somebody may do, as keys and tokens say it: patterns of names. What no pattern fits is not allowed. */
export interface RightsSpec {
  /** Rooms to receive, and to read the state and history of. */
  readonly subscribe: readonly string[];
  /** Rooms to publish to. */
  readonly publish: readonly string[];
  /** Types of events to publish; without this list all of them. */
  readonly publishTypes?: readonly string[];
  /** Actions to ask for. */
  readonly command: readonly string[];
  /** {@link ADMIN_RIGHTS}. */
  readonly admin: readonly string[];
}

const KINDS = ['subscribe', 'publish', 'publishTypes', 'command', 'admin'] as const;

/** What somebody may do. */
export class Rights {
  /** Everything: without authentication there is nobody to tell apart. */
  static readonly ALL = new Rights({ subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] });
  /** Nothing. */
  static readonly NONE = new Rights({ subscribe: [], publish: [], command: [], admin: [] });

  /** Whether any event may be published to whatever room: asked of each publication first. */
  readonly mayPublishAnywhere: boolean;
  /** Whether no room may be published to: asked before the body of a publication is read. */
  readonly mayPublishNowhere: boolean;
  /** Whether no action may be asked for. */
  readonly mayCommandNothing: boolean;
  readonly #spec: RightsSpec;

  constructor(spec: RightsSpec) {
    this.#spec = spec;
    this.mayPublishAnywhere = spec.publish.includes('*') && spec.publishTypes === undefined;
    this.mayPublishNowhere = spec.publish.length === 0 || spec.publishTypes?.length === 0;
    this.mayCommandNothing = spec.command.length === 0;
  }

  /** The lists of patterns, as {@link parseRights} reads them. */
  toJSON(): RightsSpec {
    const { subscribe, publish, publishTypes, command, admin } = this.#spec;
    const types = publishTypes === undefined ? {} : { publishTypes };
    return { subscribe, publish, ...types, command, admin };
  }

  /** Whether a session may be in the room, and its state and history be read. */
  maySubscribe(room: string): boolean {
    return isAllowed(this.#spec.subscribe, room);
  }

  /** Whether events may be published to the room. */
  mayPublish(room: string): boolean {
    return isAllowed(this.#spec.publish, room);
  }

  /** Whether events of the type may be published. */
  mayPublishType(type: string): boolean {
    const { publishTypes } = this.#spec;
    return publishTypes === undefined || isAllowed(publishTypes, type);
  }

  /** Whether the action may be asked for. */
  mayCommand(action: string): boolean {
    return isAllowed(this.#spec.command, action);
  }

  /** Whether this may be administered. */
  mayAdminister(right: AdminRight): boolean {
    return isAllowed(this.#spec.admin, right);
  }
}

function isAllowed(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => pattern === '*' || fits(pattern, name));
}

/**
 * Reads rights out of JSON: an object with any of `subscribe`, `publish`, `publishTypes`, `command`, `admin`, each a list of patterns; a
 * list that is not there allows nothing, but without `publishTypes` events of all types may be published. An array of faults, in words, when it is no such object.
 */
export function parseRights(json: unknown): Rights | string[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return [`rights must be an object of ${KINDS.join(', ')}, each a list of patterns`];
  }
  const given = json as Record<string, unknown>;
  const faults = Object.keys(given)
    .filter((name) => !KINDS.some((kind) => kind === name))
    .map((name) => `"${name.slice(0, 64)}" is no right: there are ${KINDS.join(', ')}`);
  const listOf = (kind: (typeof KINDS)[number]): readonly string[] => {
    const list = Object.hasOwn(given, kind) ? given[kind] : [];
    if (Array.isArray(list) && list.every(isPattern)) return list;
    faults.push(`"${kind}" must be a list of names, in which * stands for anything`);
    return [];
  };
  const spec: RightsSpec = {
    subscribe: listOf('subscribe'),
    publish: listOf('publish'),
    ...(Object.hasOwn(given, 'publishTypes') ? { publishTypes: listOf('publishTypes') } : {}),
    command: listOf('command'),
    admin: listOf('admin'),
  };
  const unknown = spec.admin.filter((pattern) => !ADMIN_RIGHTS.some((right) => fits(pattern, right)));
  if (unknown.length > 0) faults.push(`"admin" may name ${ADMIN_RIGHTS.join(', ')}, or *`);
  return faults.length > 0 ? faults : new Rights(spec);
}
