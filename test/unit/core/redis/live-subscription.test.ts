import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { LiveSubscription } from '../../../../src/core/redis/live-subscription.js';
import type { RedisConnection } from '../../../../src/core/redis/redis-connection.js';
import { silentLogger } from '../../../support/silent-logger.js';
import { TurnedClock } from '../../../support/turned-clock.js';

/** A connection as far as the subscription uses it: its state, and that it can be made anew. */
class Connection extends EventEmitter {
  status = 'connecting';
  renewed = 0;

  ready(): void {
    this.status = 'ready';
    this.emit('ready');
  }

  disconnect(): void {
    this.renewed += 1;
    this.status = 'reconnecting';
    this.emit('close');
  }
}

function opened() {
  const clock = new TurnedClock();
  const counters = new Counters();
  const connection = new Connection();
  const rig = {
    clock,
    counters,
    connection,
    subscribed: 0,
    published: 0,
    told: [] as string[],
    subscribe: () => Promise.resolve(),
    publish: (): Promise<unknown> => Promise.resolve(1),
    /** Lets seconds pass, one by one, with what promises do in them. */
    pass: async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1000);
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      }
    },
  };
  const live = new LiveSubscription({
    name: 'nodes',
    subscriber: connection as unknown as RedisConnection,
    subscribe: () => {
      rig.subscribed += 1;
      return rig.subscribe();
    },
    publish: () => {
      rig.published += 1;
      return rig.publish();
    },
    onAlive: () => void rig.told.push('alive'),
    onLost: () => void rig.told.push('lost'),
    clock,
    logger: silentLogger,
    counters,
  });
  live.start();
  return Object.assign(rig, { live });
}

describe('LiveSubscription', () => {
  test('subscribes at every connection; the first proof makes it alive', async () => {
    const rig = opened();
    rig.connection.ready();
    expect([rig.subscribed, rig.live.isAlive]).toEqual([1, false]);
    rig.live.heard();
    rig.live.heard();
    expect(rig.live.isAlive).toBe(true);
    rig.connection.emit('close');
    expect(rig.live.isAlive).toBe(false);
    rig.connection.ready();
    rig.live.heard();
    expect([rig.subscribed, rig.told]).toEqual([2, ['alive', 'lost', 'alive']]);
  });

  test('three probes that nobody hears, and it is made anew', async () => {
    const rig = opened();
    rig.connection.ready();
    rig.live.heard();
    await rig.pass(3);
    expect([rig.published, rig.connection.renewed]).toEqual([3, 0]);
    await rig.pass(1);
    expect(rig.connection.renewed).toBe(1);
    expect(rig.told).toEqual(['alive', 'lost']);
    expect(rig.counters.get('subscriptions_renewed', 'nodes')).toBe(1);
  });

  test('probes that come back keep it, those of other nodes, too', async () => {
    const rig = opened();
    rig.publish = () => {
      rig.live.heard();
      return Promise.resolve(1);
    };
    rig.connection.ready();
    await rig.pass(20);
    expect(rig.connection.renewed).toBe(0);
    const before = rig.published;
    for (let turn = 0; turn < 10; turn += 1) {
      rig.clock.advance(500);
      rig.live.heard();
    }
    expect(rig.published).toBe(before);
  });

  test('a Redis that is away, or does not answer, is not its fault', async () => {
    const rig = opened();
    rig.connection.ready();
    rig.live.heard();
    rig.publish = () => Promise.reject(new Error('away'));
    await rig.pass(10);
    rig.publish = () => Promise.resolve(false);
    await rig.pass(10);
    rig.publish = () => new Promise<never>(() => undefined);
    await rig.pass(10);
    expect(rig.connection.renewed).toBe(0);
    // An answer that never comes is not waited for endlessly.
    rig.publish = () => Promise.resolve(1);
    await rig.pass(10);
    expect(rig.connection.renewed).toBe(1);
  });

  test('refused, it subscribes again every five seconds, and keeps the connection', async () => {
    const rig = opened();
    rig.subscribe = () => Promise.reject(new Error('NOPERM no'));
    rig.connection.ready();
    await rig.pass(12);
    expect([rig.subscribed, rig.connection.renewed]).toEqual([3, 0]);
    rig.subscribe = () => Promise.resolve();
    await rig.pass(5);
    expect(rig.subscribed).toBe(4);
    await rig.pass(2);
    expect(rig.subscribed).toBe(4);
  });

  test('stopped, it does nothing more', async () => {
    const rig = opened();
    rig.connection.ready();
    rig.live.heard();
    rig.live.stop();
    await rig.pass(10);
    rig.connection.emit('close');
    rig.connection.ready();
    expect([rig.subscribed, rig.published, rig.told]).toEqual([1, 0, ['alive']]);
  });
});
