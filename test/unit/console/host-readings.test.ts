import { beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewayEvent } from '../../../src/client/index.js';
import { HISTORY, HostReadings } from '../../../src/console/host-readings.js';

const GIB = 1024 ** 3;

function event(type: string, data: unknown, key?: string): GatewayEvent {
  return { id: '1-0', type, room: 'default', data, timestamp: 100, ...(key === undefined ? {} : { key }) };
}

function load(host: string, cpuPercent: number): GatewayEvent {
  return event('system_load_update', { host, cpuPercent, perCpuPercent: [1, 2], load: [0.5, 0.4, 0.3] });
}

describe('HostReadings', () => {
  let readings: HostReadings;

  beforeEach(() => {
    readings = new HostReadings();
  });

  it('puts load and status of one host together', () => {
    const memory = { totalBytes: 8 * GIB, usedBytes: 2 * GIB, usedPercent: 25 };
    expect(readings.take(load('a', 12.5))).toBe(true);
    expect(
      readings.take(
        event('system_status_update', {
          host: 'a',
          uptimeSeconds: 7,
          memory,
          process: { rssBytes: 9, node: 'v20' },
        }),
      ),
    ).toBe(true);
    expect(readings.of('a')).toEqual({
      host: 'a',
      cpuPercent: 12.5,
      perCpuPercent: [1, 2],
      load: [0.5, 0.4, 0.3],
      memoryUsedBytes: 2 * GIB,
      memoryTotalBytes: 8 * GIB,
      memoryPercent: 25,
      uptimeSeconds: 7,
      processRssBytes: 9,
      node: 'v20',
      measuredAt: 100,
      cpuHistory: [12.5],
      loadHistory: [0.5],
    });
  });

  it('tells hosts apart, by key where the data names none', () => {
    readings.take(load('b', 1));
    readings.take(event('system_load_update', { cpuPercent: 2 }, 'a'));
    expect(readings.hosts).toEqual(['a', 'b']);
    expect(readings.of('a')?.cpuPercent).toBe(2);
  });

  it.each([
    ['another type', event('kb_update', { host: 'a', cpuPercent: 1 })],
    ['no host', event('system_load_update', { cpuPercent: 1 })],
    ['another shape', event('system_load_update', { host: 'a', percent: 1 })],
    ['a status without memory', event('system_status_update', { host: 'a', status: 'online' })],
    ['no object', event('system_status_update', 'up', 'a')],
  ])('passes over %s', (_, other) => {
    expect(readings.take(other)).toBe(false);
    expect(readings.hosts).toEqual([]);
  });

  it('is bounded in time and in hosts; the one heard longest ago goes first', () => {
    for (let n = 0; n < HISTORY + 5; n += 1) readings.take(load('a', n));
    expect(readings.of('a')?.cpuHistory).toHaveLength(HISTORY);
    expect(readings.of('a')?.cpuHistory.at(-1)).toBe(HISTORY + 4);
    for (let n = 0; n < 49; n += 1) readings.take(load(`host-${String(n)}`, 1));
    readings.take(load('a', 1));
    readings.take(load('one more', 1));
    expect(readings.hosts).toHaveLength(50);
    expect(readings.of('a')).toBeDefined();
    expect(readings.of('host-0')).toBeUndefined();
  });
});
