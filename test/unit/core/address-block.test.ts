import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { addressBlock } from '../../../src/core/address-block.js';

/** An IPv6 address as text, in full or shortened. */
function spell(groups: readonly number[], isLong: boolean): string {
  const long = groups.map((group) => group.toString(16).padStart(isLong ? 4 : 1, '0')).join(':');
  return isLong ? long : new URL(`http://[${long}]`).hostname.slice(1, -1);
}

describe('addressBlock', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['unknown', 'unknown'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['', ''],
    ['2001:db8:1:2::5', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:0:0:0:ff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::198.51.100.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ])('%s counts as %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });

  test('all addresses of a network are one block, however they are written; other networks are others', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const groups = fc.array(group, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(groups, groups, groups, fc.boolean(), (network, host, other, isLong) => {
        const block = addressBlock(spell([...network, ...host], isLong));
        expect(block).toBe(addressBlock(spell([...network, ...other], !isLong)));
        const isSame = network.join() === other.join();
        expect(block === addressBlock(spell([...other, ...host], isLong))).toBe(isSame);
      }),
    );
  });
});
