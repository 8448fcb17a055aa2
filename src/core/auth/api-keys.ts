import type { Caller } from './caller.js';
import { digestOf } from './digest.js';
import { isKeyId } from './principal-id.js';
import { parseRights, Rights } from './rights.js';

/** A key that lets somebody in. The key itself is not kept. */
export interface ApiKey {
  /** 1–64 of `A-Z a-z 0-9 _ . -`. */
  readonly id: string;
  /** SHA-256 of the key: 64 hex digits in lower case. */
  readonly sha256: string;
  readonly rights: Rights;
}

const KEY = /^[\x21-\x7e]{8,512}$/;
const SHA256 = /^[0-9a-f]{64}$/i;
const LISTS = ['subscribe', 'publish', 'publishTypes', 'command', 'admin'];
const PROPERTIES = ['id', 'key', 'sha256', ...LISTS];

/**
 * The keys that let somebody in. One is found by the SHA-256 of what came: how long that takes says nothing of the keys
 * there are, since nobody can aim at a digest.
 */
export class ApiKeys {
  readonly #callers = new Map<string, Caller>();

  constructor(keys: readonly ApiKey[]) {
    for (const { id, sha256, rights } of keys)
      this.#callers.set(sha256, { id: `key:${id}`, rights, expiresAt: null, isKnown: true });
  }

  /** How many there are. */
  get size(): number {
    return this.#callers.size;
  }

  /** The ids of callers whose keys `later` does not have, or has with other rights. */
  notIn(later: ApiKeys): ReadonlySet<string> {
    const gone = new Set<string>();
    for (const [sha256, { id, rights }] of this.#callers) {
      const then = later.#callers.get(sha256);
      const isSame = then?.id === id && JSON.stringify(then.rights) === JSON.stringify(rights);
      if (!isSame) gone.add(id);
    }
    return gone;
  }

  /** Returns the caller whose key has this digest ({@link digestOf}): `key:<id>`, for good; undefined when there is no such key. */
  find(digest: string): Caller | undefined {
    return this.#callers.get(digest);
  }
}

/**
 * Reads keys out of JSON: an array of `{id, key | sha256, subscribe?, publish?, publishTypes?, command?, admin?}`, the lists as for
 * {@link parseRights}. Ids and keys are each unique; a key is 8–512 printable ASCII characters without spaces; `sha256` is
 * that of such a key, as 64 hex digits. An array of faults, in words, when it is no such array; faults tell keys by their
 * place, from 1, and show nothing of what they hold.
 */
export function parseApiKeys(json: unknown): ApiKeys | string[] {
  if (!Array.isArray(json))
    return ['API keys must be an array of {"id", "key" or "sha256", lists of rights}'];
  const faults: string[] = [];
  const keys: ApiKey[] = [];
  const ids = new Map<string, number>();
  const digests = new Map<string, number>();
  for (const [index, entry] of json.entries()) {
    const place = index + 1;
    const key = parseKey(entry);
    if (Array.isArray(key)) {
      faults.push(...key.map((fault) => `API key ${String(place)} ${fault}`));
      continue;
    }
    const sameId = ids.get(key.id);
    if (sameId !== undefined) faults.push(`API keys ${String(sameId)} and ${String(place)} have the same id`);
    const sameKey = digests.get(key.sha256);
    if (sameKey !== undefined) faults.push(`API keys ${String(sameKey)} and ${String(place)} are the same`);
    ids.set(key.id, place);
    digests.set(key.sha256, place);
    keys.push(key);
  }
  return faults.length > 0 ? faults : new ApiKeys(keys);
}

function parseKey(entry: unknown): ApiKey | string[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return ['must be an object'];
  const given = new Map(Object.entries(entry));
  const faults: string[] = [];
  const id: unknown = given.get('id');
  const isId = isKeyId(id);
  if (!isId) faults.push('needs an "id" of 1–64 characters: A-Z a-z 0-9 _ . -');
  const sha256 = parseSecret(given);
  if (sha256 === undefined)
    faults.push(
      'needs either a "key" of 8–512 printable ASCII characters without spaces or a "sha256" of 64 hex digits',
    );
  // What they are called may be a key that was put in the wrong place.
  if ([...given.keys()].some((name) => !PROPERTIES.includes(name)))
    faults.push(`has a property that is none of ${PROPERTIES.join(', ')}`);
  const rights = parseRights(Object.fromEntries([...given].filter(([name]) => LISTS.includes(name))));
  if (!(rights instanceof Rights))
    faults.push(...rights.map((fault) => `has a fault in its rights: ${fault}`));
  if (!isId || sha256 === undefined || !(rights instanceof Rights) || faults.length > 0) return faults;
  return { id, sha256, rights };
}

function parseSecret(given: ReadonlyMap<string, unknown>): string | undefined {
  if (given.has('key') === given.has('sha256')) return undefined;
  const key = given.get('key');
  if (typeof key === 'string' && KEY.test(key)) return digestOf(key);
  const sha256 = given.get('sha256');
  return typeof sha256 === 'string' && SHA256.test(sha256) ? sha256.toLowerCase() : undefined;
}
