import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isJwksUrl } from '../../../../src/core/auth/jwks-url.js';
import {
  parseJwk,
  parsePublicKey,
  parsePublicKeys,
  parseSecret,
  type VerificationKey,
} from '../../../../src/core/auth/verification-key.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
const ed25519 = generateKeyPairSync('ed25519');
const x25519 = generateKeyPairSync('x25519').publicKey;

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const jwk = (key: KeyObject): object => key.export({ format: 'jwk' });

function parsed(key: VerificationKey | string | undefined): VerificationKey {
  if (typeof key !== 'object') throw new Error(key ?? 'it is no key');
  return key;
}

describe('a public key in PEM', () => {
  test.each([
    ['RSA', rsa.publicKey, 'RS256'],
    ['P-256', p256.publicKey, 'ES256'],
    ['Ed25519', ed25519.publicKey, 'EdDSA'],
  ])('%s has one algorithm', (_, key, alg) => {
    expect(parsed(parsePublicKey(pem(key)))).toMatchObject({ alg, kid: undefined });
    expect(parsed(parsePublicKey(`# comment\n${pem(key)}\n`)).alg).toBe(alg);
  });

  test('RSA may come in its own format', () => {
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(parsed(parsePublicKey(pkcs1)).alg).toBe('RS256');
  });

  test.each([
    ['a short RSA key', pem(shortRsa), /at least 2048 bits/],
    ['P-384', pem(p384), /P-256/],
    ['X25519', pem(x25519), /Ed25519/],
    ['a private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /private key/],
    ['an old private key', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(), /private key/],
    [
      'an encrypted private key',
      p256.privateKey
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
      /private key/,
    ],
    ['nothing', '', /no public key in PEM/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /no public key in PEM/],
    ['a JWK', JSON.stringify(jwk(rsa.publicKey)), /no public key in PEM/],
    ['a broken one', pem(p256.publicKey).replace(/[A-Za-z0-9]{8}/, 'AAAAAAAA'), /be read/],
    ['half of one', pem(rsa.publicKey).slice(0, 200), /be read/],
  ])('%s is a fault', (_, text, fault) => {
    expect(parsePublicKey(text)).toMatch(fault);
  });
});

describe('a secret', () => {
  test('needs 32 bytes', () => {
    expect(parsed(parseSecret('x'.repeat(32))).alg).toBe('HS256');
    expect(parsed(parseSecret('ä'.repeat(16))).alg).toBe('HS256');
    expect(parseSecret('x'.repeat(31))).toMatch(/at least 32 bytes/);
    expect(parseSecret('')).toMatch(/at least 32 bytes/);
  });
});

describe('a key of a JWKS', () => {
  const good = jwk(p256.publicKey);

  test.each([
    ['RSA', jwk(rsa.publicKey), 'RS256'],
    ['P-256', good, 'ES256'],
    ['Ed25519', jwk(ed25519.publicKey), 'EdDSA'],
    [
      'one that says it is for signatures',
      { ...good, use: 'sig', alg: 'ES256', key_ops: ['verify'], ext: false, x5c: ['?'] },
      'ES256',
    ],
  ])('%s is taken', (_, json, alg) => {
    expect(parseJwk({ ...json, kid: 'k1' })).toMatchObject({ alg, kid: 'k1' });
    expect(parseJwk(json)?.kid).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['for encryption', { ...good, use: 'enc' }],
    ['of no use', { ...good, use: null }],
    ['for other operations', { ...good, key_ops: ['encrypt'] }],
    ['of odd operations', { ...good, key_ops: 'verify' }],
    ['of another algorithm', { ...good, alg: 'ES384' }],
    ['for an algorithm its type does not have', { ...good, alg: 'HS256' }],
    ['for PS256', { ...jwk(rsa.publicKey), alg: 'PS256' }],
    ['with a name that is none', { ...good, kid: 7 }],
    [
      'symmetric',
      { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', alg: 'HS256', use: 'sig' },
    ],
    ['private', jwk(p256.privateKey)],
    ['short', jwk(shortRsa)],
    ['of another curve', jwk(p384)],
    ['for agreement', jwk(x25519)],
    ['not on its curve', { ...good, x: 'AAAA' }],
    ['without its numbers', { kty: 'RSA' }],
    ['of numbers that are none', { kty: 'RSA', n: 7, e: {} }],
    ['empty', {}],
    ['null', null],
    ['text', 'key'],
  ])('one %s is passed over', (_, json) => {
    expect(parseJwk(json)).toBeUndefined();
  });

  test('whatever the JSON, it never throws', () => {
    const member = fc.constantFrom(
      'kty',
      'n',
      'e',
      'crv',
      'x',
      'y',
      'use',
      'alg',
      'kid',
      'key_ops',
      '__proto__',
    );
    const value = fc.oneof(
      fc.constantFrom('RSA', 'EC', 'OKP', 'P-256', 'Ed25519', 'AQAB', 'sig', ''),
      fc.jsonValue({ maxDepth: 1 }),
    );
    fc.assert(
      fc.property(fc.dictionary(member, value), (json) => {
        parseJwk(JSON.parse(JSON.stringify(json)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what keys are fetched from', () => {
  test.each([
    'https://id.example.com/.well-known/jwks.json',
    'https://10.0.0.1:8443/keys?tenant=1',
    'http://127.0.0.1:8080/jwks',
    'http://localhost/jwks',
    'http://[::1]:8080/jwks',
  ])('%s may be', (url) => {
    expect(isJwksUrl(url)).toBe(true);
  });

  test.each([
    'http://id.example.com/jwks.json',
    'http://10.0.0.1/jwks',
    'http://localhost.example.com/jwks',
    'http://127.0.0.1.example.com/jwks',
    'https://user:secret@id.example.com/jwks',
    'https://user@id.example.com/jwks',
    'file:///etc/keys.json',
    'ftp://127.0.0.1/jwks',
    'data:application/json,{"keys":[]}',
    'id.example.com/jwks',
    '',
  ])('%s may not', (url) => {
    expect(isJwksUrl(url)).toBe(false);
  });
});

describe('several public keys in PEM', () => {
  test('are read one after the other', () => {
    const keys = parsePublicKeys(`old:\n${pem(rsa.publicKey)}new:\n${pem(p256.publicKey)}`);
    expect(Array.isArray(keys) && keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256']);
    expect(parsePublicKeys(pem(ed25519.publicKey))).toHaveLength(1);
  });

  test('a fault says which one has it', () => {
    expect(parsePublicKeys(pem(rsa.publicKey) + pem(p384))).toMatch(/^key 2: it must be an RSA key/);
    expect(parsePublicKeys('nothing')).toMatch(/^it is no public key in PEM/);
    const secret = p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(parsePublicKeys(pem(rsa.publicKey) + secret)).toMatch(/^key 2: it is a private key/);
  });
});
