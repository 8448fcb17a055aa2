import { describe, expect, it } from '@jest/globals';
import { Fields } from '../../../src/console/fields.js';
import { outageIn, outageInReadiness } from '../../../src/console/outage.js';

const NOW = 1_795_334_945_969;

function outage(log: object, cluster: object | null = null, commands?: string) {
  return outageIn(new Fields({ log, cluster }), { commands, now: NOW });
}

describe('an outage', () => {
  it('is none while all works, with Redis and without', () => {
    expect(outage({ kind: 'memory', state: 'ready' })).toBeUndefined();
    expect(
      outage({ kind: 'redis', state: 'ready', since: 1 }, { reachable: true, ageMs: 2 }),
    ).toBeUndefined();
    // That the list of commands may not be read, or was not answered, is none either.
    expect(outage({ kind: 'redis', state: 'ready' }, null, 'forbidden')).toBeUndefined();
    expect(outage({ kind: 'redis', state: 'ready' }, null, 'unreachable')).toBeUndefined();
  });

  it('of Redis says what does not work, since when, and why, where that is told', () => {
    const found = outage(
      { kind: 'redis', state: 'unavailable', since: 1000, reason: 'connect ECONNREFUSED' },
      { reachable: false, ageMs: 4000 },
      'queue_unavailable',
    );
    expect(found).toMatchObject({
      what: 'The event log in Redis is unavailable',
      why: 'connect ECONNREFUSED',
      since: 1000,
    });
    const text = found?.effects.join(' ');
    expect(text).toContain('Publishing is refused');
    expect(text).toContain('New events do not arrive');
    expect(text).toContain('Commands are refused');
    expect(text).toContain('The other nodes can not be reached');
  });

  it('says no more than is so', () => {
    const nodes = outage({ kind: 'redis', state: 'ready' }, { reachable: false, ageMs: 4000 });
    expect(nodes).toMatchObject({ what: 'The other nodes can not be reached', why: '', since: NOW - 4000 });
    expect(nodes?.effects).toHaveLength(1);
    const commands = outage({ kind: 'redis', state: 'ready' }, { reachable: true }, 'queue_unavailable');
    expect(commands?.effects).toEqual([expect.stringContaining('Commands are refused')]);
    expect(commands?.since).toBeUndefined();
    expect(outage({ kind: 'redis', state: 'unavailable', reason: null })?.why).toBe('');
  });

  it('that a page without the right to the status is told of says what that page may know', () => {
    const readiness = { ready: false, log: 'unavailable', draining: false, since: 7, reason: 'why' };
    expect(outageInReadiness(new Fields(readiness))).toMatchObject({
      what: 'The event log is unavailable',
      why: 'why',
      since: 7,
    });
    expect(outageInReadiness(new Fields({ ready: true, log: 'ready', draining: false }))).toBeUndefined();
    // A node that stops is not ready either, and its log is.
    expect(outageInReadiness(new Fields({ ready: false, log: 'ready', draining: true }))).toBeUndefined();
    expect(outageInReadiness(new Fields('nonsense'))).toBeUndefined();
  });
});
