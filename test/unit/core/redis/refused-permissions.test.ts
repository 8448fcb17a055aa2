import { describe, expect, test } from '@jest/globals';
import type { Logger } from '../../../../src/core/logger.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { RefusedPermissions } from '../../../../src/core/redis/refused-permissions.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';

const refused = (message: string, name: string, args: readonly unknown[]): Error =>
  Object.assign(new Error(message), { command: { name, args } });
const NO_CHANNEL = 'NOPERM this user has no permissions to access one of the channels used as arguments';
const NO_KEY = 'NOPERM this user has no permissions to access one of the keys used as arguments';

function opened() {
  const clock = new TurnedClock();
  const counters = new Counters();
  const lines: { level: string; fields: object | undefined }[] = [];
  const at =
    (level: string) =>
    (_: string, fields?: object): void =>
      void lines.push({ level, fields });
  const logger: Logger = { ...silentLogger, warn: at('warn'), error: at('error') };
  return { clock, counters, lines, permissions: new RefusedPermissions({ clock, counters, logger }) };
}

describe('RefusedPermissions', () => {
  test.each([
    ['psubscribe', ['a#*', 'b'], NO_CHANNEL, 'a#* b', '&a#* &b'],
    ['set', ['k', 'secret'], NO_KEY, 'k', '~k'],
    ['evalsha', ['hash', '2', 'k1', 'k2', 'secret'], NO_KEY, 'k1 k2', '~k1 ~k2'],
    ['xread', ['BLOCK', 1, 'STREAMS', 's1', 's2', '0', '0'], NO_KEY, 's1 s2', '~s1 ~s2'],
    ['xadd', ['s'], "NOPERM this user has no permissions to run the 'xadd' command", 's', '+xadd'],
    [
      'evalsha',
      ['hash', 1, 'k'],
      "ERR The user executing the script can't run this command or subcommand",
      'k',
      'see "Redis ACL" in docs/operations.md',
    ],
  ])('%s %j', (name, args, message, on, rule) => {
    const { permissions, counters, lines } = opened();
    permissions.of('events')(refused(message, name, args));
    const effect = 'events are not stored, or do not reach clients';
    expect(permissions.lacking).toEqual([{ command: name, on, rule, effect }]);
    expect(lines).toEqual([{ level: 'error', fields: { command: name, on, rule, effect } }]);
    expect(counters.toJSON()).toEqual({ permissions_refused: { events: 1 } });
  });

  test('other errors are none of its concern', () => {
    const { permissions, counters } = opened();
    permissions.of('events')(refused('OOM command not allowed', 'set', ['k']));
    expect([permissions.lacking, counters.toJSON()]).toEqual([[], {}]);
  });

  test('one that is refused again and again is logged once a minute, and forgotten two minutes after the last', () => {
    const { permissions, clock, counters, lines } = opened();
    const refuse = (): void => permissions.of('work')(refused(NO_KEY, 'get', ['k']));
    for (let second = 0; second < 60; second += 5) {
      refuse();
      clock.advance(5000);
    }
    expect(lines).toHaveLength(1);
    refuse();
    expect(lines).toHaveLength(2);
    expect(counters.get('permissions_refused', 'work')).toBe(13);
    clock.advance(119_000);
    expect(permissions.lacking).toHaveLength(1);
    clock.advance(1000);
    expect(permissions.lacking).toEqual([]);
  });

  test('commands that are only of use are told, and leave nothing undone', () => {
    const { permissions, lines } = opened();
    permissions.of('events')(refused("NOPERM … run the 'info' command", 'info', []));
    expect(permissions.lacking).toEqual([]);
    expect(lines).toEqual([{ level: 'warn', fields: expect.objectContaining({ rule: '+info' }) }]);
  });

  test('what is told apart is bounded; all is counted', () => {
    const { permissions, counters, lines } = opened();
    for (let n = 0; n < 100; n += 1) permissions.of('events')(refused(NO_KEY, 'get', [`k${String(n)}`]));
    expect(permissions.lacking).toHaveLength(50);
    expect(lines).toHaveLength(50);
    expect(counters.get('permissions_refused')).toBe(100);
  });
});
