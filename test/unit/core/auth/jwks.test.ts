import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { JwksSource } from '../../../../src/core/auth/jwks.js';
import { Refusal } from '../../../../src/core/errors.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { KeyServer } from '../../../support/key-server.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

const MINUTE_MS = 60_000;

function newJwk(kid: string): object {
  return { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid };
}

const first = newJwk('first');
const second = newJwk('second');

let server: KeyServer;
let clock: TurnedClock;
let counters: Counters;
let jwks: JwksSource;
let warnings: object[];

beforeEach(async () => {
  server = await KeyServer.open();
  server.serve([first]);
  open(server.url);
});
afterEach(() => server.close());

function open(url: string): void {
  clock = new TurnedClock();
  counters = new Counters();
  warnings = [];
  const logger = { ...silentLogger, warn: (_message: string, fields = {}) => warnings.push(fields) };
  jwks = new JwksSource(url, { clock, logger, counters });
}

/** What comes of asking for a key: its name, `none`, or the code of the refusal and the ms to wait. */
async function ask(kid: string): Promise<string> {
  const keys = await jwks.keysFor('ES256', kid);
  if (keys instanceof Refusal) return `${keys.code} ${String(keys.retryAfterMs)}`;
  return keys[0]?.kid ?? 'none';
}

function failed(): number {
  return counters.get('jwks_fetches', 'failed');
}

describe('fetching', () => {
  test('keys are fetched when the first is needed, and when they are five minutes old, behind who needs one', async () => {
    expect(server.requests).toBe(0);
    expect(await ask('first')).toBe('first');
    clock.advance(5 * MINUTE_MS - 1);
    expect(await ask('first')).toBe('first');
    expect(server.requests).toBe(1);
    clock.advance(1);
    server.serve([second]);
    expect(await ask('first')).toBe('first');
    await waitUntil(() => counters.get('jwks_fetches', 'good') === 2);
    expect(server.requests).toBe(2);
    expect(await ask('second')).toBe('second');
    expect(server.requests).toBe(2);
    expect(clock.timers).toBe(0);
  });

  test('a key that was withdrawn is not known for longer than ten minutes', async () => {
    await ask('first');
    let answer: (() => void) | undefined;
    server.answer = (response) => {
      answer = () => response.end(JSON.stringify({ keys: [second] }));
    };
    clock.advance(10 * MINUTE_MS - 1);
    expect(await ask('first')).toBe('first');
    await waitUntil(() => answer !== undefined);
    clock.advance(1);
    const asked = ask('first');
    answer?.();
    expect(await asked).toBe('none');
    expect(server.requests).toBe(2);
  });

  test('keys are as old as the question: they may have been withdrawn while the answer was on its way', async () => {
    let answer: (() => void) | undefined;
    server.answer = (response) => {
      answer = () => response.end(JSON.stringify({ keys: [first] }));
    };
    const asked = ask('first');
    await waitUntil(() => answer !== undefined);
    clock.advance(4000);
    answer?.();
    expect(await asked).toBe('first');
    server.serve([second]);
    clock.advance(10 * MINUTE_MS - 4000);
    expect(await ask('first')).toBe('none');
  });

  test('who comes first after ten quiet minutes waits for it', async () => {
    await ask('first');
    server.serve([second]);
    clock.advance(10 * MINUTE_MS);
    expect(new Set(await Promise.all([ask('first'), ask('first'), ask('second')]))).toEqual(
      new Set(['none', 'second']),
    );
    expect(server.requests).toBe(2);
  });

  test('all who need keys share one fetch', async () => {
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => ask('first'))))).toEqual(
      new Set(['first']),
    );
    expect(server.requests).toBe(1);
  });

  test('keys are told apart by algorithm and name; whoever names none may have any', async () => {
    server.serve([
      first,
      second,
      { ...newJwk('other'), use: 'enc' },
      { kty: 'oct', k: 'AAAA', kid: 'symmetric' },
    ]);
    const all = await jwks.keysFor('ES256', undefined);
    expect(all instanceof Refusal ? [] : all.map(({ kid }) => kid)).toEqual(['first', 'second']);
    expect(await jwks.keysFor('RS256', 'first')).toEqual([]);
    expect(await ask('symmetric')).toBe('none');
  });
});

describe('keys that nobody knows', () => {
  test('a flood of them costs three fetches, and then one in 5 s', async () => {
    await ask('first');
    clock.advance(MINUTE_MS);
    const names = Array.from({ length: 500 }, (_, index) => `unknown-${String(index)}`);
    for (const requests of [2, 3, 4]) {
      expect(new Set(await Promise.all(names.map(ask)))).toEqual(new Set(['none']));
      expect(server.requests).toBe(requests);
    }
    clock.advance(1000);
    expect(new Set(await Promise.all(names.map(ask)))).toEqual(new Set(['auth_unavailable 4000']));
    expect(await ask('first')).toBe('first');
    expect(server.requests).toBe(4);
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1000);
      await Promise.all(names.slice(0, 5).map(ask));
    }
    expect(server.requests).toBe(4 + 12);
  });

  test.each([
    ['one in 30 s', 30, 0],
    ['one in 5 s', 5, 0],
    ['one a second', 1, 5],
  ])('%s: a key that is new waits no longer than it must', async (_, everyS, mostS) => {
    await ask('first');
    for (let strangers = 0; strangers < 20; strangers += 1) {
      clock.advance(everyS * 1000);
      await ask(`unknown-${String(strangers)}`);
    }
    server.serve([second]);
    let waitedS = 0;
    for (; (await ask('second')) !== 'second'; waitedS += 1) {
      clock.advance(1000);
      if (waitedS % everyS === 0) await ask(`unknown at ${String(waitedS)}`);
    }
    expect(waitedS).toBeLessThanOrEqual(mostS);
  });

  test('no more than a thousand wait, and nobody does whose key is known', async () => {
    await ask('first');
    clock.advance(10 * MINUTE_MS - 1);
    let answer: (() => void) | undefined;
    server.answer = (response) => {
      answer = () => response.end(JSON.stringify({ keys: [first, second] }));
    };
    const waiting = Array.from({ length: 1000 }, (_, index) => ask(`unknown-${String(index)}`));
    await waitUntil(() => answer !== undefined);
    expect(await ask('second')).toBe('auth_unavailable 1000');
    expect(await ask('first')).toBe('first');
    // Even where it would wait, had they left it room.
    clock.advance(1);
    expect(await ask('first')).toBe('first');
    answer?.();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['none']));
    expect(await ask('second')).toBe('second');
    expect(server.requests).toBe(2);
    // There is room again.
    server.serve([second]);
    expect(await ask('unknown')).toBe('none');
  });

  test('right after the first fetch there is none, and no second fetch', async () => {
    expect(await ask('unknown')).toBe('none');
    expect(server.requests).toBe(1);
  });

  test('a new key is found at once, the old one stays as long as it is listed', async () => {
    await ask('first');
    clock.advance(MINUTE_MS);
    server.serve([first, second]);
    expect(await ask('second')).toBe('second');
    expect(await ask('first')).toBe('first');
    expect(server.requests).toBe(2);
    server.serve([second]);
    clock.advance(10 * MINUTE_MS);
    expect(await ask('second')).toBe('second');
    expect(await ask('first')).toBe('none');
  });

  test('a new key amid a flood is not taken for none: who shows it comes again in time', async () => {
    for (const kid of ['first', 'unknown', 'unknown']) await ask(kid);
    server.serve([second]);
    expect(await ask('second')).toBe('auth_unavailable 5000');
    clock.advance(5000);
    expect(await ask('second')).toBe('second');
  });
});

describe('what cannot be had', () => {
  test('at the start: whoever asks is told to come again, and five seconds later it is tried again', async () => {
    server.say('out of order', 500);
    expect(await ask('first')).toBe('auth_unavailable 5000');
    expect(await ask('first')).toBe('auth_unavailable 5000');
    expect(server.requests).toBe(1);
    expect(warnings).toEqual([{ fault: 'the answer was 500', lastGoodKeysServe: false }]);
    server.serve([first]);
    clock.advance(4999);
    expect(await ask('first')).toBe('auth_unavailable 1');
    clock.advance(1);
    expect(await ask('first')).toBe('first');
    expect(counters.toJSON()['jwks_fetches']).toEqual({ failed: 1, good: 1 });
  });

  test('later: the last good keys serve for 24 hours, with one try in 30 s', async () => {
    await ask('first');
    await server.close();
    clock.advance(5 * MINUTE_MS);
    expect(await ask('first')).toBe('first');
    await waitUntil(() => failed() === 1);
    expect(warnings).toEqual([{ fault: 'it could not be reached: ECONNREFUSED', lastGoodKeysServe: true }]);
    clock.advance(4999);
    expect(await ask('first')).toBe('first');
    // It may be a new one: nobody can say without asking.
    expect(await ask('second')).toBe('auth_unavailable 1');
    expect(failed()).toBe(1);
    clock.advance(1);
    expect(await ask('second')).toBe('auth_unavailable 5000');
    expect(failed()).toBe(2);
    clock.advance(29_999);
    expect(await ask('first')).toBe('first');
    // Nothing is asked for behind it: that would have a timer.
    expect(clock.timers).toBe(0);
    expect(failed()).toBe(2);
    clock.advance(1);
    expect(await ask('first')).toBe('first');
    await waitUntil(() => failed() === 3);
    clock.advance(24 * 60 * MINUTE_MS - 5 * MINUTE_MS - 35_000 - 1);
    expect(await ask('first')).toBe('first');
    expect(failed()).toBe(4);
    clock.advance(1);
    expect(await ask('first')).toBe('auth_unavailable 4999');
    clock.advance(4999);
    expect(await ask('first')).toBe('auth_unavailable 5000');
  });

  test('later, when nothing answers: nobody waits whose key is known', async () => {
    await ask('first');
    server.answer = () => undefined;
    for (let minute = 1; minute <= 30; minute += 1) {
      // Nothing ends what is asked for but the clock, which stands still while this waits.
      expect(await ask('first')).toBe('first');
      await clock.turn(MINUTE_MS);
    }
    expect(failed()).toBeGreaterThan(20);
  });

  test('later, when nothing answers after ten quiet minutes: only the first ones wait, for five seconds', async () => {
    await ask('first');
    server.answer = () => undefined;
    clock.advance(11 * MINUTE_MS);
    const asked = ask('first');
    await waitUntil(() => server.requests === 2);
    clock.advance(5000);
    expect(await asked).toBe('first');
    clock.advance(30_000);
    expect(await ask('first')).toBe('first');
    await waitUntil(() => server.requests === 3);
    clock.advance(5000);
    await waitUntil(() => warnings.length === 2);
  });

  test('an answer that does not come ends the wait after five seconds', async () => {
    let isAsked = false;
    server.answer = () => {
      isAsked = true;
    };
    const asked = ask('first');
    await waitUntil(() => isAsked);
    clock.advance(5000);
    expect(await asked).toBe('auth_unavailable 5000');
    expect(warnings).toEqual([{ fault: 'no answer came in time', lastGoodKeysServe: false }]);
    await waitUntil(() => server.cut === 1);
  });

  test('an answer that never ends does so too', async () => {
    let isBegun = false;
    server.answer = (response) => {
      response.write('{"keys":[', () => {
        isBegun = true;
      });
    };
    const asked = ask('first');
    await waitUntil(() => isBegun);
    clock.advance(5000);
    expect(await asked).toBe('auth_unavailable 5000');
    await waitUntil(() => server.cut === 1);
  });

  test('more than a megabyte is not read to its end', async () => {
    server.answer = (response) => {
      const more = (): void => {
        while (response.write(' '.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await ask('first')).toBe('auth_unavailable 5000');
    expect(warnings).toEqual([{ fault: 'it is larger than 1 MiB', lastGoodKeysServe: false }]);
    await waitUntil(() => server.cut === 1);
  });

  test('a megabyte is read, and no byte more', async () => {
    const document = JSON.stringify({ keys: [first] });
    server.say(document.padEnd(1024 * 1024 + 1));
    expect(await ask('first')).toBe('auth_unavailable 5000');
    server.say(document.padEnd(1024 * 1024));
    clock.advance(5000);
    expect(await ask('first')).toBe('first');
  });

  test('an answer that is none is not read at all', async () => {
    server.answer = (response) => {
      response.writeHead(503).write('it may be that');
    };
    expect(await ask('first')).toBe('auth_unavailable 5000');
    await waitUntil(() => server.cut === 1);
  });

  test('another place than https or this machine is a fault at the start', () => {
    expect(() => {
      open('http://id.example.com/jwks.json');
    }).toThrow(/https/);
  });

  test('a redirect is not followed', async () => {
    const other = await KeyServer.open();
    other.serve([first]);
    try {
      server.answer = (response) => response.writeHead(302, { location: other.url }).end();
      expect(await ask('first')).toBe('auth_unavailable 5000');
      expect(warnings).toEqual([{ fault: 'the answer was 302', lastGoodKeysServe: false }]);
      expect(other.requests).toBe(0);
    } finally {
      await other.close();
    }
  });

  test.each<[string, string, RegExp]>([
    ['garbage', '<html>Service unavailable</html>', /not JSON/],
    ['nothing', '', /not JSON/],
    ['half a document', JSON.stringify({ keys: [second] }).slice(0, -9), /not JSON/],
    ['null', 'null', /no list of keys/],
    ['a list', JSON.stringify([second]), /no list of keys/],
    ['an error', '{"error":"rate limited"}', /no list of keys/],
    ['keys that are no list', JSON.stringify({ keys: { second } }), /no list of keys/],
    ['no keys', '{"keys":[]}', /no key that can be used/],
    [
      'keys of no use',
      '{"keys":[null,7,[],{"kty":"oct","k":"AAAA"},{"kty":"EC","crv":"P-256"}]}',
      /no key that can be used/,
    ],
    [
      'too many keys',
      JSON.stringify({ keys: Array.from({ length: 101 }, () => second) }),
      /more than 100 keys/,
    ],
  ])('%s never takes the place of good keys', async (_, text, fault) => {
    await ask('first');
    server.say(text);
    clock.advance(10 * MINUTE_MS);
    expect(await ask('first')).toBe('first');
    expect(await ask('second')).toBe('auth_unavailable 5000');
    expect(warnings).toEqual([{ fault: expect.stringMatching(fault), lastGoodKeysServe: true }]);
    server.serve([second]);
    clock.advance(5000);
    expect(await ask('second')).toBe('second');
  });
});
