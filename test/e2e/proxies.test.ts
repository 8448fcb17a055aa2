import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { addressedAgent } from '../support/addressed-agent.js';
import { launchBrowser } from '../support/browser.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, launchGateway } from '../support/launched-gateway.js';
import { launchProxy } from '../support/launched-proxy.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { behindAll, installedProxies, ProxiedNodes } from '../support/proxied-nodes.js';
import { publish } from '../support/publish.js';
import { rawStreamWire } from '../support/raw-stream-wire.js';
import { type ProgramRun, runProgram } from '../support/run-program.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

/** Streams that one page opens at one origin: over HTTP/1.1 a browser opens six. */
const STREAMS = 20;

/** Streams, and when asked an upgraded socket.io connection. */
const STREAMS_PAGE = `<script src="/socket.io/socket.io.js"></script><script>
  const opened = new Set(), told = new Set();
  for (let n = 0; n < ${String(STREAMS)}; n += 1) {
    const stream = new EventSource('/api/events/stream?n=' + n);
    stream.addEventListener('welcome', () => opened.add(n));
    stream.onmessage = ({ data }) => {
      if (data.includes('for pages')) told.add(n);
    };
  }
  const protocol = () => performance.getEntriesByName(location.origin + '/socket.io/socket.io.js')[0].nextHopProtocol;
  const socket = () => new Promise((resolve, reject) => {
    const client = io();
    client.on('connect_error', reject);
    const look = () => {
      const { name } = client.io.engine.transport;
      if (name === 'websocket') resolve(name);
      else setTimeout(look, 50);
    };
    client.on('connect', look);
  });
</script>`;

const clients: { close(): unknown }[] = [];
let rigs: readonly ProxiedNodes[] = [];
let browser: Browser;

beforeAll(async () => {
  [rigs, browser] = await Promise.all([ProxiedNodes.startAll(testRedisUrl()), launchBrowser()]);
}, 60_000);

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(async () => {
  await browser.close();
  await Promise.all(rigs.map((rig) => rig.stop()));
  await killLaunched();
});

const kept = <Client extends { close(): unknown }>(client: Client): Client => {
  clients.push(client);
  return client;
};

async function openStreams(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage();
  await page.route(`${origin}/my-app`, (route) =>
    route.fulfill({ contentType: 'text/html', body: STREAMS_PAGE }),
  );
  await page.goto(`${origin}/my-app`);
  return page;
}

const testBehind = installedProxies.length > 0 ? test : test.skip;
const testHaproxy = installedProxies.includes('haproxy') ? test : test.skip;

/** The status of a request from an address of this machine that the configurations are told is outside. */
function statusFrom(localAddress: string, url: string, body?: string, headers = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = http.request(url, { method, localAddress, agent: false, headers }, (response) => {
      resolve(response.resume().statusCode);
    });
    request.on('error', reject).end(body);
  });
}

function flipAll(profile: string, url: string, variables = {}): Promise<ProgramRun> {
  return runProgram('dist/cli.js', ['flip', profile, '--all', '--url', url], variables);
}

testBehind('the proxies have nothing to say against their configurations', async () => {
  await behindAll(rigs, async ({ name, proxy }) => {
    const said = await proxy.check();
    if (name !== 'caddy') expect(said).toBe('');
    else expect(said).toMatch(/^Valid configuration/);
  });
});

testBehind(
  'a stream comes as it is written: each event and each ping at once, while it stays open',
  async () => {
    await behindAll(rigs, async ({ proxy: { url } }) => {
      const { got } = kept(await rawStreamWire.connect(url, {}));
      for (const data of ['first', 'second', 'third']) {
        await publish(url, { type: 'fact_added', data });
        await waitUntil(() => got.dataOf('default').includes(data), data, 3000);
      }
      await waitUntil(() => got.heartbeats > 1, 'pings', 5000);
      expect(got.losses).toBe(0);
    });
  },
);

testBehind(
  'stock clients of all versions get through all ways, at either node, and stay with it',
  async () => {
    await behindAll(rigs, async (rig) => {
      const { url } = rig.proxy;
      const ways = ([4, 3, 2] as const).flatMap((version) =>
        (['websocket', 'polling', 'upgrade'] as const).map((mode) => new StockClient(version, url, mode)),
      );
      // From addresses of their own, so that both nodes get some.
      const elsewhere = Array.from({ length: 16 }, (_, index) => {
        const mode = index % 2 === 0 ? 'polling' : 'upgrade';
        return new StockClient(4, url, mode, { agent: addressedAgent(index) });
      });
      const all = [...ways, ...elsewhere].map(kept);
      await waitUntil(() => all.every(({ events }) => events.length > 0), 'all to be greeted');
      const upgraded = (): number => all.filter(({ transport }) => transport === 'websocket').length;
      await waitUntil(() => upgraded() === 14, 'the upgrades');
      await publish(url, { type: 'fact_added', data: 'for all' });
      await waitUntil(
        () => all.every((client) => client.dataOf('fact_added').includes('for all')),
        'all to get it',
      );
      expect(Math.min(...(await rig.sessions('websocket')))).toBeGreaterThan(0);
      expect(all.flatMap(({ errors, disconnects }) => [...errors, ...disconnects])).toEqual([]);
    });
  },
);

/** The statuses of so many requests from an address, all at the same time, or as many as `atOnce`. */
async function statusesFrom(
  localAddress: string,
  count: number,
  url: string,
  {
    method = 'HEAD',
    headers = {},
    atOnce = count,
  }: { method?: string; headers?: object; atOnce?: number } = {},
): Promise<Map<unknown, number>> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
  const statuses = new Map<unknown, number>();
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = http.request(
        url,
        { method, localAddress, agent, headers: { ...headers } },
        (response) => {
          statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
          response.resume().on('end', resolve);
        },
      );
      request.on('error', reject).end();
    });
  await Promise.all(Array.from({ length: count }, ask));
  agent.destroy();
  return statuses;
}

testBehind('browsers are kept at TLS, by every answer of the site', async () => {
  await behindAll(rigs, async ({ proxy: { url } }) => {
    for (const [path, headers] of [
      ['/', {}],
      ['/api/profile', {}],
      ['/api/events/stream', { Origin: 'https://evil.example' }],
      ['/socket.io/?EIO=4&transport=polling', {}],
      ['/none', {}],
    ] as const) {
      const answer = await requestJson('GET', url + path, undefined, headers);
      expect([path, answer.headers['strict-transport-security']]).toEqual([path, 'max-age=31536000']);
    }
  });
});

testBehind(
  'one client opens only so many streams and sessions; others, and those it has, are served',
  async () => {
    // Caddy has no such limits without a plugin.
    const able = rigs.filter(({ name }) => name !== 'caddy');
    await behindAll(able, async ({ name, proxy: { url } }) => {
      const flood = { nginx: { count: 400, atOnce: 400 }, haproxy: { count: 1100, atOnce: 50 } };
      const { count, atOnce } = flood[name === 'nginx' ? 'nginx' : 'haproxy'];
      const polling = `${url}/socket.io/?EIO=4&transport=polling`;
      for (const [address, path] of [
        ['127.0.0.71', '/api/events/stream'],
        ['127.0.0.72', '/API/Events/Stream/'],
      ] as const) {
        const statuses = await statusesFrom(address, count, url + path, { atOnce });
        expect(new Set(statuses.keys())).toEqual(new Set([200, 429]));
        expect(statuses.get(200)).toBeGreaterThan(200);
      }
      // What opens no session there is refused by the gateway, but counts.
      const statuses = await statusesFrom('127.0.0.73', count, polling.replace('polling', 'none'), {
        method: 'GET',
        atOnce,
      });
      expect(new Set(statuses.keys())).toEqual(new Set([400, 429]));
      expect(await statusFrom('127.0.0.73', `${polling}&sid=none`)).toBe(404);
      expect(await statusFrom('127.0.0.74', polling)).toBe(200);
      expect(await statusFrom('127.0.0.71', `${url}/api/profile`)).toBe(200);
    });
  },
);

testHaproxy('HAProxy ends the guessing of keys, and nothing else', async () => {
  const gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([{ id: 'one', key: 'a-key-that-is-good', subscribe: ['*'] }]),
    TRUSTED_PROXIES: 'loopback',
  });
  const proxy = await launchProxy('haproxy', [gateway.port, gateway.port]);
  kept({ close: () => Promise.all([proxy.stop(), gateway.stop()]) });
  const me = `${proxy.url}/api/me`;
  const guesses = await statusesFrom('127.0.0.81', 150, me, {
    headers: { 'X-API-Key': 'a-guess' },
    atOnce: 1,
  });
  expect([guesses.get(401), guesses.get(429)]).toEqual([101, 49]);
  const good = { 'X-API-Key': 'a-key-that-is-good' };
  expect(await statusFrom('127.0.0.82', me, undefined, good)).toBe(200);
  // What is not there is no guess.
  const strays = await statusesFrom('127.0.0.83', 150, `${proxy.url}/none`, { headers: good, atOnce: 1 });
  expect([...strays]).toEqual([[404, 150]]);
});

testHaproxy('HAProxy finds the node of a session by its cookie, wherever the client comes from', async () => {
  await behindAll(
    rigs.filter(({ name }) => name === 'haproxy'),
    async ({ proxy: { url } }) => {
      const handshake = await requestJson('GET', `${url}/socket.io/?EIO=4&transport=polling`);
      const { sid } = JSON.parse(handshake.text.slice(1)) as { sid: string };
      const [cookie, ...attributes] = String(handshake.headers['set-cookie']).split('; ');
      expect(cookie).toMatch(/^flipgate_node=[ab]$/);
      expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict']));
      const path = `${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
      const statuses = (headers: object): Promise<unknown[]> =>
        Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            // A packet that says nothing: a pong.
            statusFrom(`127.0.0.${String(index + 2)}`, path, '3', headers),
          ),
        );
      expect(new Set(await statuses({ Cookie: cookie }))).toEqual(new Set([200]));
      expect(new Set(await statuses({}))).toEqual(new Set([200, 404]));
    },
  );
});

testBehind('the API passes unchanged, refusals too, and what is for operators stays inside', async () => {
  await behindAll(rigs, async ({ proxy: { url } }) => {
    const [id] = await publish(url, { type: 'fact_added', room: 'other', data: 1 });
    const state = await requestJson('GET', `${url}/api/rooms/other/events`);
    expect(state.json).toMatchObject({ events: [{ id }] });
    const etag = String((await requestJson('GET', `${url}/api/rooms/other/state`)).headers.etag);
    const again = await requestJson('GET', `${url}/api/rooms/other/state`, undefined, {
      'If-None-Match': etag,
    });
    expect(again.status).toBe(304);
    const command = { action: 'host-monitor.stop' };
    expect((await requestJson('POST', `${url}/api/control`, command)).json).toMatchObject({
      status: 'succeeded',
    });
    // Between the limits of the proxies' defaults and the gateway's, and beyond that.
    const almost = { type: 'fact_added', room: 'other', data: 'x'.repeat(2_000_000) };
    expect((await requestJson('POST', `${url}/api/events`, almost)).status).toBe(202);
    const large = { ...almost, data: 'x'.repeat(3_000_000) };
    for (const [path, body, status, code] of [
      ['/api/events', large, 413, 'payload_too_large'],
      ['/api/events', { type: 'no type' }, 400, 'invalid_type'],
      ['/api/sessions/none/rooms', { join: 'a' }, 404, 'unknown_session'],
    ] as const) {
      const answer = await requestJson('POST', url + path, body);
      expect([answer.status, answer.json]).toEqual([status, { error: expect.objectContaining({ code }) }]);
    }
    for (const path of ['/api/admin/status', '/API/Admin/status', '/api/admin/profile/', '/metrics']) {
      expect((await requestJson('GET', url + path)).status).toBe(200);
      expect(await statusFrom('127.0.0.99', url + path)).toBe(403);
    }
  });
});

testBehind('over HTTP/2 one connection carries twenty streams', async () => {
  await behindAll(rigs, async ({ proxy }) => {
    const session = http2.connect(proxy.secureUrl, { ca: proxy.certificate });
    kept({ close: () => session.destroy() });
    const welcomed = new Set<number>();
    const got = new Map<number, unknown[]>();
    for (let index = 0; index < STREAMS; index += 1) {
      const seen: unknown[] = [];
      got.set(index, seen);
      const stream = session.request({ ':path': '/api/events/stream' }).setEncoding('utf8');
      let text = '';
      stream.on('data', (part: string) => {
        text += part;
        if (text.includes('event: welcome')) welcomed.add(index);
        if (text.includes('"over h2"') && seen.length === 0) seen.push(text);
      });
    }
    await waitUntil(() => welcomed.size === STREAMS, 'all streams to be welcomed');
    await publish(proxy.url, { type: 'fact_added', data: 'over h2' });
    await waitUntil(() => [...got.values()].every(({ length }) => length === 1), 'all to get the event');
    expect(session.alpnProtocol).toBe('h2');
  });
});

testBehind(
  'a page opens twenty streams over HTTP/2, and a second tab as many; over HTTP/1.1 it gets six',
  async () => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      // Of a page it is handed, Chromium does not know that it comes from this machine.
      permissions: ['local-network-access'],
    });
    kept(context);
    await behindAll(rigs, async ({ name, proxy: { url, secureUrl } }) => {
      const pages = [
        await openStreams(context, secureUrl),
        await openStreams(context, secureUrl),
        await openStreams(context, url),
      ] as const;
      const wanted = [STREAMS, STREAMS, 6];
      const counts = (what: 'opened' | 'told'): Promise<number[]> =>
        Promise.all(pages.map((page) => page.evaluate<number>(`${what}.size`)));
      const untilAll = (what: 'opened' | 'told'): Promise<void> =>
        waitUntil(async () => String(await counts(what)) === String(wanted), `${what} ${String(wanted)}`);
      await untilAll('opened');
      await publish(url, { type: 'fact_added', data: `for pages behind ${name}` });
      await untilAll('told');
      expect(await pages[0].evaluate('protocol()')).toBe('h2');
      expect(await pages[0].evaluate('socket()')).toBe('websocket');
    });
  },
);

testBehind(
  'flipgate flip goes by the node it asked, whichever answers; over TLS once it trusts the certificate',
  async () => {
    await behindAll(rigs, async ({ proxy: { url, secureUrl, certificate } }) => {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-proxied-'));
      try {
        const distrusted = await flipAll('SSE', secureUrl);
        expect([distrusted.code, distrusted.stdout]).toEqual([
          1,
          expect.stringContaining('NODE_EXTRA_CA_CERTS='),
        ]);
        const NODE_EXTRA_CA_CERTS = path.join(folder, 'ca.pem');
        writeFileSync(NODE_EXTRA_CA_CERTS, certificate);
        const flipped = await flipAll('SSE', secureUrl, { NODE_EXTRA_CA_CERTS });
        expect([flipped.code, flipped.stdout]).toEqual([
          0,
          expect.stringMatching(/SSE: done.*; (\S+ done.*){2}$/m),
        ]);
        const back = await flipAll('HYBRID', url);
        expect([back.code, back.stdout]).toEqual([
          0,
          expect.stringContaining('HYBRID: done, nobody had to move; '),
        ]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
  60_000,
);

const SECRET = 'a-token-that-no-log-may-have';

testBehind('nothing is served without TLS: a browser is sent there', async () => {
  // Caddy does this by itself, and at ports 80 and 443 alone.
  const able = rigs.filter(({ name }) => name !== 'caddy');
  await behindAll(able, async ({ proxy: { plainUrl } }) => {
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', { type: 'fact_added' }],
    ] as const) {
      const path = '/api/events?room=a';
      const { status, headers } = await requestJson(method, plainUrl + path, body, {
        Host: 'flipgate.example',
      });
      expect([status, headers.location]).toEqual([308, `https://flipgate.example${path}`]);
    }
  });
});

testBehind('no log of theirs has a token, be the nodes there or not', async () => {
  await behindAll(rigs, async ({ name, proxy, nodes }) => {
    const headers = {
      'X-API-Key': SECRET,
      Authorization: `Bearer ${SECRET}`,
      Cookie: `flipgate_token=${SECRET}`,
    };
    const ask = async (url: string): Promise<unknown> =>
      (await requestJson('GET', `${url}/api/profile?access_token=${SECRET}`, undefined, headers)).status;
    expect(await ask(proxy.url)).toBe(200);
    if (name !== 'caddy') expect(await ask(proxy.plainUrl)).toBe(308);
    await Promise.all(nodes.map((node) => node.kill()));
    expect([502, 503]).toContain(await ask(proxy.url));
    if (name === 'nginx') {
      const lines = (): string[] => proxy.requestLog().split('\n').slice(0, -1);
      await waitUntil(() => lines().at(-1)?.includes(' /api/profile 502 ') === true, 'the line of the log');
      expect(lines().at(-1)).toMatch(/^127\.0\.0\.1 \S+ GET \/api\/profile 502 \d+ [\d.]+ [\d.:]+, [\d.:]+$/);
    }
    if (name === 'caddy') {
      // Until it knows that both are gone it tells nobody.
      await waitUntil(async () => {
        await ask(proxy.url);
        return proxy.output().includes('/api/profile?…');
      }, 'the line of the log');
    }
    expect(proxy.output() + proxy.requestLog()).not.toContain(SECRET);
  });
});
