import net from 'node:net';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { KeyServer } from '../support/key-server.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
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
