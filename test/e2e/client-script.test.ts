import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';

/** 7 KB: what a page pays for one stream that goes on. */
const MAX_BYTES = 7168;
const PAGE = 'https://app.example';

let url: string;

beforeAll(async () => {
  ({ url } = await launchGateway({ APP_PROFILE: 'SSE', CORS_ORIGINS: PAGE }));
});

afterAll(killLaunched);

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url + path, { headers });

describe('GET /client.js', () => {
  it('is the SDK, in 7 KB', async () => {
    const script = await (await get('/client.js')).text();
    expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(MAX_BYTES);
    for (const name of ['FlipgateClient', 'EventStream', 'ControlClient', 'GatewayError']) {
      expect(script).toMatch(new RegExp(`export\\{.*\\bas ${name}\\b`));
    }
    // Loaded only when it is needed, and never by a browser.
    expect(script.match(/socket\.io-client/g)).toHaveLength(1);
    expect(script).toContain('import("socket.io-client")');
  });

  it.each(['/client.js', '/client-shared.js'])(
    '%s is a script for pages of the listed origins',
    async (path) => {
      const answer = await get(path, { Origin: PAGE });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      // As a worker it reaches every node of its cluster.
      expect(answer.headers.get('content-security-policy')).toBeNull();
      const other = await get(path, { Origin: 'https://other.example' });
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
      const map = await get(answer.headers.get('sourcemap') ?? '');
      expect(((await map.json()) as { sources: string[] }).sources.join()).toContain('src/client/');
    },
  );

  it('is asked for each time, and sent once', async () => {
    const { headers } = await get('/client.js');
    expect(headers.get('cache-control')).toBe('no-cache');
    // Not `fetch`, which asks for a fresh answer whenever it is told to ask on a condition.
    const again = request(`${url}/client.js`, {
      headers: { 'If-None-Match': headers.get('etag') ?? '' },
    }).end();
    const [answer] = (await once(again, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(304);
  });
});
