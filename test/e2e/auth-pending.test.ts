import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { requestJson } from '../support/json-request.js';
import { KeyServer } from '../support/key-server.js';
import { type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { waitUntil } from '../support/wait-until.js';

const OPERATOR = { Authorization: 'Bearer operator-key-1234' };

let keys: KeyServer;
let gateway: LaunchedGateway;
/** Requests for keys that wait for the test. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  keys = await KeyServer.open();
  keys.answer = (response) => void held.push(response);
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    DRAIN_MS: '0',
    AUTH_MODE: 'token',
    API_KEYS: '[{"id":"operator","key":"operator-key-1234","admin":["*"]}]',
    JWT_JWKS_URL: keys.url,
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await keys.close();
});

test('a stream whose token is still being checked when streams go off is told so, and not opened', async () => {
  const { url } = gateway;
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const token = await new SignJWT({ flipgate: { subscribe: ['*'] }, sub: 'ann' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('10m')
    .sign(privateKey);
  const ask = () =>
    requestJson('GET', `${url}/api/events/stream?rooms=a`, undefined, { Authorization: `Bearer ${token}` });
  const flip = (profile: string) => requestJson('PUT', `${url}/api/admin/profile`, { profile }, OPERATOR);
  const pending = ask();
  await waitUntil(() => held.length === 1, 'the keys to be asked for');
  expect((await flip('WEBSOCKET')).json).toMatchObject({ profile: 'WEBSOCKET' });
  const document = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] });
  held[0]?.writeHead(200, { 'Content-Type': 'application/json' }).end(document);
  const { status, json } = await pending;
  expect([status, json.error.code, json.transports.sse]).toEqual([404, 'transport_disabled', null]);
  const { sessions } = (await requestJson('GET', `${url}/api/admin/status`, undefined, OPERATOR)).json;
  expect(sessions).toEqual({ websocket: 0, sse: 0 });
});
