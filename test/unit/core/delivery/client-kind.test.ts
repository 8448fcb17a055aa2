import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { SDK_NAME } from '../../../../src/client/client-name.js';
import { CLIENT_KINDS, clientKind, followsProfile } from '../../../../src/core/delivery/client-kind.js';

describe('the kind of a client', () => {
  test('is the SDK where it names itself so, and else how it connects', () => {
    expect(clientKind(SDK_NAME, 'bundle')).toBe('sdk');
    expect(clientKind(SDK_NAME, 'eventsource')).toBe('sdk');
    expect(clientKind('sdk/1.20.3-rc.1+build.7', 'bundle')).toBe('sdk');
    expect(clientKind(undefined, 'bundle')).toBe('bundle');
    expect(clientKind(null, 'eventsource')).toBe('eventsource');
    expect(clientKind(undefined, 'stock')).toBe('stock');
  });

  test('of a legacy client is that, whatever it calls itself', () => {
    expect(clientKind(SDK_NAME, 'stock')).toBe('stock');
  });

  test.each([
    '',
    'sdk',
    'sdk/',
    'SDK/1',
    'sdk/1/2',
    'sdk/1 2',
    'sdk/1\n',
    'sdk/"}',
    `sdk/${'1'.repeat(65)}`,
    'app/1',
    ['sdk/1'],
    { sdk: 1 },
    7,
  ])('is not changed by the label %j', (label) => {
    expect(clientKind(label, 'eventsource')).toBe('eventsource');
  });

  test('is one of the kinds, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything(), (label) => {
        expect(CLIENT_KINDS).toContain(clientKind(label, 'bundle'));
      }),
    );
  });

  test('says who comes back over another transport: the SDK alone', () => {
    expect(CLIENT_KINDS.filter(followsProfile)).toEqual(['sdk']);
  });
});
