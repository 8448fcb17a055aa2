import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { ROOT } from './launched-gateway.js';

/** A Redis user as docs/operations.md documents it. */
export interface DocumentedUser {
  readonly name: string;
  readonly password: string;
  /** All rules after the name, in their order. */
  readonly rules: readonly string[];
}

/** The users that docs/operations.md documents, in its order: for gateways, and for workers. */
export function documentedUsers(): readonly [gateway: DocumentedUser, worker: DocumentedUser] {
  const text = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
  const block = /<!-- redis-acl -->\n```\n([^`]+)```/.exec(text)?.[1] ?? '';
  const users = block
    .trim()
    .split('\n')
    .map((line) => {
      const [acl, setUser, name = '', ...rules] = line.split(' ');
      if (`${String(acl)} ${String(setUser)}` !== 'ACL SETUSER') throw new Error(`not a user: ${line}`);
      const password = rules.find((rule) => rule.startsWith('>'))?.slice(1) ?? '';
      return { name, password, rules };
    });
  const [gateway, worker] = users;
  if (gateway === undefined || worker === undefined) throw new Error('no two users are documented');
  return [gateway, worker];
}

/** Creates the user, without the rules in `without`. */
export async function createUser(
  redis: Redis,
  { name, rules }: DocumentedUser,
  without: readonly string[] = [],
): Promise<void> {
  const missing = without.filter((rule) => !rules.includes(rule));
  if (missing.length > 0) throw new Error(`not documented: ${missing.join(' ')}`);
  await redis.call('ACL', 'SETUSER', name, ...rules.filter((rule) => !without.includes(rule)));
}
