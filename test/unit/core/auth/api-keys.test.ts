import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type ApiKeys, parseApiKeys } from '../../../../src/core/auth/api-keys.js';
import type { Caller } from '../../../../src/core/auth/caller.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function parsed(json: unknown): ApiKeys {
  const keys = parseApiKeys(json);
  if (Array.isArray(keys)) throw new Error(keys.join('; '));
  return keys;
}

function faultsOf(json: unknown): readonly string[] {
  const keys = parseApiKeys(json);
  if (!Array.isArray(keys)) throw new Error('no fault was found');
  return keys;
}

function found(keys: ApiKeys, key: string): Caller {
  const caller = keys.find(sha256(key));
  if (caller === undefined) throw new Error('there is no such key');
  return caller;
}

describe('API keys', () => {
  const keys = parsed([
    { id: 'dashboard', key: 'monkey-business', subscribe: ['monitor*'], admin: ['status'] },
    { id: 'backend.1', sha256: sha256('publish-me').toUpperCase(), publish: ['*'], command: ['governor.*'] },
  ]);

  test('whoever shows a key is known by its id, for good, and may do what is listed and no more', () => {
    const caller = found(keys, 'monkey-business');
    expect(caller).toMatchObject({ id: 'key:dashboard', expiresAt: null, isKnown: true });
    expect(caller.rights.maySubscribe('monitor-2')).toBe(true);
    expect(caller.rights.maySubscribe('default')).toBe(false);
    expect(caller.rights.mayPublish('monitor-2')).toBe(false);
    expect(caller.rights.mayCommand('governor.stop')).toBe(false);
    expect(caller.rights.mayAdminister('status')).toBe(true);
    expect(caller.rights.mayAdminister('flip')).toBe(false);
  });

  test('a key can be given as its SHA-256, in either case; the SHA-256 itself is no key', () => {
    expect(found(keys, 'publish-me').id).toBe('key:backend.1');
    expect(found(keys, 'publish-me').rights.mayPublish('default')).toBe(true);
    expect(keys.find(sha256(sha256('publish-me')))).toBeUndefined();
    expect(keys.find(sha256(sha256('monkey-business')))).toBeUndefined();
  });

  test.each(['', 'monkey-busines', 'monkey-business ', 'Monkey-business', 'dashboard', '__proto__'])(
    'nobody is found by %j',
    (key) => {
      expect(keys.find(sha256(key))).toBeUndefined();
    },
  );

  test('the shortest and the longest key are found', () => {
    const longest = '~'.repeat(512);
    const both = parsed([
      { id: 'a', key: '!'.repeat(8) },
      { id: 'b', key: longest },
    ]);
    expect(both.size).toBe(2);
    expect(found(both, '!'.repeat(8)).id).toBe('key:a');
    expect(found(both, longest).id).toBe('key:b');
    expect(both.find(sha256(`${longest}~`))).toBeUndefined();
  });

  test('no keys are keys too', () => {
    expect(parsed([]).size).toBe(0);
  });
});

describe('faults in API keys', () => {
  const key = 'top-secret-key';

  test.each<[string, unknown, RegExp]>([
    ['no array', { id: 'a', key }, /must be an array/],
    ['null', null, /must be an array/],
    ['a key alone', [key], /API key 1 must be an object/],
    ['null in the array', [null], /API key 1 must be an object/],
    ['an array in the array', [[key]], /API key 1 must be an object/],
    ['no id', [{ key }], /API key 1 needs an "id"/],
    ['an empty id', [{ id: '', key }], /needs an "id"/],
    ['a long id', [{ id: 'x'.repeat(65), key }], /needs an "id"/],
    ['an id with a colon', [{ id: 'user:x', key }], /needs an "id"/],
    ['an id with a line end', [{ id: 'x\n', key }], /needs an "id"/],
    ['neither key nor sha256', [{ id: 'a' }], /API key 1 needs either a "key"/],
    ['both key and sha256', [{ id: 'a', key, sha256: sha256(key) }], /needs either a "key"/],
    ['a short key', [{ id: 'a', key: 'top-sec' }], /needs either a "key"/],
    ['a long key', [{ id: 'a', key: 'x'.repeat(513) }], /needs either a "key"/],
    ['a key with a space', [{ id: 'a', key: 'top secret key' }], /needs either a "key"/],
    ['a key with a line end', [{ id: 'a', key: `${key}\n` }], /needs either a "key"/],
    ['a key beyond ASCII', [{ id: 'a', key: 'schlüssel-key' }], /needs either a "key"/],
    ['a key that is a number', [{ id: 'a', key: 12345678 }], /needs either a "key"/],
    ['a short sha256', [{ id: 'a', sha256: sha256(key).slice(1) }], /needs either a "key"/],
    ['a sha256 of other characters', [{ id: 'a', sha256: 'g'.repeat(64) }], /needs either a "key"/],
    ['an unknown property', [{ id: 'a', key, subscibe: ['*'] }], /has a property that is none of id, key/],
    [
      'rights by prototype',
      [JSON.parse(`{"id":"a","key":"${key}","__proto__":{"admin":["*"]}}`)],
      /none of id, key/,
    ],
    [
      'rights that are no list',
      [{ id: 'a', key, subscribe: '*' }],
      /fault in its rights: "subscribe" must be/,
    ],
    [
      'an unknown admin right',
      [{ id: 'a', key, admin: ['reboot'] }],
      /fault in its rights: "admin" may name/,
    ],
    [
      'the same id twice',
      [
        { id: 'a', key },
        { id: 'b', key: 'other-key' },
        { id: 'a', key: 'third-key' },
      ],
      /^API keys 1 and 3 have the same id$/,
    ],
    [
      'the same key twice',
      [
        { id: 'a', key },
        { id: 'b', key },
      ],
      /^API keys 1 and 2 are the same$/,
    ],
    [
      'the same key, once as sha256',
      [
        { id: 'a', key },
        { id: 'b', sha256: sha256(key).toUpperCase() },
      ],
      /^API keys 1 and 2 are the same$/,
    ],
  ])('%s', (_, json, fault) => {
    const faults = faultsOf(json);
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults.join()).not.toContain(key);
  });

  test('all faults are told at once', () => {
    expect(faultsOf([{ key, typo: 1, admin: [7] }, { id: 'ok', key: 'good-enough' }, 4])).toEqual([
      expect.stringMatching(/^API key 1 needs an "id"/),
      expect.stringMatching(/^API key 1 has a property/),
      expect.stringMatching(/^API key 1 has a fault in its rights: "admin"/),
      expect.stringMatching(/^API key 3 must be an object$/),
    ]);
  });

  test('whatever the JSON: keys or faults, never a throw, and no fault holds a key wherever it was put', () => {
    const secret = '5ecret-that-n0body-may-see';
    const name = fc.constantFrom(
      'id',
      'key',
      'sha256',
      'subscribe',
      'publish',
      'command',
      'admin',
      '__proto__',
      'constructor',
      secret,
      'toString',
    );
    const value = fc.oneof(
      fc.constantFrom(secret, `x${secret}`, [secret, 'ä'], ['*'], 'a-good-id', sha256('x'), {
        [secret]: secret,
      }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const entry = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs));
    fc.assert(
      fc.property(fc.oneof(fc.array(entry, { maxLength: 3 }), fc.jsonValue()), (json) => {
        const keys = parseApiKeys(JSON.parse(JSON.stringify(json)));
        return !Array.isArray(keys) || (keys.length > 0 && !keys.join('\n').includes(secret));
      }),
      { numRuns: 2000 },
    );
  });
});
