import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { rollOut } from '../../../src/rig/roll-out.js';

let server: Server;
let asked: number;
/** What the node answers that was asked first, after so many questions; another answers every other one. */
let own: (asked: number) => object;

beforeEach(async () => {
  asked = 0;
  server = createServer((_req, res) => {
    const other = { node: 'b', profile: 'SSE', flip: null, rollout: null };
    res.end(JSON.stringify(asked % 2 === 0 ? { node: 'a', flip: null, ...own(asked) } : other));
    asked += 1;
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const rolled = (onNode?: (node: number) => void): Promise<void> =>
  rollOut({
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    profile: 'HYBRID',
    ...(onNode === undefined ? {} : { onNode }),
  });

test('waits for the node that was asked, whichever answers in between', async () => {
  own = (count) => ({
    profile: count < 4 ? 'SSE' : 'HYBRID',
    rollout: {
      state: count < 4 ? 'running' : 'done',
      nodes: [{ host: 'x', state: 'draining', error: null }],
    },
  });
  const nodes: number[] = [];
  await rolled((node) => nodes.push(node));
  expect([asked, nodes]).toEqual([5, [1]]);
});

test('fails as that node says, whatever the others serve', async () => {
  own = (count) => {
    const nodes = [{ host: 'x', state: 'failed', error: { code: 'flip_failed', message: 'no' } }];
    return { profile: 'SSE', rollout: { state: count < 2 ? 'running' : 'failed', nodes } };
  };
  await expect(rolled()).rejects.toThrow('the flip failed: x: no');
});
