import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { HostPolicy, type HostPolicyOptions } from '../../../../src/profiles/http/host-policy.js';

const local: HostPolicyOptions = { allowed: [], listensOn: '127.0.0.1', isLocalOnly: true };

const codeFor = (
  options: Partial<HostPolicyOptions>,
  host: string | undefined,
  path = '/',
): string | undefined =>
  new HostPolicy({ ...local, ...options }).refusalFor({ headers: { host } } as IncomingMessage, path)?.code;

describe('HostPolicy', () => {
  test.each(['localhost', 'LOCALHOST:5002', '127.0.0.1', '127.9.9.9:80', '[::1]', '[::1]:5002', undefined])(
    'this machine alone: %s is served',
    (host) => {
      expect(codeFor({}, host)).toBeUndefined();
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1:5002',
    '',
    '[::1].evil',
    '::1@evil',
    '0.0.0.0',
  ])('this machine alone: %s is not', (host) => {
    expect(codeFor({}, host)).toBe('host_not_allowed');
  });

  test('the address listened on is served', () => {
    expect(codeFor({ listensOn: 'gateway.internal' }, 'Gateway.internal:5002')).toBeUndefined();
  });

  test('a list is the whole of it', () => {
    const listed = { allowed: ['live.example.org', '::1'], isLocalOnly: false };
    expect(codeFor(listed, 'live.example.org')).toBeUndefined();
    expect(codeFor(listed, '[::1]:5002')).toBeUndefined();
    expect(codeFor(listed, 'localhost')).toBe('host_not_allowed');
    expect(codeFor({ ...listed, allowed: ['*'] }, 'anything')).toBeUndefined();
  });

  test('where clients show who they are, any name will do', () => {
    expect(codeFor({ isLocalOnly: false }, 'evil.example')).toBeUndefined();
  });

  test('probes come by address', () => {
    for (const path of ['/healthz', '/readyz']) expect(codeFor({}, '10.1.2.3', path)).toBeUndefined();
    expect(codeFor({}, '10.1.2.3', '/healthz/x')).toBe('host_not_allowed');
  });
});
