import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Attack, forBatches, HostileRig, KEYS } from '../support/hostile-rig.js';
import { killLaunched } from '../support/launched-gateway.js';
import { nastyText } from '../support/nasty.js';
import { waitUntil } from '../support/wait-until.js';
import { WebsocketAttacker } from '../support/websocket-attacker.js';

const SECRET = 'a secret of at least thirty-two bytes';
const ALL = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };

const served = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = served.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const own = generateKeyPairSync('ed25519');
const ownEc = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let rig: HostileRig;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'flipgate-hostile-'));
  const file = path.join(folder, 'public.pem');
  writeFileSync(file, pem);
  rig = await HostileRig.open({
    JWT_SECRET: SECRET,
    JWT_PUBLIC_KEY_FILE: file,
    JWT_ISSUER: 'us',
    TRUSTED_PROXIES: 'loopback',
  });
});

afterAll(async () => {
  await killLaunched();
  rmSync(folder, { recursive: true });
});

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const hmac = (hash: string, key: string | Buffer) => (input: string) =>
  createHmac(hash, key).update(input).digest('base64url');
const signed = (key: KeyObject, hash: string | null) => (input: string) =>
  sign(hash, Buffer.from(input), hash === null ? key : { key, dsaEncoding: 'ieee-p1363' }).toString(
    'base64url',
  );

/** How an attacker signs: with nothing, with what is public, or with what is its own. */
const signers: Readonly<Record<string, (input: string) => string>> = {
  nothing: () => '',
  zeros: () => Buffer.alloc(256).toString('base64url'),
  'an ES256 signature of zeros': () => Buffer.alloc(64).toString('base64url'),
  'the public key as a secret': hmac('sha256', pem),
  'the public key as a secret, trimmed': hmac('sha256', pem.trim()),
  'the public key as a secret, in DER': hmac(
    'sha256',
    served.publicKey.export({ type: 'spki', format: 'der' }),
  ),
  'no secret': hmac('sha256', ''),
  'a secret that is nearly the one': hmac('sha256', SECRET.slice(0, -1)),
  'another hash': hmac('sha512', SECRET),
  'a key of its own, Ed25519': signed(own.privateKey, null),
  'a key of its own, P-256': signed(ownEc.privateKey, 'sha256'),
};

let addresses = 0;

/** A header that makes a request come from an address of its own: of one address, too many wrong tokens are not looked at. */
function newAddress(): string {
  addresses += 1;
  return `X-Forwarded-For: 10.0.${String((addresses >> 8) & 255)}.${String(addresses & 255)}`;
}

const text = (value: string): string => JSON.stringify(value);
const now = Math.floor(Date.now() / 1000);
const header = fc
  .record(
    {
      alg: fc.constantFrom(
        'none',
        'None',
        'nOnE',
        'HS256',
        'hs256',
        'HS384',
        'HS512',
        'RS256',
        'PS256',
        'ES256',
        'EdDSA',
        '',
        7,
        null,
        ['HS256'],
        '__proto__',
      ),
      typ: fc.constantFrom('JWT', 'at+jwt', 7),
      kid: fc.oneof(nastyText, fc.constantFrom('../../dev/null', 7, { toString: 1 })),
      jwk: fc.constantFrom(
        own.publicKey.export({ format: 'jwk' }),
        ownEc.publicKey.export({ format: 'jwk' }),
      ),
      jku: fc.constantFrom('http://127.0.0.1:1/jwks.json', 'file:///etc/passwd'),
      x5u: fc.constant('http://127.0.0.1:1/'),
      crit: fc.constantFrom(['b64'], ['exp'], [], 'x', ['__proto__']),
      b64: fc.boolean(),
      zip: fc.constant('DEF'),
      enc: fc.constant('A256GCM'),
    },
    { requiredKeys: ['alg'] },
  )
  .map((one) => JSON.stringify(one));
const claims = fc
  .record({
    sub: fc.constantFrom('ann', 'operator', 'key:operator'),
    iss: fc.constantFrom('us', 'them'),
    exp: fc.constantFrom(now + 600, now - 600, 1e300, '9999999999'),
    flipgate: fc.constantFrom<unknown>(ALL, { admin: ['*'] }, ['*'], '*'),
  })
  .map((one) => JSON.stringify(one));
const forged = fc.tuple(header, claims, fc.constantFrom(...Object.keys(signers))).map(([head, body, by]) => {
  const input = `${encode(head)}.${encode(body)}`;
  return `${input}.${signers[by]?.(input) ?? ''}`;
});

/** Tokens that we signed, and that say less, or are no good any more. */
const genuine = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(
      { exp: now - 10 },
      { exp: now + 600, nbf: now + 300 },
      { exp: now + 600, iss: 'them' },
      { exp: now + 600, sub: 7 },
      { exp: String(now + 600) },
      { exp: now + 600, flipgate: '*' },
      {},
    ),
    fc.constantFrom<unknown>(
      ALL,
      ['*'],
      { subscribe: '*' },
      { __proto__: ALL },
      { subscribe: [7, '*'] },
      { Subscribe: ['*'] },
    ),
    fc.constantFrom('', ',"__proto__":{"flipgate":{"admin":["*"]}}', ',"constructor":{"prototype":{}}'),
  )
  .map(([more, flipgate, rest]) => {
    const isGood =
      'exp' in more &&
      Object.keys(more).length === 1 &&
      Number(more.exp) > now &&
      typeof more.exp === 'number';
    const body = `${JSON.stringify({ sub: 'ann', iss: 'us', ...(isGood ? {} : { flipgate }), ...more }).slice(0, -1)}${rest}}`;
    const input = `${encode('{"alg":"HS256"}')}.${encode(body)}`;
    return `${input}.${hmac('sha256', SECRET)(input)}`;
  });
const limited = ((): string => {
  const input = `${encode('{"alg":"HS256"}')}.${encode({ sub: 'eve', iss: 'us', exp: now + 3600, flipgate: { subscribe: ['team.*'], publish: ['team.*'], command: ['team.*'] } })}`;
  return `${input}.${hmac('sha256', SECRET)(input)}`;
})();
/** One that is good for little, with a letter or more of it changed, or parts of others. */
const altered = fc.oneof(
  fc
    .tuple(fc.nat(limited.length - 1), fc.constantFrom('A', 'B', '-', '_', '.', '=', ' ', ''))
    .map(([at, letter]) => limited.slice(0, at) + letter + limited.slice(at + 1)),
  fc.constantFrom(
    `${limited}=`,
    `${limited}==`,
    `${limited}.`,
    `.${limited}`,
    limited.split('.').slice(0, 2).join('.'),
    `${limited}${'A'.repeat(7000)}`,
    limited.toUpperCase(),
  ),
  claims.map((body) => limited.replace(/\.[^.]+\./, `.${encode(body)}.`)),
);
const nonsense = fc.oneof(
  nastyText,
  fc.tuple(nastyText, nastyText, nastyText).map((parts) => parts.map(encode).join('.')),
  fc.constantFrom(
    '..',
    'a.b.c',
    'Bearer',
    KEYS.operator.slice(0, -1),
    KEYS.operator.toUpperCase(),
    `key:operator`,
  ),
);
const token = fc.oneof(
  { weight: 4, arbitrary: forged },
  { weight: 2, arbitrary: genuine },
  altered,
  nonsense,
);

const field = (value: string): string => value.replaceAll(/[\r\n\0]/g, '').slice(0, 3000);
const query = (value: string): string => encodeURIComponent(Buffer.from(field(value)).toString());
/** Where it is shown: alone, or with one that is good for little. */
const PLACES: readonly ((value: string) => { readonly headers?: string; readonly query?: string })[] = [
  (value) => ({ headers: `Authorization: Bearer ${field(value)}\r\n` }),
  (value) => ({ headers: `authorization:bearer    ${field(value)}\r\nX-API-Key: ${KEYS.limited}\r\n` }),
  (value) => ({ headers: `X-API-Key: ${field(value)}\r\n` }),
  (value) => ({ headers: `X-API-Key: ${KEYS.nobody}\r\nX-API-Key: ${field(value)}\r\n` }),
  (value) => ({ headers: `Cookie: a=b; flipgate_token=${field(value)}; flipgate_token=x\r\n` }),
  (value) => ({ headers: `Cookie: flipgate_token="${field(value)}\r\nCookie: ;;=;\r\n` }),
  (value) => ({ query: `access_token=${query(value)}` }),
  (value) => ({ query: `apiKey=${query(value)}&apiKey=${KEYS.limited}` }),
  (value) => ({
    query: `access_token=${query(value)}&access_token[]=x`,
    headers: `Authorization: Basic ${field(value)}\r\n`,
  }),
];
const wish = fc.constantFrom(
  ['GET', '/api/rooms/canary/state', ''],
  ['GET', '/api/rooms/canary/events', ''],
  ['GET', '/api/admin/status', ''],
  ['GET', '/api/admin/commands', ''],
  ['PUT', '/api/admin/profile', '{"profile":"SSE"}'],
  ['POST', '/api/events', '{"type":"fact_added","room":"canary","data":1}'],
  ['POST', '/api/control', '{"action":"canary.run"}'],
  ['POST', '/api/canary/control', '{"action":"run"}'],
) as fc.Arbitrary<readonly [string, string, string]>;

const series = fc
  .array(fc.tuple(token, fc.constantFrom(...PLACES), wish), { minLength: 10, maxLength: 10 })
  .map((all): Attack => {
    const requests = all.map(([shown, place, [method, target, body]]) => {
      const { headers = '', query: search = '' } = place(shown);
      const content =
        body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n`;
      return `${method} ${target}?${search} HTTP/1.1\r\nHost: a\r\n${newAddress()}\r\n${headers}${content}\r\n${body}`;
    });
    return { bytes: requests.join(''), answers: requests.length, isRefused: true };
  });

test('what is no good opens nothing', async () => {
  await forBatches(series, { size: 10, runs: 1 }, (batch) => rig.attack('tokens', batch));
  await rig.settle();
  const before = rig.answers;
  await forBatches(series, { size: 50, runs: 5 }, async (batch) => {
    await rig.attack('tokens', batch);
    await rig.check();
  });
  expect(rig.answers - before).toBeGreaterThan(1500);
});

test('nor does it as the auth of a Socket.IO handshake, whatever rooms are named', async () => {
  const auth = fc.oneof(
    fc
      .tuple(token, fc.constantFrom('token', 'apiKey', 'Token', '__proto__'), fc.boolean())
      .map(
        ([shown, where, bundle]) =>
          `{${text(where)}:${text(shown)},"bundle":${String(bundle)},"rooms":["canary"]}`,
      ),
    fc
      .array(fc.oneof(nastyText, fc.constantFrom('canary', 'team.a', '*', 'team.*')), { maxLength: 4 })
      .map((rooms) => JSON.stringify({ token: limited, bundle: true, rooms })),
    fc.constantFrom(
      '[]',
      '7',
      'null',
      '"x"',
      '{"token":{"toString":"x"}}',
      `{"token":["${KEYS.operator}"]}`,
      `{"apiKey":{"0":"${KEYS.operator}"}}`,
    ),
  );
  await forBatches(auth, { size: 60, runs: 4 }, async (batch) => {
    const attackers = await Promise.all(
      batch.map(async (shown) => {
        const attacker = await WebsocketAttacker.open(rig.port, undefined, [newAddress()]);
        await attacker.send(`40${shown}`);
        await attacker.heard();
        await attacker.send(`421["join",["canary"]]`, `422["control",{"action":"canary.run"}]`);
        return { attacker, shown };
      }),
    );
    await waitUntil(
      () => attackers.every(({ attacker }) => attacker.isClosed || attacker.text.includes('43')),
      'answers',
    );
    await rig.check();
    for (const { attacker, shown } of attackers) {
      rig.inspect(attacker.text, shown);
      attacker.close();
    }
    rig.count('tokens of Socket.IO', batch.length);
    await rig.check();
  });
});

test('nothing is left', () => rig.finish(2500));
