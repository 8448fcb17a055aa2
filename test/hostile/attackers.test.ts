import net from 'node:net';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { KeyServer } from '../support/key-server.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { launchProbedGateway } from '../support/probed-gateway.js';
import { upgradeLines } from '../support/raw-exchange.js';
import { waitUntil } from '../support/wait-until.js';

afterEach(killLaunched);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('connections that break while something is found out', () => {
  test('an upgrade that is reset while its token is checked harms nobody', async () => {
    const keys = await KeyServer.open();
    const asked: ServerResponse[] = [];
    keys.answer = (response) => void asked.push(response);
    const gateway = await launchGateway({
      APP_PROFILE: 'HYBRID',
      AUTH_MODE: 'token',
      JWT_JWKS_URL: keys.url,
    });
    const opened = await fetch(
      `${gateway.url}/socket.io/?EIO=4&transport=polling&access_token=anything-at-all`,
    );
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    const token = [{ alg: 'RS256', kid: 'unknown' }, { sub: 'nobody', exp: 9e9 }, 'none'].map(part).join('.');
    const target = `/socket.io/?EIO=4&transport=websocket&sid=${sid}&access_token=${token}`;
    const socket = net.connect(gateway.port, '127.0.0.1');
    socket.write(`${upgradeLines(target).join('\r\n')}\r\n\r\n`);
    await waitUntil(() => asked.length > 0, 'the gateway to ask for keys');
    const reset = new Promise((resolve) => socket.once('close', resolve));
    socket.resetAndDestroy();
    await reset;
    // Has the loop come round.
    for (let n = 0; n < 3; n += 1) expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    keys.serve([]);
    for (const response of asked) keys.answer(response);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(await gateway.stop()).toBe(0);
    await keys.close();
  });
});

describe('requests that wait for the answers to those before', () => {
  test('hold little, whatever is in their heads; a few small ones are answered in turn', async () => {
    const gateway = await launchProbedGateway({ APP_PROFILE: 'HYBRID' });
    const before = gateway.rssBytes() ?? 0;
    const headers = Array.from({ length: 1800 }, (_, n) => `a${String(n)}:b`).join('\r\n');
    const cut = new Set<net.Socket>();
    const pollWith = async (others: string): Promise<net.Socket> => {
      const opened = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`);
      const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
      const socket = net.connect(gateway.port, '127.0.0.1');
      socket.on('error', () => undefined).on('close', () => cut.add(socket));
      socket.write(
        `GET /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n${others}`,
      );
      return socket;
    };
    for (let n = 0; n < 60; n += 1) {
      const socket = await pollWith(
        `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n\r\n`.repeat(31),
      );
      socket.resume();
    }
    await waitUntil(() => cut.size === 60, 'all of them to be cut');
    const status = await fetch(`${gateway.url}/api/admin/status`);
    const { counters } = (await status.json()) as { counters: { http_refused?: Record<string, number> } };
    expect(counters.http_refused).toEqual({ rate_limited: 60 });
    // Without a bound some 180 MB.
    expect((gateway.rssBytes() ?? 0) - before).toBeLessThan(90_000_000);
    const few = net.connect(gateway.port, '127.0.0.1');
    let text = '';
    few.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    few.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: someone\r\n\r\n'.repeat(30));
    await waitUntil(() => text.split('HTTP/1.1 200 OK').length === 31, 'their answers');
    few.destroy();
    expect(await gateway.stop()).toBe(0);
  });
});
