import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { LargeAnswers } from '../../../../src/profiles/http/large-answers.js';
import { waitUntil } from '../../../support/wait-until.js';

/** Answers of several pieces that a principal may have under way. */
const LIMIT = 128;
const LARGE = ['x'.repeat(20_000_000)];

let counters: Counters;
let server: http.Server;
let url: string;
/** What is answered next. */
let texts: readonly string[];
/** How many of them were taken. */
let taken: number;

beforeEach(async () => {
  counters = new Counters();
  const answers = new LargeAnswers(counters);
  server = http.createServer((req, res) => {
    answers.sendJson(res, String(req.headers['x-principal']), takenFrom(texts));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  taken = 0;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function* takenFrom(all: readonly string[]): Generator<string> {
  for (const text of all) {
    taken += 1;
    yield text;
  }
}

/** An answer of which nothing is read yet. */
async function ask(principal: string, method = 'GET'): Promise<http.IncomingMessage> {
  const request = http.request(url, { agent: false, method, headers: { 'X-Principal': principal } });
  request.on('error', () => undefined).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response.on('error', () => undefined);
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return text;
}

describe('LargeAnswers', () => {
  test('sends all texts, whatever their lengths and characters', async () => {
    const pair = fc.integer({ min: 32_700, max: 32_800 }).map((length) => `${'x'.repeat(length)}😀é`);
    const one = fc.oneof(fc.string({ unit: 'grapheme' }), pair, fc.constant('😀'.repeat(40_000)));
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 6 }), async (all) => {
        texts = all;
        const response = await ask('a');
        expect(await textOf(response)).toBe(all.join(''));
      }),
      { numRuns: 60 },
    );
  });

  test('takes the texts as they are read', async () => {
    texts = Array.from({ length: 10_000 }, () => 'x'.repeat(10_000));
    const response = await ask('a');
    await waitUntil(() => taken > 10, 'the first pieces');
    expect(taken).toBeLessThan(5000);
    expect(await textOf(response)).toHaveLength(100_000_000);
  });

  test('limits the answers under way of a principal, and no others', async () => {
    texts = LARGE;
    const open = await Promise.all(Array.from({ length: LIMIT }, () => ask('a')));
    const refused = await ask('a');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    expect(JSON.parse(await textOf(refused))).toMatchObject({ error: { code: 'rate_limited' } });
    expect(counters.get('answers_refused', 'principal')).toBe(1);
    expect((await ask('b')).statusCode).toBe(200);
    texts = ['{}'];
    expect((await ask('a')).statusCode).toBe(200);
    texts = LARGE;
    open[0]?.destroy();
    await textOf(open[1] as http.IncomingMessage);
    const freed = async (): Promise<boolean> => (await ask('a')).statusCode === 200;
    await waitUntil(freed, 'the place of one that was left');
    await waitUntil(freed, 'the place of one that was read');
  });

  test('HEAD has no body, and takes no more than it must', async () => {
    texts = Array.from({ length: 1000 }, () => 'x'.repeat(10_000));
    const response = await ask('a', 'HEAD');
    expect([response.statusCode, await textOf(response)]).toEqual([200, '']);
    expect(taken).toBeLessThan(10);
  });
});
