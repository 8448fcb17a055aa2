import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { LocalQueue } from '../../../src/core/control/process/local-queue.js';
import { Refusal } from '../../../src/core/errors.js';
import { type NewEvent, parseEvent } from '../../../src/core/event.js';
import { Counters } from '../../../src/core/metrics/counters.js';
import { cpuLoad } from '../../../src/sources/cpu-load.js';
import { HostMonitor, type HostMonitorOptions, hostKey } from '../../../src/sources/host-monitor.js';
import { hostMonitorCommands } from '../../../src/sources/host-monitor-commands.js';
import { type CpuTimes, type HostReader, realHost } from '../../../src/sources/host-reader.js';
import { TurnedClock } from '../../support/turned-clock.js';

function setUp(overrides: Partial<HostMonitorOptions> = {}) {
  const clock = new TurnedClock();
  const startedMs = clock.elapsed();
  const published: { atMs: number; type: string; key: string | undefined; data: Record<string, unknown> }[] =
    [];
  const counters = new Counters();
  const warnings: string[] = [];
  // One CPU that is always a quarter busy, and one that never is.
  const host: HostReader = {
    hostname: () => 'test-host',
    cpus: () => [
      { busyMs: clock.elapsed() / 4, idleMs: (clock.elapsed() * 3) / 4 },
      { busyMs: 500, idleMs: clock.elapsed() },
    ],
    loadAverages: () => [0.5, 0.25, 0.125],
    hostUptimeSeconds: () => 86_400.7,
    totalBytes: () => 8_000,
    freeBytes: () => 2_000,
    pid: 42,
    nodeVersion: 'v20.0.0',
    rssBytes: () => 1_234,
    processUptimeSeconds: () => 12.6,
  };
  const monitor = new HostMonitor({
    host,
    clock,
    counters,
    logger: { error() {}, warn: (message) => void warnings.push(message), info() {}, debug() {} },
    publish: (event: NewEvent) => {
      const data = JSON.parse(event.dataJson) as Record<string, unknown>;
      published.push({ atMs: clock.elapsed() - startedMs, type: event.type, key: event.key, data });
      return Promise.resolve('1-0');
    },
    ...overrides,
  });
  const times = (type: string): number[] =>
    published.filter((event) => event.type === type).map(({ atMs }) => atMs);
  return { clock, published, counters, warnings, monitor, times };
}

describe('HostMonitor', () => {
  test('publishes the numbers of the host under its name', async () => {
    const { clock, monitor, published } = setUp();
    expect(monitor.start()).toEqual({ running: true, intervalMs: 1000 });
    await clock.turn(200);
    const timestamp = clock.now() / 1000;
    expect(published).toEqual([
      {
        atMs: 200,
        type: 'system_load_update',
        key: 'test-host',
        data: {
          host: 'test-host',
          cpuPercent: 12.5,
          perCpuPercent: [25, 0],
          load: [0.5, 0.25, 0.125],
          timestamp,
        },
      },
      {
        atMs: 200,
        type: 'system_status_update',
        key: 'test-host',
        data: {
          host: 'test-host',
          status: 'online',
          uptimeSeconds: 86_401,
          memory: { totalBytes: 8_000, usedBytes: 6_000, usedPercent: 75 },
          process: { pid: 42, rssBytes: 1_234, uptimeSeconds: 13, node: 'v20.0.0' },
          hostMonitor: { running: true, intervalMs: 1000 },
          timestamp,
        },
      },
    ]);
  });

  test('the first sample comes soon, the others once per interval', async () => {
    const { clock, monitor, times } = setUp();
    monitor.start();
    await clock.turn(3500);
    expect(times('system_load_update')).toEqual([200, 1200, 2200, 3200]);
    expect(times('system_status_update')).toEqual([200, 1200, 2200, 3200]);
  });

  test('starting twice is starting once; stopping tells it once and leaves nothing', async () => {
    const { clock, monitor, published, times } = setUp();
    expect(monitor.stop()).toEqual({ running: false, intervalMs: 1000 });
    monitor.start();
    monitor.start();
    await clock.turn(300);
    expect(monitor.stop()).toEqual({ running: false, intervalMs: 1000 });
    monitor.stop();
    await clock.turn(5000);
    expect(times('system_load_update')).toEqual([200]);
    expect(times('system_status_update')).toEqual([200, 300]);
    expect(published.at(-1)?.data).toMatchObject({ hostMonitor: { running: false, intervalMs: 1000 } });
    expect(clock.timers).toBe(0);
    monitor.start();
    await clock.turn(200);
    expect(times('system_load_update')).toEqual([200, 5500]);
  });

  test('a new interval counts from the last sample and is told at once', async () => {
    const { clock, monitor, times, published } = setUp();
    monitor.start();
    await clock.turn(700);
    expect(monitor.changeInterval(600)).toEqual({ running: true, intervalMs: 600 });
    expect(published.at(-1)?.data).toMatchObject({ hostMonitor: { intervalMs: 600 } });
    await clock.turn(1000);
    expect(times('system_load_update')).toEqual([200, 800, 1400]);
    expect(times('system_status_update')).toEqual([200, 700, 800, 1400]);
  });

  test('asking for the same interval all the time does not hold the samples up', async () => {
    const { clock, monitor, times } = setUp();
    monitor.start();
    for (let step = 0; step < 25; step += 1) {
      monitor.changeInterval(1000);
      await clock.turn(100);
    }
    expect(times('system_load_update').length).toBeGreaterThanOrEqual(2);
  });

  test('an interval that is changed while stopped starts nothing', async () => {
    const { clock, monitor, published } = setUp();
    expect(monitor.changeInterval(100)).toEqual({ running: false, intervalMs: 100 });
    await clock.turn(1000);
    expect(published).toEqual([]);
    monitor.start();
    await clock.turn(250);
    expect(published.length).toBe(4);
  });

  test('samples do not pile up behind a publication that hangs, but the stop is told', async () => {
    const types: string[] = [];
    const { clock, monitor, counters } = setUp({
      publish: ({ type }) => {
        types.push(type);
        return new Promise(() => {});
      },
    });
    monitor.start();
    await clock.turn(3200);
    expect(types).toHaveLength(2);
    expect(counters.get('host_monitor_skipped')).toBe(3);
    monitor.stop();
    expect(types).toHaveLength(3);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('down'))],
    ['refuses', () => Promise.resolve(new Refusal('log_unavailable', 'down'))],
  ])('a log that %s is counted each time and logged once', async (_, publish) => {
    const { clock, monitor, counters, warnings } = setUp({ publish });
    monitor.start();
    await clock.turn(3200);
    expect(counters.get('host_monitor_failures')).toBe(8);
    expect(warnings).toHaveLength(1);
  });

  test('this very host has real numbers', async () => {
    const { clock, monitor, published } = setUp({ host: realHost });
    monitor.start();
    await clock.turn(200);
    const [load, status] = published;
    expect(load?.data['cpuPercent']).toBeGreaterThanOrEqual(0);
    expect(load?.data['cpuPercent']).toBeLessThanOrEqual(100);
    expect(load?.data['load']).toHaveLength(3);
    expect(status?.data['process']).toMatchObject({ pid: process.pid, node: process.version });
    expect(status?.data['memory']).toMatchObject({ totalBytes: realHost.totalBytes() });
  });

  test('any host name makes a key that the log takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
        const event = { type: 'system_load_update', key: hostKey(name), data: null };
        expect(parseEvent(event, 'null', { maxDataBytes: 100, nowMs: 0 })).not.toBeInstanceOf(Refusal);
      }),
    );
    expect(hostKey('')).toBe('host');
    expect(hostKey('web-1.example.org')).toBe('web-1.example.org');
  });
});

describe('cpuLoad', () => {
  const times = fc.record({ busyMs: fc.double({ min: 0, max: 1e12, noNaN: true }), idleMs: fc.nat() });

  test('is 0–100 whatever the counters do', () => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 8 }), fc.array(times, { maxLength: 8 }), (before, after) => {
        const { cpuPercent, perCpuPercent } = cpuLoad(before, after);
        expect(perCpuPercent).toHaveLength(after.length);
        for (const percent of [cpuPercent, ...perCpuPercent]) {
          expect(percent).toBeGreaterThanOrEqual(0);
          expect(percent).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  test('no CPUs, no time or counters that went back are no load', () => {
    const cpu: CpuTimes = { busyMs: 10, idleMs: 10 };
    expect(cpuLoad([], [])).toEqual({ cpuPercent: 0, perCpuPercent: [] });
    expect(cpuLoad([cpu], [cpu])).toEqual({ cpuPercent: 0, perCpuPercent: [0] });
    expect(cpuLoad([{ busyMs: 90, idleMs: 5 }], [cpu])).toEqual({ cpuPercent: 0, perCpuPercent: [0] });
    expect(cpuLoad([], [cpu])).toEqual({ cpuPercent: 0, perCpuPercent: [0] });
  });
});

function commandsOf(monitor: HostMonitor) {
  const commands = hostMonitorCommands(monitor);
  const queue = new LocalQueue(commands, { error() {}, warn() {}, info() {}, debug() {} });
  return async (action: string, data: unknown = null): Promise<unknown> => {
    const receipt = await queue.offer({ id: '1', action, data, principal: { id: 'p' } });
    return receipt instanceof Refusal ? receipt : receipt.outcome;
  };
}

describe('hostMonitorCommands', () => {
  test('start, stop and interval steer the monitor and result in its state', async () => {
    const { monitor } = setUp();
    const run = commandsOf(monitor);
    expect(hostMonitorCommands(monitor).every(({ spec }) => spec.where === 'local')).toBe(true);
    expect(await run('host-monitor.start')).toEqual({
      status: 'succeeded',
      result: { running: true, intervalMs: 1000 },
    });
    expect(await run('host-monitor.interval', { ms: 60_000 })).toEqual({
      status: 'succeeded',
      result: { running: true, intervalMs: 60_000 },
    });
    expect(await run('host-monitor.stop')).toEqual({
      status: 'succeeded',
      result: { running: false, intervalMs: 60_000 },
    });
  });

  test.each([
    [null],
    [500],
    [{}],
    [{ ms: 99 }],
    [{ ms: 60_001 }],
    [{ ms: '500' }],
    [{ ms: 500.5 }],
    [{ ms: null }],
  ])('the interval %p is a bad request, and changes nothing', async (data) => {
    const { monitor } = setUp();
    expect(await commandsOf(monitor)('host-monitor.interval', data)).toEqual({
      status: 'failed',
      error: {
        code: 'bad_request',
        message: 'ms must be a whole number of milliseconds, 100–60000',
        retryable: false,
      },
    });
    expect(monitor.state.intervalMs).toBe(1000);
  });
});
