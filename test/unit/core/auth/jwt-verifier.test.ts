import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { base64url, SignJWT, UnsecuredJWT } from 'jose';
import type { Caller } from '../../../../src/core/auth/caller.js';
import { JwksSource } from '../../../../src/core/auth/jwks.js';
import { type JwtSettings, JwtVerifier } from '../../../../src/core/auth/jwt-verifier.js';
import { Refusal } from '../../../../src/core/errors.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { KeyServer } from '../../../support/key-server.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const SECRET = 'a secret of our own, long enough';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const secretKey = new TextEncoder().encode(SECRET);

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const jwk = (key: KeyObject): object => key.export({ format: 'jwk' });

const clock = new TurnedClock(1_800_000_000_000);
const NOW_S = 1_800_000_000;
const GOOD = { sub: 'ada', exp: NOW_S + 60 };

/** A key that signs, and the algorithm it is for. */
type Signer = readonly [alg: string, key: KeyObject | Uint8Array];
const byHs256: Signer = ['HS256', secretKey];
const byRs256: Signer = ['RS256', rsa.privateKey];
const byEs256: Signer = ['ES256', p256.privateKey];
const byEdDsa: Signer = ['EdDSA', ed25519.privateKey];

function sign([alg, key]: Signer, claims: object = GOOD, header: object = {}): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg, ...header }).sign(key);
}

/** A token put together by hand, its parts any bytes. */
function forged(header: unknown, claims: unknown, signature: (input: string) => Uint8Array): string {
  const input = [header, claims]
    .map((part) => base64url.encode(typeof part === 'string' ? part : JSON.stringify(part)))
    .join('.');
  return `${input}.${base64url.encode(signature(input))}`;
}

const hmac =
  (key: string | Uint8Array) =>
  (input: string): Uint8Array =>
    createHmac('sha256', key).update(input).digest();

function verifier(settings: Omit<JwtSettings, 'clock'>): JwtVerifier {
  return new JwtVerifier({ ...settings, clock });
}

async function callerOf(jwt: JwtVerifier, token: string): Promise<Caller> {
  const caller = await jwt.verify(token);
  if (caller instanceof Refusal) throw new Error(`refused: ${caller.code} ${caller.message}`);
  return caller;
}

async function refusalOf(jwt: JwtVerifier, token: string): Promise<Refusal> {
  const refusal = await jwt.verify(token);
  if (!(refusal instanceof Refusal)) throw new Error(`${refusal.id} was let in`);
  return refusal;
}

const bySecret = verifier({ secret: SECRET });
const byPem = verifier({ publicKeyPem: pem(rsa.publicKey) });

describe('a good token', () => {
  test.each<[string, Signer, Omit<JwtSettings, 'clock'>]>([
    ['HS256', byHs256, { secret: SECRET }],
    ['RS256', byRs256, { publicKeyPem: pem(rsa.publicKey) }],
    ['ES256', byEs256, { publicKeyPem: pem(p256.publicKey) }],
    ['EdDSA', byEdDsa, { publicKeyPem: pem(ed25519.publicKey) }],
    ['HS256, beside a public key', byHs256, { secret: SECRET, publicKeyPem: pem(rsa.publicKey) }],
    ['RS256, beside a secret', byRs256, { secret: SECRET, publicKeyPem: pem(rsa.publicKey) }],
  ])('says who comes: %s', async (_, signer, settings) => {
    const rights = { subscribe: ['monitor*'], admin: ['status'] };
    const token = await sign(signer, { ...GOOD, flipgate: rights }, { kid: 'whatever', typ: 'JWT' });
    const caller = await callerOf(verifier(settings), token);
    expect(caller).toMatchObject({ id: 'user:ada', expiresAt: GOOD.exp * 1000, isKnown: true });
    expect(caller.rights.maySubscribe('monitor-1')).toBe(true);
    expect(caller.rights.maySubscribe('default')).toBe(false);
    expect(caller.rights.mayAdminister('status')).toBe(true);
    expect(caller.rights.mayAdminister('flip')).toBe(false);
  });

  test('without the claim "flipgate" allows nothing', async () => {
    const { rights } = await callerOf(bySecret, await sign(byHs256));
    expect([rights.maySubscribe('default'), rights.mayPublish('default'), rights.mayCommand('x')]).toEqual([
      false,
      false,
      false,
    ]);
    expect(rights.mayAdminister('status')).toBe(false);
  });

  test('may be of one issuer and for several audiences', async () => {
    const picky = verifier({ secret: SECRET, issuer: 'https://id', audience: 'flipgate' });
    const claims = { ...GOOD, iss: 'https://id' };
    expect((await callerOf(picky, await sign(byHs256, { ...claims, aud: 'flipgate' }))).id).toBe('user:ada');
    expect((await callerOf(picky, await sign(byHs256, { ...claims, aud: ['x', 'flipgate'] }))).id).toBe(
      'user:ada',
    );
  });

  test('may have a subject of 256 characters, of any language', async () => {
    const sub = '猫'.repeat(256);
    expect((await callerOf(bySecret, await sign(byHs256, { ...GOOD, sub }))).id).toBe(`user:${sub}`);
  });
});

describe('the claims', () => {
  const picky = verifier({ secret: SECRET, issuer: 'https://id', audience: 'flipgate' });
  const good = { ...GOOD, iss: 'https://id', aud: 'flipgate' };

  test.each<[string, object, RegExp]>([
    ['no sub', { sub: undefined }, /"sub"/],
    ['an empty sub', { sub: '' }, /"sub"/],
    ['a long sub', { sub: 'x'.repeat(257) }, /"sub"/],
    ['a sub that is a number', { sub: 7 }, /"sub"/],
    ['a sub with a line end', { sub: 'ada\nroot' }, /"sub"/],
    ['a sub with a line separator', { sub: 'ada\u2028' }, /"sub"/],
    ['a sub that turns writing around', { sub: 'ada\u202E' }, /"sub"/],
    ['a sub of half a character', { sub: 'ada\uD800' }, /"sub"/],
    ['no exp', { exp: undefined }, /"exp"/],
    ['an exp that is text', { exp: '9999999999' }, /"exp"/],
    ['an exp that is null', { exp: null }, /"exp"/],
    ['an exp beyond all time', { exp: 1e300 }, /"exp"/],
    ['an nbf that is text', { nbf: '0' }, /not yet valid/],
    ['another issuer', { iss: 'https://id.evil' }, /another issuer/],
    ['no issuer', { iss: undefined }, /another issuer/],
    ['another audience', { aud: ['other'] }, /another audience/],
    ['no audience', { aud: undefined }, /another audience/],
    ['rights that are text', { flipgate: '*' }, /"flipgate"/],
    ['rights that are null', { flipgate: null }, /"flipgate"/],
    ['rights that are no lists', { flipgate: { subscribe: '*' } }, /"flipgate"/],
    ['rights there are not', { flipgate: { everything: ['*'] } }, /"flipgate"/],
  ])('%s is refused', async (_, claims, message) => {
    const refusal = await refusalOf(picky, await sign(byHs256, { ...good, ...claims }));
    expect(refusal).toMatchObject({ code: 'invalid_token', message: expect.stringMatching(message) });
  });

  test('an exp that no number is as large as is refused', async () => {
    const token = forged({ alg: 'HS256' }, '{"sub":"ada","exp":1e999}', hmac(SECRET));
    expect(await refusalOf(bySecret, token)).toMatchObject({ message: expect.stringMatching(/"exp"/) });
  });

  test.each(['[]', 'null', '7', '"x"', '{', '', '\u0000'])(
    'claims that are %j are refused',
    async (claims) => {
      const refusal = await refusalOf(bySecret, forged({ alg: 'HS256' }, claims, hmac(SECRET)));
      expect(refusal.code).toBe('invalid_token');
    },
  );

  test('rights by prototype are none', async () => {
    const claims = `{"sub":"ada","exp":${String(GOOD.exp)},"__proto__":{"flipgate":{"admin":["*"]}}}`;
    const { rights } = await callerOf(bySecret, forged({ alg: 'HS256' }, claims, hmac(SECRET)));
    expect(rights.mayAdminister('status')).toBe(false);
  });

  test('what is wrong is told, and nothing of what the token says', async () => {
    const word = 'xyzzy';
    const claims = { ...good, sub: word, iss: word, flipgate: { [word]: word } };
    for (const token of [
      await sign(byHs256, claims),
      await sign(byHs256, { ...claims, iss: 'https://id' }),
      await sign(byHs256, { ...claims, iss: 'https://id', aud: word }),
      await sign(['ES256', stranger.privateKey], claims, { kid: word }),
      forged({ alg: word }, claims, hmac(SECRET)),
    ]) {
      const { message } = await refusalOf(picky, token);
      expect(message).not.toContain(word);
      for (const part of token.split('.')) expect(message).not.toContain(part);
    }
  });
});

describe('time', () => {
  test('a token is good to the very second it expires at, and not a moment longer', async () => {
    const turned = new TurnedClock(NOW_S * 1000);
    const jwt = new JwtVerifier({ secret: SECRET, clock: turned });
    const token = await sign(byHs256, { sub: 'ada', exp: NOW_S + 2 });
    turned.advance(1999);
    expect((await callerOf(jwt, token)).expiresAt).toBe((NOW_S + 2) * 1000);
    turned.advance(1);
    expect(await refusalOf(jwt, token)).toMatchObject({ code: 'token_expired' });
    turned.advance(3_600_000);
    expect(await refusalOf(jwt, token)).toMatchObject({ code: 'token_expired' });
  });

  test('half a second counts', async () => {
    const turned = new TurnedClock(NOW_S * 1000);
    const jwt = new JwtVerifier({ secret: SECRET, clock: turned });
    const token = await sign(byHs256, { sub: 'ada', exp: NOW_S + 0.5 });
    expect((await callerOf(jwt, token)).expiresAt).toBe(NOW_S * 1000 + 500);
    turned.advance(500);
    expect(await refusalOf(jwt, token)).toMatchObject({ code: 'token_expired' });
  });

  test.each([0, -1, NOW_S - 100])('one that expired at %d is expired', async (exp) => {
    expect(await refusalOf(bySecret, await sign(byHs256, { sub: 'ada', exp }))).toMatchObject({
      code: 'token_expired',
    });
  });

  test('one that is not yet valid is refused, but for five seconds by which clocks may differ', async () => {
    const turned = new TurnedClock(NOW_S * 1000);
    const jwt = new JwtVerifier({ secret: SECRET, clock: turned });
    const token = await sign(byHs256, { ...GOOD, nbf: NOW_S + 6 });
    expect(await refusalOf(jwt, token)).toMatchObject({
      code: 'invalid_token',
      message: expect.stringMatching(/not yet valid/),
    });
    turned.advance(1000);
    expect((await callerOf(jwt, token)).id).toBe('user:ada');
  });

  test('a forged token is never told to be expired', async () => {
    const token = await sign(['HS256', randomBytes(32)], { sub: 'ada', exp: 1 });
    expect((await refusalOf(bySecret, token)).code).toBe('invalid_token');
  });
});

describe('keys and algorithms', () => {
  test.each<[string, Signer]>([
    ['HS256', ['HS256', randomBytes(32)]],
    ['RS256', ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey]],
  ])('what somebody else signed with %s is refused', async (_, signer) => {
    const both = verifier({ secret: SECRET, publicKeyPem: pem(rsa.publicKey) });
    expect(await refusalOf(both, await sign(signer))).toMatchObject({
      code: 'invalid_token',
      message: expect.stringMatching(/signature/),
    });
  });

  test.each<[string, JwtVerifier, Signer]>([
    ['HS256, where only a public key is known', byPem, byHs256],
    ['RS256, where only a secret is known', bySecret, byRs256],
    ['ES256, where the public key is RSA', byPem, byEs256],
    ['EdDSA, where the public key is RSA', byPem, byEdDsa],
    ['PS256, with the very key', byPem, ['PS256', rsa.privateKey]],
    ['RS512, with the very key', byPem, ['RS512', rsa.privateKey]],
    ['HS512, with the very secret', bySecret, ['HS512', new TextEncoder().encode(SECRET)]],
  ])('%s is refused', async (_, jwt, signer) => {
    expect(await refusalOf(jwt, await sign(signer))).toMatchObject({
      code: 'invalid_token',
      message: expect.stringMatching(/algorithm/),
    });
  });

  test('a public key never serves as a secret', async () => {
    const text = pem(rsa.publicKey);
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
    for (const jwt of [byPem, verifier({ secret: SECRET, publicKeyPem: text })])
      for (const key of [text, text.trim(), der, JSON.stringify(jwk(rsa.publicKey)), ''])
        expect((await refusalOf(jwt, forged({ alg: 'HS256' }, GOOD, hmac(key)))).code).toBe('invalid_token');
  });

  test.each(['none', 'None', 'NONE', 'nOnE', '', 'hs256', 'HS256 ', 'toString', '__proto__', 'constructor'])(
    'the algorithm %j is none',
    async (alg) => {
      for (const jwt of [bySecret, byPem])
        for (const signature of [hmac(SECRET), () => new Uint8Array()])
          expect((await refusalOf(jwt, forged({ alg }, GOOD, signature))).code).toBe('invalid_token');
    },
  );

  test('a token without a signature is refused', async () => {
    expect((await refusalOf(bySecret, new UnsecuredJWT(GOOD).encode())).code).toBe('invalid_token');
    const [header, claims] = (await sign(byHs256)).split('.');
    expect((await refusalOf(bySecret, `${String(header)}.${String(claims)}.`)).code).toBe('invalid_token');
  });

  test('each bit of a token counts', async () => {
    const token = await sign(byHs256);
    for (let index = 0; index < token.length - 1; index += 1) {
      const other = token[index] === 'A' ? 'B' : 'A';
      const altered = token.slice(0, index) + other + token.slice(index + 1);
      expect(await bySecret.verify(altered)).toBeInstanceOf(Refusal);
    }
  });

  test.each([
    { crit: ['exp'], exp: 1 },
    { crit: ['b64'], b64: false },
    { crit: [] },
    { crit: 'x' },
    { kid: 7 },
  ])('the header %j is refused', async (header) => {
    const token = forged({ alg: 'HS256', ...header }, GOOD, hmac(SECRET));
    expect((await refusalOf(bySecret, token)).code).toBe('invalid_token');
  });

  test('longer than 8192 characters is refused without a look', async () => {
    const claims = { ...GOOD, padding: 'x'.repeat(8192) };
    expect(await refusalOf(bySecret, await sign(byHs256, claims))).toMatchObject({
      code: 'invalid_token',
      message: expect.stringMatching(/8192/),
    });
  });

  test.each([
    [{ secret: 'short' }, /JWT secret: .*32 bytes/],
    [{ publicKeyPem: 'no key' }, /JWT public key: .*PEM/],
  ])('%j is a fault at the start', (settings, fault) => {
    expect(() => verifier(settings)).toThrow(fault);
  });
});

describe('the longest lifetime', () => {
  const bounded = verifier({ secret: SECRET, maxLifetimeMs: 60_000 });

  test.each<[string, object]>([
    ['from its issue', { iat: NOW_S - 30, exp: NOW_S + 30 }],
    ['from now, without one', { exp: NOW_S + 60 }],
    ['by a clock that is a little ahead', { iat: NOW_S + 5, exp: NOW_S + 65 }],
  ])('a token that lives no longer is taken: %s', async (_, claims) => {
    await expect(callerOf(bounded, await sign(byHs256, { sub: 'ada', ...claims }))).resolves.toBeDefined();
  });

  test.each<[string, object]>([
    ['from its issue', { iat: NOW_S - 3600, exp: NOW_S + 30 }],
    ['from now, without one', { exp: NOW_S + 3600 }],
    ['issued in the future', { iat: NOW_S + 86_370, exp: NOW_S + 86_400 }],
  ])('a token that lives longer is refused: %s', async (_, claims) => {
    const token = await sign(byHs256, { sub: 'ada', ...claims });
    expect(await refusalOf(bounded, token)).toMatchObject({
      code: 'invalid_token',
      message: 'the token is not taken: its lifetime is longer than 60 s (JWT_MAX_LIFETIME)',
    });
    await expect(callerOf(bySecret, token)).resolves.toBeDefined();
  });
});

describe('while keys are rotated', () => {
  test('tokens by either secret are taken, others are not', async () => {
    const previous = 'the secret that was used before';
    const other = new TextEncoder().encode('a secret that nobody knows here!');
    const both = verifier({ secret: SECRET, previousSecret: `${previous}!` });
    const old: Signer = ['HS256', new TextEncoder().encode(`${previous}!`)];
    expect((await callerOf(both, await sign(byHs256))).id).toBe('user:ada');
    expect((await callerOf(both, await sign(old))).id).toBe('user:ada');
    expect((await refusalOf(both, await sign(['HS256', other]))).code).toBe('invalid_token');
    expect((await refusalOf(bySecret, await sign(old))).code).toBe('invalid_token');
  });

  test('tokens by any key of the file are taken', async () => {
    const second = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const both = verifier({ publicKeyPem: pem(second.publicKey) + pem(rsa.publicKey) });
    expect((await callerOf(both, await sign(byRs256))).id).toBe('user:ada');
    expect((await callerOf(both, await sign(['RS256', second.privateKey]))).id).toBe('user:ada');
    expect((await refusalOf(byPem, await sign(['RS256', second.privateKey]))).code).toBe('invalid_token');
  });
});

describe('keys of a JWKS', () => {
  let server: KeyServer;
  let trap: KeyServer;
  let jwt: JwtVerifier;

  beforeAll(async () => {
    server = await KeyServer.open();
    trap = await KeyServer.open();
    trap.serve([{ ...jwk(stranger.publicKey), kid: 'mine' }]);
    server.serve([
      { ...jwk(rsa.publicKey), kid: 'r', use: 'sig', alg: 'RS256' },
      { ...jwk(p256.publicKey), kid: 'e' },
      { ...jwk(ed25519.publicKey), kid: 'd' },
      { kty: 'oct', k: base64url.encode(SECRET), kid: 'o', alg: 'HS256' },
    ]);
    const jwks = new JwksSource(server.url, { clock, logger: silentLogger, counters: new Counters() });
    jwt = verifier({ jwks });
    await callerOf(jwt, await sign(byRs256, GOOD, { kid: 'r' }));
  });
  afterAll(async () => {
    await server.close();
    await trap.close();
  });

  test.each<[string, Signer, object]>([
    ['RS256', byRs256, { kid: 'r' }],
    ['ES256', byEs256, { kid: 'e' }],
    ['EdDSA', byEdDsa, { kid: 'd' }],
    ['ES256, without a name', byEs256, {}],
  ])('check tokens: %s', async (_, signer, header) => {
    expect((await callerOf(jwt, await sign(signer, GOOD, header))).id).toBe('user:ada');
  });

  test('nothing in a header leads to another key', async () => {
    const lure = { jku: trap.url, x5u: trap.url, jwk: jwk(stranger.publicKey), x5c: ['AAAA'] };
    const mine: Signer = ['ES256', stranger.privateKey];
    for (const header of [{ ...lure, kid: 'e' }, { ...lure, kid: 'mine' }, lure])
      expect(await jwt.verify(await sign(mine, GOOD, header))).toBeInstanceOf(Refusal);
    expect(
      (await refusalOf(verifier({ publicKeyPem: pem(p256.publicKey) }), await sign(mine, GOOD, lure))).code,
    ).toBe('invalid_token');
    // They are no fault either: a token may carry them, and they are not followed.
    expect((await callerOf(jwt, await sign(byEs256, GOOD, { ...lure, kid: 'e' }))).id).toBe('user:ada');
    expect(trap.requests).toBe(0);
  });

  test('a symmetric key among them signs nothing', async () => {
    for (const header of [{}, { kid: 'o' }, { kid: 'r' }])
      expect((await refusalOf(jwt, await sign(byHs256, GOOD, header))).code).toBe('invalid_token');
  });

  test('a key is used for its own algorithm only', async () => {
    expect(await jwt.verify(await sign(byEs256, GOOD, { kid: 'r' }))).toBeInstanceOf(Refusal);
    expect((await refusalOf(jwt, await sign(['PS256', rsa.privateKey], GOOD, { kid: 'r' }))).code).toBe(
      'invalid_token',
    );
  });

  test('a wrong signature under a known name is refused for good', async () => {
    const token = await sign(['ES256', stranger.privateKey], GOOD, { kid: 'e' });
    expect(await refusalOf(jwt, token)).toMatchObject({
      code: 'invalid_token',
      message: expect.stringMatching(/signature/),
    });
  });

  test('a key that has been replaced without a new name is found when no old one fits', async () => {
    const turned = new TurnedClock(NOW_S * 1000);
    const nameless = await KeyServer.open();
    try {
      const jwks = new JwksSource(nameless.url, {
        clock: turned,
        logger: silentLogger,
        counters: new Counters(),
      });
      const own = new JwtVerifier({ jwks, clock: turned });
      nameless.serve([jwk(stranger.publicKey)]);
      await callerOf(own, await sign(['ES256', stranger.privateKey]));
      nameless.serve([jwk(p256.publicKey)]);
      expect((await callerOf(own, await sign(byEs256))).id).toBe('user:ada');
      expect((await refusalOf(own, await sign(['ES256', stranger.privateKey]))).code).toBe('invalid_token');
      // Three fetches, and nobody can say whether the next one is forged or new.
      expect(await refusalOf(own, await sign(['ES256', stranger.privateKey]))).toMatchObject({
        code: 'auth_unavailable',
        retryAfterMs: 5000,
      });
      expect((await callerOf(own, await sign(byEs256))).id).toBe('user:ada');
    } finally {
      await nameless.close();
    }
  });
});

/** JSON text of an object with some of these names: any of them may come twice, and `__proto__` is one like others. */
function objectText(names: readonly string[], value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const member = fc
    .tuple(fc.constantFrom(...names), value)
    .map(([name, inside]) => `${JSON.stringify(name)}:${JSON.stringify(inside)}`);
  return fc.array(member, { maxLength: 5 }).map((members) => `{${members.join(',')}}`);
}

describe('whatever is shown', () => {
  const publicText = pem(rsa.publicKey);
  const all = verifier({ secret: SECRET, publicKeyPem: publicText });
  const json = fc.oneof(
    fc.constantFrom<unknown>(null, true, {}, [], ['b64'], '*', -1, 1e300),
    fc.string({ maxLength: 5 }),
    fc.integer(),
  );
  const alg = fc.constantFrom<unknown>(
    'none',
    'None',
    'HS256',
    'HS256',
    'RS256',
    'ES256',
    'HS512',
    'PS256',
    '__proto__',
    null,
    ['HS256'],
  );
  const header = fc.oneof(
    fc
      .tuple(
        alg,
        objectText(
          ['kid', 'jwk', 'jku', 'crit', 'b64', 'x5c', 'zip', '__proto__', 'constructor', 'typ'],
          json,
        ),
      )
      .map(([value, rest]) => `{"alg":${JSON.stringify(value)}${rest === '{}' ? '' : ','}${rest.slice(1)}`),
    objectText(['alg', '__proto__', 'constructor'], fc.oneof(alg, json)),
    fc.string(),
  );
  const everything = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };
  const claims = objectText(
    ['sub', 'exp', 'nbf', 'aud', 'flipgate', '__proto__', 'constructor', 'prototype'],
    fc.oneof(fc.constantFrom<unknown>(everything, { flipgate: everything }, 'root', GOOD.exp), json),
  );
  const signature = fc.constantFrom(
    () => new Uint8Array(),
    () => new Uint8Array(32),
    () => randomBytes(64),
    hmac(''),
    hmac(publicText),
    hmac(publicText.trim()),
    hmac(rsa.publicKey.export({ type: 'spki', format: 'der' })),
    hmac('undefined'),
  );

  test('what nobody has signed lets nobody in, and nothing throws', async () => {
    const token = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.tuple(header, claims, signature).map(([head, body, by]) => forged(head, body, by)),
      },
      {
        weight: 1,
        arbitrary: fc.string({
          unit: fc.constantFrom('a', 'Z', '0', '.', '-', '_', '=', '\n', '\0', 'ä', '猫', '\uD800'),
          maxLength: 50,
        }),
      },
      {
        weight: 1,
        arbitrary: fc
          .array(fc.base64String({ maxLength: 40 }), { maxLength: 5 })
          .map((parts) => parts.join('.')),
      },
    );
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        const refusal = await all.verify(text);
        return refusal instanceof Refusal && refusal.code === 'invalid_token';
      }),
      { numRuns: 2500 },
    );
  });

  test('what is signed allows what its own claim "flipgate" says, and never throws', async () => {
    let letIn = 0;
    const good = `{"sub":"ada","exp":${String(GOOD.exp)}`;
    const signed = claims.map((text) => (text === '{}' ? `${good}}` : `${good},${text.slice(1)}`));
    const heads = fc.oneof(
      { weight: 2, arbitrary: fc.constant('{"alg":"HS256"}') },
      { weight: 1, arbitrary: header },
    );
    await fc.assert(
      fc.asyncProperty(heads, signed, async (head, body) => {
        const caller = await all.verify(forged(head, body, hmac(SECRET)));
        if (caller instanceof Refusal) return true;
        letIn += 1;
        const said = new Map(Object.entries(JSON.parse(body) as object));
        const isListed = JSON.stringify(said.get('flipgate')) === JSON.stringify(everything);
        const { rights } = caller;
        return rights.mayAdminister('flip') === isListed && rights.maySubscribe('default') === isListed;
      }),
      { numRuns: 1000 },
    );
    expect(letIn).toBeGreaterThan(100);
  });
});
