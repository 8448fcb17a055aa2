import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { CommandSummary } from '../../src/core/control/command-store.js';
import type { Figures } from '../../src/core/metrics/recent-figures.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { untilSessions } from '../support/gateway-status.js';
import { waitUntil } from '../support/wait-until.js';

let gateway: LaunchedGateway;

const figuresOf = async (): Promise<Figures> => {
  const { json } = await requestJson('GET', `${gateway.url}/api/admin/status`);
  return (json as { figures: Figures }).figures;
};

beforeAll(async () => {
  gateway = await launchGateway({ APP_PROFILE: 'HYBRID', MAX_EVENTS_PER_SECOND_PER_CLIENT: '10' });
});

afterAll(killLaunched);

describe('figures of a gateway at work', () => {
  it('count what goes out over each transport, and how fast', async () => {
    const abort = new AbortController();
    const stream = await fetch(`${gateway.url}/api/events/stream`, { signal: abort.signal });
    let streamed = '';
    const reading = (async () => {
      for await (const chunk of stream.body ?? []) streamed += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    const socket: Socket = io(gateway.url, { transports: ['websocket'], auth: { bundle: true } });
    await untilSessions(gateway.url, 2);
    const { total: before } = await figuresOf();
    const last = 'the last value';
    for (let value = 0; value < 40; value += 1)
      await publish(gateway.url, { type: 'load', key: 'k', data: value === 39 ? last : value });
    await waitUntil(() => streamed.includes(last), 'the last value');
    await waitUntil(async () => (await figuresOf()).recent.latencyMs !== null, 'a latency');
    const { total, recent, memory } = await figuresOf();
    expect(total.eventsIn - before.eventsIn).toBe(40);
    for (const transport of ['sse', 'websocket'] as const) {
      const { owed, events, writes, bytes } = total.traffic[transport];
      expect(owed - before.traffic[transport].owed).toBe(40);
      expect(events - before.traffic[transport].events).toBeLessThan(40);
      expect(writes).toBeGreaterThan(before.traffic[transport].writes);
      expect(bytes).toBeGreaterThan(events * 50);
      expect(recent.traffic[transport].bytesPerSecond).toBeGreaterThan(0);
    }
    expect(total.latency.count).toBe(40);
    expect(recent.coalescing).toBeGreaterThan(1);
    expect(recent.latencyMs?.p99).toBeGreaterThanOrEqual(recent.latencyMs?.p50 ?? Infinity);
    expect(recent.cpu).toBeGreaterThan(0);
    expect(memory.rssBytes).toBeGreaterThan(20e6);
    await waitUntil(async () => (await figuresOf()).recent.loopLagMs !== null, 'a lag');
    abort.abort();
    socket.close();
    await reading;
  });

  it('list commands, and refuse a limit that is none', async () => {
    const commands = `${gateway.url}/api/admin/commands`;
    expect((await requestJson('GET', commands)).json).toEqual({ commands: [] });
    await requestJson('POST', `${gateway.url}/api/control`, { action: 'host-monitor.stop' });
    await requestJson('POST', `${gateway.url}/api/control`, {
      action: 'host-monitor.interval',
      data: { ms: 'x' },
    });
    const listed = (await requestJson('GET', `${commands}?limit=5`)).json as { commands: CommandSummary[] };
    expect(listed.commands.map(({ action, status, error }) => [action, status, error?.code])).toEqual(
      expect.arrayContaining([
        ['host-monitor.interval', 'failed', 'bad_request'],
        ['host-monitor.stop', 'succeeded', undefined],
      ]),
    );
    for (const limit of ['0', '201', '1.5', 'x', ''])
      expect((await requestJson('GET', `${commands}?limit=${limit}`)).json).toMatchObject({
        error: { code: 'bad_request' },
      });
  });
});
