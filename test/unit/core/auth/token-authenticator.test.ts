import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { SignJWT } from 'jose';
import { ApiKeys, parseApiKeys } from '../../../../src/core/auth/api-keys.js';
import type { Credentials, Identified } from '../../../../src/core/auth/authenticator.js';
import type { Caller } from '../../../../src/core/auth/caller.js';
import { JwksSource } from '../../../../src/core/auth/jwks.js';
import { JwtVerifier } from '../../../../src/core/auth/jwt-verifier.js';
import { Rights } from '../../../../src/core/auth/rights.js';
import { TokenAuthenticator } from '../../../../src/core/auth/token-authenticator.js';
import { Refusal } from '../../../../src/core/errors.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { KeyServer } from '../../../support/key-server.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

const SECRET = 'a secret of our own, long enough';
const ADDRESS = '192.0.2.7';
const NOW_S = 1_800_000_000;
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const parsedKeys = parseApiKeys([
  { id: 'dashboard', key: 'monkey-business', subscribe: ['*'] },
  { id: 'dotted', key: 'like.a.jwt-but-none', publish: ['*'] },
]);
const keys = Array.isArray(parsedKeys) ? new ApiKeys([]) : parsedKeys;

let clock: TurnedClock;
let counters: Counters;
let server: KeyServer;

beforeEach(async () => {
  clock = new TurnedClock(NOW_S * 1000);
  counters = new Counters();
  server = await KeyServer.open();
  server.serve([{ ...keyPair.publicKey.export({ format: 'jwk' }), kid: 'k' }]);
});
afterEach(() => server.close());

function authenticator(jwt: JwtVerifier | undefined, anonymousRights?: Rights): TokenAuthenticator {
  return new TokenAuthenticator({ keys, jwt, anonymousRights, clock, counters });
}

function bySecret(): TokenAuthenticator {
  return authenticator(new JwtVerifier({ secret: SECRET, clock }));
}

function byJwks(): TokenAuthenticator {
  const jwks = new JwksSource(server.url, { clock, logger: silentLogger, counters });
  return authenticator(new JwtVerifier({ jwks, clock }));
}

function token(claims: object = {}): Promise<string> {
  return new SignJWT({ sub: 'ada', exp: NOW_S + 3600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));
}

function tokenByKey(claims: object = {}, kid = 'k'): Promise<string> {
  return new SignJWT({ sub: 'ada', exp: NOW_S + 3600, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid })
    .sign(keyPair.privateKey);
}

/** What came of it at once: an id, or a code; `later` for a promise. */
function atOnce(identified: Identified): string {
  return identified instanceof Promise ? 'later' : nameOf(identified);
}

function nameOf(identified: Caller | Refusal): string {
  return identified instanceof Refusal ? identified.code : identified.id;
}

async function inTheEnd(authenticator: TokenAuthenticator, credentials: Credentials): Promise<string> {
  return nameOf(await authenticator.identify(credentials, ADDRESS));
}

describe('who shows nothing', () => {
  test('is refused where somebody must be known', () => {
    expect(atOnce(bySecret().identify({}, ADDRESS))).toBe('unauthenticated');
    expect(atOnce(bySecret().identify({ token: '', apiKey: '' }, ADDRESS))).toBe('unauthenticated');
    expect(counters.get('callers_refused', 'unauthenticated')).toBe(2);
  });

  test('is an address with the rights of all such, where there are any', () => {
    const rights = new Rights({ subscribe: ['public'], publish: [], command: [], admin: [] });
    const caller = authenticator(undefined, rights).identify({}, ADDRESS);
    expect(caller).toEqual({ id: `address:${ADDRESS}`, rights, expiresAt: null, isKnown: false });
    expect(counters.get('callers_refused')).toBe(0);
  });

  test('but who shows something wrong is refused even there', () => {
    const open = authenticator(undefined, Rights.ALL);
    expect(atOnce(open.identify({ token: 'wrong' }, ADDRESS))).toBe('invalid_token');
    expect(atOnce(open.identify({ apiKey: 'wrong' }, ADDRESS))).toBe('invalid_token');
  });
});

describe('API keys', () => {
  test('are answered at once, wherever they are shown', () => {
    for (const credentials of [{ apiKey: 'monkey-business' }, { token: 'monkey-business' }])
      expect(atOnce(bySecret().identify(credentials, ADDRESS))).toBe('key:dashboard');
    expect(atOnce(bySecret().identify({ token: 'like.a.jwt-but-none' }, ADDRESS))).toBe('key:dotted');
    expect(atOnce(authenticator(undefined).identify({ apiKey: 'monkey-business' }, ADDRESS))).toBe(
      'key:dashboard',
    );
  });

  test('are no JWTs, and JWTs no API keys', async () => {
    expect(atOnce(bySecret().identify({ apiKey: await token() }, ADDRESS))).toBe('invalid_token');
    expect(atOnce(authenticator(undefined).identify({ token: await token() }, ADDRESS))).toBe(
      'invalid_token',
    );
  });

  test('count after a token', async () => {
    const authenticator = bySecret();
    expect(await inTheEnd(authenticator, { token: await token(), apiKey: 'monkey-business' })).toBe(
      'user:ada',
    );
    expect(await inTheEnd(authenticator, { token: 'wrong', apiKey: 'monkey-business' })).toBe(
      'invalid_token',
    );
    expect(await inTheEnd(authenticator, { token: '', apiKey: 'monkey-business' })).toBe('key:dashboard');
  });
});

describe('JWTs', () => {
  test('are answered by a promise when they are new, and at once when they were seen before', async () => {
    const authenticator = bySecret();
    const text = await token();
    const first = authenticator.identify({ token: text }, ADDRESS);
    expect(atOnce(first)).toBe('later');
    expect(nameOf(await first)).toBe('user:ada');
    expect(atOnce(authenticator.identify({ token: text }, 'elsewhere'))).toBe('user:ada');
    expect(atOnce(authenticator.identify({ token: await token({ sub: 'bob' }) }, ADDRESS))).toBe('later');
  });

  test('are checked again after a minute, so that a withdrawn key is not good for longer', async () => {
    const authenticator = byJwks();
    const text = await tokenByKey();
    expect(await inTheEnd(authenticator, { token: text })).toBe('user:ada');
    server.serve([
      { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'k' },
    ]);
    clock.advance(10 * 60_000 - 1);
    expect(await inTheEnd(authenticator, { token: text })).toBe('user:ada');
    await waitUntil(() => counters.get('jwks_fetches', 'good') === 2);
    clock.advance(59_999);
    expect(atOnce(authenticator.identify({ token: text }, ADDRESS))).toBe('user:ada');
    clock.advance(2);
    expect(await inTheEnd(authenticator, { token: text })).toBe('invalid_token');
  });

  test('are not good a moment longer than they say, though they were seen before', async () => {
    const authenticator = bySecret();
    const text = await token({ exp: NOW_S + 10 });
    expect(await inTheEnd(authenticator, { token: text })).toBe('user:ada');
    clock.advance(9999);
    expect(atOnce(authenticator.identify({ token: text }, ADDRESS))).toBe('user:ada');
    clock.advance(1);
    expect(await inTheEnd(authenticator, { token: text })).toBe('token_expired');
    expect(counters.get('callers_refused', 'token_expired')).toBe(1);
  });

  test('expire by the wall clock, also when that is put right', async () => {
    const authenticator = bySecret();
    const text = await token({ exp: NOW_S + 3600 });
    expect(await inTheEnd(authenticator, { token: text })).toBe('user:ada');
    clock.jumpWall(3_600_000);
    expect(await inTheEnd(authenticator, { token: text })).toBe('token_expired');
  });

  test('that were refused are not remembered', async () => {
    const authenticator = byJwks();
    server.say('out of order', 503);
    const text = await tokenByKey();
    expect(await inTheEnd(authenticator, { token: text })).toBe('auth_unavailable');
    server.serve([{ ...keyPair.publicKey.export({ format: 'jwk' }), kid: 'k' }]);
    clock.advance(5000);
    expect(await inTheEnd(authenticator, { token: text })).toBe('user:ada');
    expect(counters.get('callers_refused', 'auth_unavailable')).toBe(1);
  });

  test('longer than 8192 characters are refused at once', async () => {
    const text = await token({ padding: 'x'.repeat(8192) });
    expect(atOnce(bySecret().identify({ token: text }, ADDRESS))).toBe('invalid_token');
  });

  test('that many show at once are checked once', async () => {
    const authenticator = bySecret();
    const text = await token();
    const [first, second] = await Promise.all(
      [1, 2].map(async () => authenticator.identify({ token: text }, ADDRESS)),
    );
    expect(first).toBe(second);
    // Refused ones are counted for each who shows them.
    const wrong = `${text.slice(0, -5)}AAAAA`;
    await Promise.all([1, 2, 3].map(async () => authenticator.identify({ token: wrong }, ADDRESS)));
    expect(counters.get('callers_refused', 'invalid_token')).toBe(3);
  });

  test('a thousand can wait for a key at the same time, and none waits with them whose key is known', async () => {
    const jwks = new JwksSource(server.url, { clock, logger: silentLogger, counters });
    const door = authenticator(new JwtVerifier({ secret: SECRET, jwks, clock }));
    expect(await inTheEnd(door, { token: await tokenByKey() })).toBe('user:ada');
    let answer: (() => void) | undefined;
    server.answer = (response) => {
      answer = () => response.end('{}');
    };
    const [, claims, signature] = (await tokenByKey()).split('.');
    const nth = (n: number): string => {
      const header = JSON.stringify({ alg: 'ES256', kid: `unknown-${String(n)}` });
      return `${Buffer.from(header).toString('base64url')}.${String(claims)}.${String(signature)}`;
    };
    const checks = Array.from({ length: 1000 }, (_, n) => door.identify({ token: nth(n) }, ADDRESS));
    await waitUntil(() => answer !== undefined);
    expect(await door.identify({ token: nth(1000) }, ADDRESS)).toMatchObject({
      code: 'auth_unavailable',
      retryAfterMs: 1000,
    });
    // Good ones, new ones too, have nothing to wait for.
    expect(await inTheEnd(door, { token: await token({ sub: 'bob' }) })).toBe('user:bob');
    expect(await inTheEnd(door, { token: await tokenByKey({ sub: 'eve' }) })).toBe('user:eve');
    expect(atOnce(door.identify({ apiKey: 'monkey-business' }, ADDRESS))).toBe('key:dashboard');
    // Whoever shows one that is being checked waits with the first.
    const shared = door.identify({ token: nth(7) }, ADDRESS);
    expect(atOnce(shared)).toBe('later');
    answer?.();
    expect(new Set((await Promise.all([...checks, shared])).map(nameOf))).toEqual(
      new Set(['auth_unavailable']),
    );
    expect(server.requests).toBe(2);
    expect(counters.get('callers_refused', 'auth_unavailable')).toBe(1002);
  });
});

/** What a wrong key is answered; each `n` is another key. */
function guess(door: TokenAuthenticator, n: number, address = ADDRESS): string {
  return atOnce(door.identify({ apiKey: `guess-${String(n)}` }, address));
}

/** Makes that many wrong guesses, each a new one. */
function guessed(door: TokenAuthenticator, count: number, address = ADDRESS): string[] {
  return Array.from({ length: count }, (_, n) => guess(door, n, address));
}

describe('too many wrong credentials', () => {
  test('a guesser learns nothing, not even of the right key, and the wait is told', () => {
    const door = bySecret();
    expect(new Set(guessed(door, 20))).toEqual(new Set(['invalid_token']));
    expect(door.identify({ apiKey: 'monkey-business' }, ADDRESS)).toMatchObject({
      code: 'too_many_attempts',
      retryAfterMs: 1000,
    });
    expect([guess(door, 21), atOnce(door.identify({ token: 'monkey-business' }, ADDRESS))]).toEqual([
      'too_many_attempts',
      'too_many_attempts',
    ]);
    expect(counters.get('callers_refused', 'too_many_attempts')).toBe(3);
    clock.advance(1000);
    expect(atOnce(door.identify({ apiKey: 'monkey-business' }, ADDRESS))).toBe('key:dashboard');
  });

  test('clients that were let in from there before, other addresses and JWTs notice nothing', async () => {
    const door = bySecret();
    expect(atOnce(door.identify({ apiKey: 'monkey-business' }, ADDRESS))).toBe('key:dashboard');
    guessed(door, 20);
    expect(guess(door, 20)).toBe('too_many_attempts');
    expect(atOnce(door.identify({ token: 'monkey-business' }, ADDRESS))).toBe('key:dashboard');
    expect(atOnce(door.identify({ token: 'like.a.jwt-but-none' }, ADDRESS))).toBe('too_many_attempts');
    expect(atOnce(door.identify({ token: 'like.a.jwt-but-none' }, '192.0.2.8'))).toBe('key:dotted');
    expect(await inTheEnd(door, { token: await token() })).toBe('user:ada');
    expect(atOnce(door.identify({}, ADDRESS))).toBe('unauthenticated');
  });

  test('the addresses of one IPv6 network wait together', () => {
    const door = bySecret();
    for (let n = 0; n < 20; n += 1) guess(door, n, `2001:db8:1:2::${String(n)}`);
    expect(guess(door, 20, '2001:db8:1:2::ffff')).toBe('too_many_attempts');
    expect(guess(door, 20, '2001:db8:1:3::1')).toBe('invalid_token');
  });

  test('one wrong key, however often it is shown, is one guess', () => {
    const door = bySecret();
    for (let n = 0; n < 1000; n += 1) expect(guess(door, 0)).toBe('invalid_token');
    guessed(door, 20);
    // And stays what it was, also while the address waits.
    expect([guess(door, 0), guess(door, 20)]).toEqual(['invalid_token', 'too_many_attempts']);
  });

  test('malformed tokens, and JWTs where none are taken, are guesses', async () => {
    const door = authenticator(undefined);
    const shown = ['a.b.c', 'x', await token()];
    for (const text of shown) expect(atOnce(door.identify({ token: text }, ADDRESS))).toBe('invalid_token');
    expect(guessed(door, 18).at(-1)).toBe('too_many_attempts');
  });

  test('wrong signatures from one address are checked at a rate', async () => {
    const door = bySecret();
    const [head, claims] = (await token()).split('.');
    const nth = (n: number): Credentials => ({
      token: `${String(head)}.${String(claims)}.${Buffer.from(`wrong ${String(n)}`).toString('base64url')}`,
    });
    for (let n = 0; n < 200; n += 1) expect(await inTheEnd(door, nth(n))).toBe('invalid_token');
    expect(door.identify(nth(200), ADDRESS)).toMatchObject({ code: 'too_many_attempts', retryAfterMs: 20 });
    expect(nameOf(await door.identify(nth(200), '192.0.2.8'))).toBe('invalid_token');
    clock.advance(20);
    expect(await inTheEnd(door, { token: await token() })).toBe('user:ada');
    expect(await inTheEnd(door, nth(201))).toBe('invalid_token');
    // A good one that was seen before needs no check, and later no leave for one.
    expect(await inTheEnd(door, nth(202))).toBe('too_many_attempts');
    expect(atOnce(door.identify({ token: await token() }, ADDRESS))).toBe('user:ada');
    clock.advance(61_000);
    for (let n = 300; n < 500; n += 1) await inTheEnd(door, nth(n));
    expect(await inTheEnd(door, nth(500))).toBe('too_many_attempts');
    expect(await inTheEnd(door, { token: await token() })).toBe('user:ada');
    expect(await inTheEnd(door, { token: await token({ sub: 'bob' }) })).toBe('too_many_attempts');
  });

  test('expired tokens count as nothing, and are checked once', async () => {
    const door = bySecret();
    const text = await token({ exp: NOW_S - 1 });
    expect(await inTheEnd(door, { token: text })).toBe('token_expired');
    for (let n = 0; n < 1000; n += 1)
      expect(atOnce(door.identify({ token: text }, ADDRESS))).toBe('token_expired');
    expect(await inTheEnd(door, { token: await token() })).toBe('user:ada');
  });
});

describe('whatever is shown', () => {
  test('it lets nobody in who has no key, and nothing throws', async () => {
    const authenticator = bySecret();
    let tried = 0;
    const part = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '_', 'e', 'y', 'J'), maxLength: 20 });
    const text = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', 'Z', '0', '.', '-', '_', ' ', '\n', '\0', 'ä', '猫', '\uD800'),
        maxLength: 40,
      }),
      fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'dashboard',
        'key:dashboard',
        'undefined',
        'null',
        ' ',
      ),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.record({ token: text, apiKey: text }, { requiredKeys: [] }),
        async (credentials) => {
          // From anywhere: too many from one address are not looked at.
          const name = nameOf(await authenticator.identify(credentials, `192.0.2.${String(tried)}`));
          tried += 1;
          return (
            name === 'invalid_token' ||
            (name === 'unauthenticated' && !credentials.token && !credentials.apiKey)
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});
