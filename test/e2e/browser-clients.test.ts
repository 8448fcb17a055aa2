import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { killLaunched, launchGateway, ROOT } from '../support/launched-gateway.js';
import { publish } from '../support/publish.js';
import { readmeSnippets } from '../support/readme-snippets.js';
import { freePort } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

let browser: Browser;
let page: Page;
/** Lines the page has logged. */
let lines: string[];
/** A site of its own, at another origin than the gateway, that serves `html`. */
let site: Server;
let origin: string;
let html = '';

beforeAll(async () => {
  browser = await launchBrowser();
  site = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html').end(html);
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  origin = `http://127.0.0.1:${String((site.address() as AddressInfo).port)}`;
});

afterAll(async () => {
  await browser.close();
  site.closeAllConnections();
  site.close();
});

beforeEach(async () => {
  lines = [];
  page = await browser.newPage();
  page.on('console', (message) => lines.push(message.text()));
});

afterEach(async () => {
  await page.close();
  await killLaunched();
});

async function hasLogged(pattern: RegExp): Promise<void> {
  await waitUntil(() => lines.some((line) => pattern.test(line)), `${String(pattern)} in the page`);
}

/** Opens a page of the gateway's own origin, as behind a proxy that serves an application and the gateway on one host. */
async function openBeside(url: string, body: string): Promise<void> {
  await page.route(`${url}/my-app`, (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(`${url}/my-app`);
}

/** Publishes until the page says it got one: a plain client doesn't tell when it is connected. */
async function publishUntilLogged(url: string, event: object, pattern: RegExp): Promise<void> {
  await waitUntil(
    async () => {
      await publish(url, event);
      await page.waitForTimeout(100);
      return lines.some((line) => pattern.test(line));
    },
    `${String(pattern)} in the page`,
  );
}

function readmeSnippet(name: string, url: string): string {
  const text = readmeSnippets().get(name);
  if (text === undefined) throw new Error(`the README has no snippet ${name}`);
  return text.replaceAll('http://127.0.0.1:5002', url);
}

describe("the README's pages, at an origin of their own", () => {
  it('receive over EventSource', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'SSE', CORS_ORIGINS: origin });
    html = readmeSnippet('browser-sse', gateway.url);
    await page.goto(origin);
    await publishUntilLogged(gateway.url, { type: 'fact_added', data: { fact: 1 } }, /^fact_added .*fact: 1/);
  });

  it('receive over socket.io', async () => {
    const gateway = await launchGateway({
      APP_PROFILE: 'WEBSOCKET',
      CORS_ORIGINS: origin,
      HOST_MONITOR: 'true',
    });
    html = readmeSnippet('browser-socketio', gateway.url);
    await page.goto(origin);
    await hasLogged(/^system_load_update .*cpuPercent: /);
  });

  it('go on over the other transport after a flip, and back, and miss nothing', async () => {
    const variables = {
      PORT: String(await freePort()),
      CORS_ORIGINS: origin,
      REDIS_URL: process.env.TEST_REDIS_URL,
      REDIS_KEY_PREFIX: `test-sdk-${String(process.pid)}`,
    };
    let gateway = await launchGateway({ ...variables, APP_PROFILE: 'WEBSOCKET' });
    html = readmeSnippet('browser-sdk', gateway.url);
    await page.goto(origin);
    await publishUntilLogged(gateway.url, { type: 'fact_added', data: 'first' }, /^fact_added first/);
    for (const [profile, fact] of [
      ['SSE', 'second'],
      ['WEBSOCKET', 'third'],
    ] as const) {
      await gateway.stop();
      gateway = await launchGateway({ ...variables, APP_PROFILE: profile });
      // Before the page is back: only its cursor brings it this one.
      await publish(gateway.url, { type: 'fact_added', data: fact });
      await hasLogged(new RegExp(`^fact_added ${fact}`));
    }
    expect(lines.filter((line) => /second|third/.test(line))).toEqual([
      'fact_added second',
      'fact_added third',
    ]);
  });

  it('of React have the last event and the state', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID', CORS_ORIGINS: origin });
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { createElement, useEffect, useState, useSyncExternalStore } from 'react';
          import { createRoot } from 'react-dom/client';
          import { FlipgateClient } from '${gateway.url}/client.js';
          ${readmeSnippet('react', gateway.url)}
          const client = new FlipgateClient('${gateway.url}');
          function App() {
            const { last, state } = useFlipgate(client, 'fact_added');
            console.log('react', state, last?.data);
            return null;
          }
          createRoot(document.body).render(createElement(App));`,
        resolveDir: ROOT,
      },
      bundle: true,
      format: 'esm',
      write: false,
      external: [`${gateway.url}/client.js`],
      define: { 'process.env.NODE_ENV': '"production"' },
    });
    html = `<body></body><script type="module">${outputFiles[0]?.text ?? ''}</script>`;
    await page.goto(origin);
    await hasLogged(/^react live undefined/);
    await publish(gateway.url, { type: 'fact_added', data: 'rendered' });
    await hasLogged(/^react live rendered/);
  });

  it('are refused when their origin is not listed', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'HYBRID', HOST_MONITOR: 'true' });
    html = readmeSnippet('browser-sse', gateway.url) + readmeSnippet('browser-socketio', gateway.url);
    await page.goto(origin);
    await hasLogged(/\/api\/events\/stream.* blocked by CORS policy/);
    await hasLogged(/\/socket\.io\/.* blocked by CORS policy/);
    expect(lines.filter((line) => line.startsWith('system_load_update'))).toEqual([]);
  });
});

describe('plain clients in a page of the gateway’s own origin', () => {
  it('use socket.io, commands and bundles', async () => {
    const gateway = await launchGateway({ APP_PROFILE: 'WEBSOCKET', HOST_MONITOR: 'true' });
    await openBeside(
      gateway.url,
      `<script src="/socket.io/socket.io.js"></script>
       <script>
         const legacy = io();
         legacy.on('kb_update', (data) => console.log('legacy', data.facts));
         legacy.emit('no_such_command', {}, (answer) => console.log('ack', answer.error.code));
         const bundles = io({ forceNew: true, auth: { bundle: true } });
         bundles.on('events', (events) => {
           for (const { type, data } of events) if (type === 'kb_update') console.log('bundle', data.facts);
         });
         fetch('/api/control', {
           method: 'POST',
           headers: { 'Content-Type': 'application/json' },
           body: JSON.stringify({ action: 'host-monitor.stop' }),
         }).then((answer) => answer.json()).then(({ result }) => console.log('running', result.running));
       </script>`,
    );
    await hasLogged(/^ack unknown_/);
    await hasLogged(/^running false$/);
    const event = { type: 'kb_update', data: { facts: 42 } };
    await publishUntilLogged(gateway.url, event, /^legacy 42$/);
    await publishUntilLogged(gateway.url, event, /^bundle 42$/);
  });

  it('use EventSource, which comes back to a killed gateway and misses nothing', async () => {
    const port = await freePort();
    const prefix = `test-eventsource-${String(process.pid)}-${String(Date.now())}`;
    const variables = {
      APP_PROFILE: 'SSE',
      PORT: String(port),
      REDIS_URL: process.env.TEST_REDIS_URL,
      REDIS_KEY_PREFIX: prefix,
      REDIS_CHANNELS: `${prefix}-events`,
    };
    const gateway = await launchGateway(variables);
    await openBeside(
      gateway.url,
      `<script>
         const stream = new EventSource('/api/events/stream?rooms=default');
         stream.onmessage = ({ data }) => {
           for (const event of JSON.parse(data)) console.log('got', event.data.n);
         };
         stream.addEventListener('welcome', ({ data }) => console.log('resumed', JSON.parse(data).resumed));
       </script>`,
    );
    await hasLogged(/^resumed false$/);
    await publish(gateway.url, { type: 'counted', data: { n: 1 } });
    await hasLogged(/^got 1$/);
    await gateway.kill();
    const again = await launchGateway(variables);
    await publish(again.url, { type: 'counted', data: { n: 2 } });
    await hasLogged(/^resumed true$/);
    await publish(again.url, { type: 'counted', data: { n: 3 } });
    await hasLogged(/^got 3$/);
    expect(lines.filter((line) => line.startsWith('got'))).toEqual(['got 1', 'got 2', 'got 3']);
  });
});
