import { afterEach, expect, test } from '@jest/globals';
import { countOf, statusOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched } from '../support/launched-gateway.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { LEFT_BYTES, RawClient, type RawWire, TRANSPORTS } from '../support/raw-client.js';

const TIMES = 1000;
/** Clients that come and go side by side. */
const SIDE_BY_SIDE = 10;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

test.each(TRANSPORTS)(
  'a client that connects and goes a thousand times over $wire leaves nothing behind',
  async ({ wires }) => {
    const gateway = await launchProbedGateway({ APP_PROFILE: 'HYBRID' });
    const { url, port } = gateway;
    const comeAndGo = async (wire: RawWire, times: number): Promise<void> => {
      for (let done = 0; done < times; done += 1) (await RawClient.open(port, wire)).leave();
    };
    const round = async (): Promise<number> => {
      const lanes = Array.from({ length: SIDE_BY_SIDE }, (_, lane) =>
        comeAndGo(wires[lane % wires.length] ?? 'sse', TIMES / SIDE_BY_SIDE),
      );
      await Promise.all(lanes);
      await untilSessions(url, 0);
      return await gateway.heldBytes();
    };

    const held = await round();
    const rss = gateway.rssBytes();
    const heldAfter = await round();
    expect(heldAfter - held).toBeLessThan(TIMES * LEFT_BYTES);
    const rssAfter = gateway.rssBytes();
    if (rss !== undefined && rssAfter !== undefined) expect(rssAfter - rss).toBeLessThan(50 * 1024 * 1024);
    expect((await statusOf(url)).rooms).toEqual({});
    expect(await countOf(url, 'sessions_opened', wires[0] === 'sse' ? 'sse' : 'websocket')).toBe(2 * TIMES);
  },
);
