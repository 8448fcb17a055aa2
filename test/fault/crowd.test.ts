import { afterEach, expect, test } from '@jest/globals';
import { statusOf, untilSessions } from '../support/gateway-status.js';
import { killLaunched } from '../support/launched-gateway.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { publish } from '../support/publish.js';
import { LEFT_BYTES, RawClient, TRANSPORTS } from '../support/raw-client.js';
import { RawCrowd } from '../support/raw-crowd.js';

const CLIENTS = 5000;

afterEach(async () => {
  RawClient.leaveAll();
  await killLaunched();
});

test.each(TRANSPORTS)(
  '5000 clients connect at once over $wire, are served, and leave nothing behind',
  async ({ wires }) => {
    const gateway = await launchProbedGateway({
      APP_PROFILE: 'HYBRID',
      DEFAULT_ROOMS: 'crowd',
      PING_INTERVAL: '300',
    });
    const { url, port } = gateway;
    const open = (count: number): Promise<RawCrowd> =>
      RawCrowd.open(port, wires, count, () => ({ rooms: ['crowd'] }));
    // What is loaded and compiled with the first clients is not theirs.
    const first = await open(100);
    await publish(url, { type: 'fact_added', room: 'crowd', data: 'first' });
    await first.until(({ events }) => events.some(({ data }) => data === 'first'), 'to get the first event');
    first.leave();
    await untilSessions(url, 0);
    const heldBefore = await gateway.heldBytes();

    const crowd = await open(CLIENTS);
    const { sessions, rooms } = await statusOf(url);
    expect(sessions).toEqual(
      wires[0] === 'sse' ? { sse: CLIENTS, websocket: 0 } : { sse: 0, websocket: CLIENTS },
    );
    expect(rooms).toEqual({ crowd: CLIENTS });
    await publish(url, { type: 'fact_added', room: 'crowd', data: 'hello' });
    await crowd.until(({ events }) => events.some(({ data }) => data === 'hello'), 'to get the event');
    expect(
      crowd.clients.filter(({ events }) => events.filter(({ data }) => data === 'hello').length !== 1),
    ).toEqual([]);

    crowd.leave();
    await untilSessions(url, 0);
    const left = (await gateway.heldBytes()) - heldBefore;
    expect((await statusOf(url)).rooms).toEqual({});
    expect(left).toBeLessThan(CLIENTS * LEFT_BYTES);
  },
);
