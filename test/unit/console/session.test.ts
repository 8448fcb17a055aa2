import { beforeEach, describe, expect, it } from '@jest/globals';
import { Fields } from '../../../src/console/fields.js';
import { type GatewayApi, RefusedError } from '../../../src/console/gateway-api.js';
import { readToken, Session } from '../../../src/console/session.js';
import type { TokenStore } from '../../../src/console/token-store.js';

/** Who each token shows, or why it is refused; the empty one is none at all. */
let gateway: Record<string, string>;
let kept: string | undefined;
let told: string[];
let session: Session;
/** Runs while the gateway thinks. */
let meanwhile: () => void;

const api = {
  async whoIs(token = ''): Promise<Fields> {
    await Promise.resolve();
    meanwhile();
    const id = gateway[token] ?? 'invalid_token';
    if (id.includes(':')) return new Fields({ id, rights: {} });
    throw new RefusedError(id, 'no');
  },
} as GatewayApi;

const tokens = {
  get token() {
    return kept;
  },
  keep(token: string) {
    kept = token;
  },
  forget() {
    kept = undefined;
  },
} as TokenStore;

beforeEach(() => {
  gateway = { '': 'unauthenticated', good: 'key:good', other: 'key:other' };
  kept = undefined;
  told = [];
  meanwhile = () => undefined;
  session = new Session({
    api,
    tokens,
    entered: ({ id }) => told.push(`in as ${id}`),
    left: (code) => told.push(`out: ${code}`),
  });
});

describe('the session of a page', () => {
  it('asks for a token where one is needed, and keeps one that is good', async () => {
    await session.check();
    expect(await session.signIn('bad')).toBe('That is not known here: no.');
    expect(kept).toBeUndefined();
    expect(await session.signIn(' Bearer good ')).toBe('');
    expect([kept, told]).toEqual(['good', ['out: unauthenticated', 'in as key:good']]);
  });

  it.each([
    ['token_expired', 'That token has expired. Get a fresh one.'],
    ['unreachable', 'The gateway does not answer. Try again.'],
    ['too_many_attempts', 'Too many wrong keys came from your address. Wait a minute, then try again.'],
    ['auth_unavailable', 'auth_unavailable: no. Try again.'],
  ])('says in words why a token is not taken: %s', async (code, words) => {
    gateway['typed'] = code;
    expect(await session.signIn('typed')).toBe(words);
    expect(told).toEqual([]);
  });

  it('forgets a token that is refused, but not for one that was shown before it', async () => {
    await session.signIn('good');
    session.lost('token_expired', 'older');
    expect(kept).toBe('good');
    session.lost('token_expired', 'good');
    expect([kept, session.permissions, told.at(-1)]).toEqual([undefined, undefined, 'out: token_expired']);
  });

  it('stays what it was where the gateway does not answer, and lets everything be tried at first', async () => {
    gateway[''] = 'unreachable';
    await session.check();
    expect(told).toEqual(['in as ']);
    expect(session.permissions?.may('flip')).toBe(true);
    gateway[''] = 'address:::1';
    await session.check();
    gateway[''] = 'unreachable';
    await session.check();
    expect(told).toEqual(['in as ', 'in as address:::1']);
  });

  it('passes over an answer for a token that it does not show any more', async () => {
    kept = 'good';
    meanwhile = () => {
      kept = 'other';
    };
    await session.check();
    expect(told).toEqual([]);
  });
});

describe('a token as it is typed', () => {
  it.each([
    ['  key-1234\n', 'key-1234'],
    ['bearer  a.b.c', 'a.b.c'],
    ['two words', ''],
    ['schlüssel', ''],
    ['', ''],
  ])('%j is %j', (typed, token) => {
    expect(readToken(typed)).toBe(token);
  });
});
