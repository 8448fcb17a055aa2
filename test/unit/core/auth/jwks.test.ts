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

describe('fetching', () => {
  test('keys are fetched when the first is needed, and then kept for ten minutes', async () => {
    expect(server.requests).toBe(0);
    expect(await ask('first')).toBe('first');
    clock.advance(10 * MINUTE_MS - 1);
    expect(await ask('first')).toBe('first');
    expect(server.requests).toBe(1);
    clock.advance(1);
    expect(await ask('first')).toBe('first');
    expect(server.requests).toBe(2);
    expect(counters.get('jwks_fetches', 'good')).toBe(2);
    expect(clock.timers).toBe(0);
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
    expect(await jwks.keysFor('RS256', 'first')).toBeInstanceOf(Refusal);
    expect(await ask('symmetric')).toBe('auth_unavailable 30000');
  });
});

describe('keys that nobody knows', () => {
  test('a flood of them costs one fetch in 30 s', async () => {
    await ask('first');
    clock.advance(30_000);
    const names = Array.from({ length: 500 }, (_, index) => `unknown-${String(index)}`);
    expect(new Set(await Promise.all(names.map(ask)))).toEqual(new Set(['none']));
    expect(server.requests).toBe(2);
    clock.advance(10_000);
    expect(new Set(await Promise.all(names.map(ask)))).toEqual(new Set(['auth_unavailable 20000']));
    expect(await ask('first')).toBe('first');
    expect(server.requests).toBe(2);
    clock.advance(20_000);
    expect(await ask('unknown-1')).toBe('none');
    expect(server.requests).toBe(3);
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
    expect(await ask('first')).toBe('auth_unavailable 30000');
    clock.advance(30_000);
    expect(await ask('first')).toBe('none');
  });

  test('a new key right after a fetch is not taken for none: who shows it comes again in time', async () => {
    await ask('first');
    server.serve([second]);
    expect(await ask('second')).toBe('auth_unavailable 30000');
    clock.advance(30_000);
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
    clock.advance(10 * MINUTE_MS);
    expect(await ask('first')).toBe('first');
    expect(counters.get('jwks_fetches', 'failed')).toBe(1);
    expect(warnings).toEqual([{ fault: 'it could not be reached: ECONNREFUSED', lastGoodKeysServe: true }]);
    clock.advance(29_999);
    expect(await ask('first')).toBe('first');
    // It may be a new one: nobody can say without asking.
    expect(await ask('second')).toBe('auth_unavailable 1');
    expect(counters.get('jwks_fetches', 'failed')).toBe(1);
    clock.advance(1);
    expect(await ask('first')).toBe('first');
    expect(counters.get('jwks_fetches', 'failed')).toBe(2);
    clock.advance(24 * 60 * MINUTE_MS - 10 * MINUTE_MS - 30_000 - 1);
    expect(await ask('first')).toBe('first');
    clock.advance(1);
    expect(await ask('first')).toBe('auth_unavailable 29999');
    clock.advance(29_999);
    expect(await ask('first')).toBe('auth_unavailable 5000');
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
    expect(await ask('second')).toBe('auth_unavailable 30000');
    expect(warnings).toEqual([{ fault: expect.stringMatching(fault), lastGoodKeysServe: true }]);
    server.serve([second]);
    clock.advance(30_000);
    expect(await ask('second')).toBe('second');
  });
});
