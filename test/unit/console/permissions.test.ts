import { describe, expect, it } from '@jest/globals';
import { Fields } from '../../../src/console/fields.js';
import { Permissions } from '../../../src/console/permissions.js';

const of = (id: string, rights: object, expiresAt: number | null = null): Permissions =>
  Permissions.of(new Fields({ id, rights, expiresAt }));

describe('what the page may do', () => {
  it('is what the gateway says', () => {
    const page = of('key:page', { subscribe: ['team.*'], command: ['host-monitor.s*'], admin: ['flip'] }, 1);
    expect(
      ['subscribe', 'status', 'flip', 'host-monitor.start', 'host-monitor.interval'].map((need) =>
        page.may(need),
      ),
    ).toEqual([true, false, true, true, false]);
    expect([page.isKnown, page.isOpen, page.expiresAt]).toEqual([true, false, 1]);
    expect(page.lists.publish).toEqual([]);
  });

  it('is said in words where it is not allowed', () => {
    const page = of('key:page', { command: ['host-monitor.start'] });
    expect(page.whyNot('flip')).toBe('Needs the right “flip”, which key:page does not have.');
    expect(page.whyNot('host-monitor.start')).toBe('');
    expect(page.whyNot('host-monitor.start', 'host-monitor.stop', 'host-monitor.interval')).toBe(
      'Needs the right “command” for host-monitor.stop, host-monitor.interval, which key:page does not have.',
    );
    expect(of('address:127.0.0.1', {}).whyNot('subscribe')).toBe(
      'Needs the right “subscribe”, which takes a key or token.',
    );
  });

  it('is everything where there is nobody to tell apart, or nothing is known', () => {
    const all = { subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] };
    expect(of('address:127.0.0.1', all)).toMatchObject({ isOpen: true, isKnown: false, expiresAt: null });
    expect(of('address:127.0.0.1', { ...all, admin: ['status'] }).isOpen).toBe(false);
    expect(of('key:operator', all).isOpen).toBe(false);
    expect(Permissions.UNKNOWN.whyNot('subscribe', 'status', 'flip', 'any.action')).toBe('');
    expect(of('key:page', { painting: ['*'] }).may('flip')).toBe(true);
  });
});
