import { beforeEach, describe, expect, test } from '@jest/globals';
import { anonymous, type Identified } from '../../../../src/core/auth/authenticator.js';
import { ProcessDenials } from '../../../../src/core/auth/denials.js';
import { DeniedPrincipals, type Denial, MAX_DENIALS } from '../../../../src/core/auth/denied-principals.js';
import { DenyingAuthenticator } from '../../../../src/core/auth/denying-authenticator.js';
import { blockId, parseBlockId } from '../../../../src/core/auth/principal-id.js';
import { Rights } from '../../../../src/core/auth/rights.js';
import { Refusal } from '../../../../src/core/errors.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { keyCaller } from '../../../support/caller.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { TurnedClock } from '../../../support/turned-clock.js';

let clock: TurnedClock;
let denied: DeniedPrincipals;

beforeEach(() => {
  clock = new TurnedClock();
  denied = new DeniedPrincipals(clock);
});

function denialOf(principal: string, terms: Partial<Denial> = {}): Denial {
  return { until: null, principal, reason: null, by: 'key:op', at: clock.now(), ...terms };
}

const codeOf = (refusal: unknown): string | undefined =>
  refusal instanceof Refusal ? refusal.code : undefined;

describe('the id a principal is denied by', () => {
  test.each([
    ['key:page', 'key:page'],
    ['user:https://id.example/7', 'user:https://id.example/7'],
    ['user:a:b', 'user:a:b'],
    ['address:10.1.2.3', 'address:10.1.2.3'],
    ['address:2001:DB8:0:7::1', 'address:2001:db8:0:7::/64'],
    ['address:::1', 'address:0:0:0:0::/64'],
    ['address:2001:db8:0:7::/64', 'address:2001:db8:0:7::/64'],
  ])('%s is %s', (text, id) => {
    expect(parseBlockId(text)).toBe(id);
    expect(blockId(text)).toBe(text.endsWith('/64') ? text : id);
  });

  test.each([
    '',
    'page',
    'Key:page',
    'key:',
    'key:a b',
    `key:${'x'.repeat(65)}`,
    'user:',
    'user:a\n',
    'address:',
    'address:x',
    'address:unknown',
    'address:::ffff:10.0.0.1',
    'address:10.0.0.0/8',
    'address:2001:db8::/64',
    'address:2001:db8::/48',
    'address:x::/64',
    'ip:10.0.0.1',
  ])('%j is none', (text) => {
    expect(parseBlockId(text)).toBeUndefined();
  });
});

describe('denied principals', () => {
  test('are refused until the denial is over, or lifted', () => {
    denied.add(denialOf('key:a', { until: clock.now() + 1000 }));
    denied.add(denialOf('key:b'));
    expect(codeOf(denied.refusalFor({ id: 'key:a' }))).toBe('principal_denied');
    expect(denied.refusalFor({ id: 'key:c' })).toBeUndefined();
    clock.advance(1000);
    expect(denied.refusalFor({ id: 'key:a' })).toBeUndefined();
    expect([denied.size, denied.remove('key:a'), denied.remove('key:b'), denied.size]).toEqual([
      1,
      false,
      true,
      0,
    ]);
  });

  test('are listed newest first, and told of when they are new', () => {
    let told = 0;
    denied.onDenied(() => {
      told += 1;
    });
    for (const principal of ['key:a', 'key:b', 'key:c']) {
      denied.add(denialOf(principal));
      clock.advance(1);
    }
    denied.add(denialOf('key:a', { reason: 'again' }));
    expect(denied.newest(2).map(({ principal, reason }) => [principal, reason])).toEqual([
      ['key:a', 'again'],
      ['key:c', null],
    ]);
    denied.replace([denialOf('key:b')]);
    expect([told, denied.size]).toEqual([3, 1]);
  });

  test('are told of again when they are denied anew after their time was over', () => {
    let told = 0;
    denied.onDenied(() => {
      told += 1;
    });
    denied.add(denialOf('key:a', { until: clock.now() + 1000 }));
    clock.advance(2000);
    denied.add(denialOf('key:a'));
    expect(told).toBe(2);
  });

  test('are bounded in a process', async () => {
    denied.replace(Array.from({ length: MAX_DENIALS }, (_, n) => denialOf(`key:${String(n)}`)));
    const denials = new ProcessDenials(denied);
    expect(codeOf(await denials.deny(denialOf('key:more')))).toBe('too_many_denials');
    expect(await denials.deny(denialOf('key:7', { reason: 'again' }))).toBeUndefined();
    expect(await denials.lift('key:7')).toBe(true);
    expect(await denials.deny(denialOf('key:more'))).toBeUndefined();
  });
});

test('an authenticator refuses them, whenever the other one has found out who they are', async () => {
  const counters = new Counters();
  const caller = keyCaller('key:a', {});
  const answers: Identified[] = [caller, Promise.resolve(caller), new Refusal('invalid_token', 'no')];
  const inner = { identify: () => answers.shift() ?? anonymous('2001:db8::2', Rights.ALL) };
  const authenticator = new DenyingAuthenticator(inner, denied, counters);
  denied.add(denialOf('key:a'));
  denied.add(denialOf(blockId('address:2001:db8::1')));
  const found: (string | undefined)[] = [];
  for (let times = 0; times < 4; times += 1) found.push(codeOf(await authenticator.identify({}, '')));
  expect(found).toEqual(['principal_denied', 'principal_denied', 'invalid_token', 'principal_denied']);
  expect(codeOf(authenticator.refusalNow(caller))).toBe('principal_denied');
  expect(counters.toJSON()).toEqual({ callers_refused: { principal_denied: 4 } });
});

test('delivery takes in none of them, and changes no rooms for them', async () => {
  const rig = DeliveryRig.ready();
  const principal = keyCaller('key:a', { subscribe: ['*'] });
  const session = rig.request({ principal });
  if (session instanceof Refusal) throw new Error(session.code);
  rig.denied.add({ until: null, principal: 'key:a', reason: null, by: 'key:op', at: 0 });
  expect(codeOf(rig.delivery.join(session, ['b']))).toBe('principal_denied');
  expect(codeOf(rig.request({ principal }))).toBe('principal_denied');
  const ended = await rig.delivery.endOf(
    (one) => rig.denied.refusalFor(one) !== undefined,
    'principal_denied',
  );
  expect([ended, session.state]).toEqual([1, 'closed']);
  expect(rig.counters.toJSON()).toMatchObject({
    room_changes_refused: { principal_denied: 1 },
    sessions_refused: { principal_denied: 1 },
    sessions_ended: { principal_denied: 1 },
  });
});
