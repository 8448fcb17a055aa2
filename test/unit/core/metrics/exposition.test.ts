import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { FlipReport } from '../../../../src/core/flip/flip-report.js';
import { CommandFigures } from '../../../../src/core/metrics/command-figures.js';
import { COUNTER_METRICS } from '../../../../src/core/metrics/counter-table.js';
import { Exposition } from '../../../../src/core/metrics/exposition.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { ROOT } from '../../../support/launched-gateway.js';
import { newEvent } from '../../../support/new-event.js';

const TRANSPORTS = { websocket: true, sse: true, control: true };

let rig: DeliveryRig;
let commands: CommandFigures;
let report: FlipReport;
let bridge: { role: 'copying' | 'standing by' } | undefined;
let exposition: Exposition;

function expose(): Exposition {
  return new Exposition({
    version: '1.2.3',
    counters: rig.counters,
    delivery: rig.delivery,
    loopLag: () => ({ p50: 1, p99: 20, max: 30 }),
    commands: { figures: commands, open: () => 4 },
    profiles: { report: () => report },
    log: rig.log,
    bridge,
    nodes: bridge === undefined ? undefined : () => ({ known: 3, reachable: true }),
  });
}

/** The value of a sample, by its name and labels as they are written. */
async function valueOf(sample: string): Promise<number | undefined> {
  const lines = (await exposition.text()).split('\n');
  const line = lines.find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length));
}

beforeEach(() => {
  rig = DeliveryRig.ready();
  commands = new CommandFigures(['test.echo']);
  report = { profile: 'HYBRID', transports: TRANSPORTS, since: 0, repeated: false, flip: null };
  bridge = { role: 'standing by' };
  exposition = expose();
});

describe('Exposition', () => {
  test('tells of clients, and of what they were given', async () => {
    rig.open(['a', 'b']);
    rig.request({ transport: 'websocket', rooms: ['a'] });
    await rig.publish([newEvent({ room: 'a', key: 'k' }), newEvent({ room: 'a', key: 'k' })]);
    expect(await valueOf('flipgate_sessions{transport="sse"}')).toBe(1);
    expect(await valueOf('flipgate_sessions{transport="websocket"}')).toBe(1);
    expect(await valueOf('flipgate_rooms')).toBe(2);
    expect(await valueOf('flipgate_events_logged_total')).toBe(2);
    expect(await valueOf('flipgate_flushes_total')).toBeGreaterThan(0);
    const { owed, events, writes, bytes } = rig.delivery.figures.traffic.sse;
    expect(events).toBeGreaterThan(0);
    expect(await valueOf('flipgate_events_written_total{transport="sse"}')).toBe(events);
    expect(await valueOf('flipgate_events_coalesced_total{transport="sse"}')).toBe(owed - events);
    expect(await valueOf('flipgate_writes_total{transport="sse"}')).toBe(writes);
    expect(await valueOf('flipgate_written_bytes_total{transport="sse"}')).toBe(bytes);
    expect(await valueOf('flipgate_event_loop_lag_seconds{percentile="99"}')).toBe(0.02);
    expect(await valueOf('flipgate_draining')).toBe(0);
    rig.delivery.shutDown();
    expect(await valueOf('flipgate_sessions{transport="sse"}')).toBe(0);
    expect(await valueOf('flipgate_draining')).toBe(1);
  });

  test('tells latencies as a histogram in seconds, cumulative and complete', async () => {
    const { latencyMs } = rig.delivery.figures;
    latencyMs.add(4, 10);
    latencyMs.add(140, 5);
    latencyMs.add(90_000);
    const bucket = (le: string) => valueOf(`flipgate_delivery_latency_seconds_bucket{le="${le}"}`);
    expect(await bucket('0.005')).toBe(10);
    expect(await bucket('0.1')).toBe(10);
    expect(await bucket('0.15')).toBe(15);
    expect(await bucket('60')).toBe(15);
    expect(await bucket('+Inf')).toBe(16);
    expect(await valueOf('flipgate_delivery_latency_seconds_count')).toBe(16);
    expect(await valueOf('flipgate_delivery_latency_seconds_sum')).toBeCloseTo(90.74);
  });

  test('tells commands by actions that are known, and all others as one', async () => {
    commands.ended('test.echo', 'succeeded', 40);
    for (let number = 0; number < 500; number += 1) commands.ended(`made-up-${String(number)}`, 'failed', 1);
    const count = (labels: string) => valueOf(`flipgate_command_duration_seconds_count{${labels}}`);
    expect(await valueOf('flipgate_commands_open')).toBe(4);
    expect(await count('action="test.echo",status="succeeded"')).toBe(1);
    expect(await count('action="other",status="failed"')).toBe(500);
    expect(await exposition.text()).not.toContain('made-up');
  });

  test('tells states as one of a few words', async () => {
    expect(await valueOf('flipgate_profile{profile="HYBRID"}')).toBe(1);
    expect(await valueOf('flipgate_profile{profile="SSE"}')).toBe(0);
    expect(await valueOf('flipgate_bridge_role{role="standing by"}')).toBe(1);
    expect(await valueOf('flipgate_bridge_role{role="copying"}')).toBe(0);
    expect(await valueOf('flipgate_log_ready')).toBe(1);
    expect(await valueOf('flipgate_cluster_nodes')).toBe(3);
    expect(await valueOf('flipgate_flip_state{state="draining"}')).toBe(0);
    const nobody = { total: 0, left: 0, ended: 0 };
    const byKind = {
      sdk: { total: 3, left: 2, ended: 1 },
      bundle: nobody,
      eventsource: { total: 6, left: 5, ended: 1 },
      stock: nobody,
    };
    const sessions = {
      total: 9,
      left: 7,
      clients: { moved: 1, returned: 1, cutOff: 1, gone: 0, byKind },
    };
    const origin = { by: 'operator', address: null, via: 'http' } as const;
    const flip = {
      id: 1,
      from: 'SSE',
      to: 'HYBRID',
      startedAt: 0,
      state: 'draining',
      sessions,
      error: null,
    } as const;
    report = { ...report, flip: { ...origin, ...flip } };
    expect(await valueOf('flipgate_flip_state{state="draining"}')).toBe(1);
    expect(await valueOf('flipgate_flip_sessions_left')).toBe(7);
    expect(await valueOf('flipgate_flip_clients{outcome="moved"}')).toBe(1);
    expect(await valueOf('flipgate_flip_clients{outcome="cut_off"}')).toBe(1);
    expect(await valueOf('flipgate_flip_clients{outcome="gone"}')).toBe(0);
    rig.log.enter('unavailable');
    expect(await valueOf('flipgate_log_ready')).toBe(0);
    expect(await valueOf('flipgate_log_state{state="unavailable"}')).toBe(1);
  });

  test('tells nothing of Redis where there is none', async () => {
    bridge = undefined;
    exposition = expose();
    expect(await exposition.text()).not.toMatch(/flipgate_(bridge_role|cluster)/);
  });

  test('tells every count, and known reasons before they happened', async () => {
    expect(await valueOf('flipgate_events_dropped_total{reason="client_queue"}')).toBe(0);
    for (const [name, { label }] of Object.entries(COUNTER_METRICS)) {
      rig.counters.add(name, label === null ? undefined : 'some_reason', 3);
      const labels = label === null ? '' : `{${label}="some_reason"}`;
      expect([name, await valueOf(`flipgate_${name}_total${labels}`)]).toEqual([name, 3]);
    }
  });

  test('is asked again and again, and tells what is then', async () => {
    rig.counters.add('gaps', 'trimmed');
    expect(await valueOf('flipgate_gaps_total{reason="trimmed"}')).toBe(1);
    rig.counters.add('gaps', 'trimmed');
    expect(await valueOf('flipgate_gaps_total{reason="trimmed"}')).toBe(2);
    const { user, system } = process.cpuUsage();
    expect(await valueOf('process_cpu_seconds_total')).toBeCloseTo((user + system) / 1e6, -1);
    expect(await valueOf('nodejs_active_handles_total')).toBeUndefined();
  });

  test('keeps to the conventions for names', async () => {
    const text = await exposition.text();
    const types = [...text.matchAll(/^# TYPE (flipgate_\w+) (\w+)$/gm)];
    expect(types.length).toBeGreaterThan(50);
    for (const [, name = '', type] of types) {
      expect(name).toMatch(/^flipgate_[a-z_]+[a-z]$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z0-9].*\\.$`, 'm'));
    }
  });
});

describe('the table of counters', () => {
  /** First arguments of all calls that count something in the sources. */
  const calls = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(client|console|drill)\b/.test(file))
    .flatMap((file) => {
      const source = readFileSync(path.join(ROOT, 'src', file), 'utf8');
      return [...source.matchAll(/\bcounters\??\.add\(\s*([^,)]*)/gi)].map(([, name = '']) => ({
        file,
        name,
      }));
    });

  test('has every counter of the sources, which name them as they are', () => {
    expect(calls.length).toBeGreaterThan(30);
    const names = Object.keys(COUNTER_METRICS).map((name) => `'${name}'`);
    expect(calls.filter(({ name }) => !names.includes(name))).toEqual([]);
  });

  test('has none that nobody counts', () => {
    const counted = new Set(calls.map(({ name }) => name));
    expect(Object.keys(COUNTER_METRICS).filter((name) => !counted.has(`'${name}'`))).toEqual([]);
  });
});
