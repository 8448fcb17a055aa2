import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ClientAddresses } from '../../../../src/profiles/http/client-address.js';

const request = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;

describe('ClientAddresses', () => {
  test.each([
    ['nobody is trusted', [], '10.0.0.1', '1.2.3.4', '10.0.0.1'],
    ['a proxy is', ['10.0.0.1'], '10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['another one is', ['10.0.0.2'], '10.0.0.1', '1.2.3.4', '10.0.0.1'],
    ['a range is', ['10.0.0.0/8'], '10.9.9.9', '1.2.3.4', '1.2.3.4'],
    ['a group is', ['loopback'], '::1', '1.2.3.4', '1.2.3.4'],
    ['private networks are', ['private'], '192.168.7.7', '1.2.3.4', '1.2.3.4'],
    ['two proxies', ['private'], '10.0.0.1', '1.2.3.4, 10.0.0.2', '1.2.3.4'],
    [
      'what the client made up comes before its address',
      ['private'],
      '10.0.0.1',
      '6.6.6.6, 1.2.3.4',
      '1.2.3.4',
    ],
    ['what is no address', ['private'], '10.0.0.1', 'rubbish, 1.2.3.4', '1.2.3.4'],
    ['nothing but that', ['private'], '10.0.0.1', 'rubbish', '10.0.0.1'],
    ['ports', ['private'], '10.0.0.1', '1.2.3.4:5678', '1.2.3.4'],
    ['IPv6 with a port', ['private'], '10.0.0.1', '[2001:db8::1]:5678', '2001:db8::1'],
    ['IPv4 by IPv6', [], '::ffff:1.2.3.4', undefined, '1.2.3.4'],
    ['a proxy that is IPv4 by IPv6', ['10.0.0.0/8'], '::ffff:10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['no header', ['private'], '10.0.0.1', undefined, '10.0.0.1'],
    ['a connection that is gone', ['private'], undefined, '1.2.3.4', 'unknown'],
  ])('%s', (_name, trusted, remote, forwarded, expected) => {
    expect(new ClientAddresses(trusted).of(request(remote, forwarded))).toBe(expected);
  });

  test('nothing that an untrusted client sends changes its address', () => {
    const addresses = new ClientAddresses(['10.0.0.0/8']);
    const header = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())).map((all) => all.join(', ')),
    );
    fc.assert(
      fc.property(header, (forwarded) => {
        expect(addresses.of(request('1.2.3.4', forwarded))).toBe('1.2.3.4');
        // And behind a proxy that adds it, what came before is not believed.
        expect(addresses.of(request('10.0.0.1', `${forwarded}, 1.2.3.4`))).toBe('1.2.3.4');
      }),
      { numRuns: 500 },
    );
  });
});
