import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { forEachKind } from '../../src/core/delivery/client-kind.js';
import type { Flip, MovedSessions } from '../../src/core/flip/flip-report.js';
import type { FlipsReport, Rollout } from '../../src/core/flip/flips.js';
import { runFlip } from '../../src/flip-command.js';

const ORIGIN = { by: 'key:operator', address: null, via: 'http', startedAt: 1 } as const;

/** Said where clients were cut off. */
const CUT_OFF = expect.stringContaining('not known to speak another transport') as unknown;

/** What each node answers, in turn as a proxy asks them; a node that is gone is left out. */
let nodes: Record<string, FlipsReport>;
/** Whose turn it is next. */
let turn: number;
/** What the status of each says of the cluster. */
let cluster: unknown;
/** What every request is answered with, where it is refused. */
let refused: object | undefined;
let lines: string[];
let server: Server;
/** Runs at every pause, with how many there were before. */
let meanwhile: (pauses: number) => void;

/** Clients of these kinds, of whom so many came back: all are still there, or none is. */
function sessionsOf(
  counts: { readonly sdk?: number; readonly eventsource?: number; readonly stock?: number },
  isDone: boolean,
  returned = 0,
): MovedSessions {
  const byKind = forEachKind((kind) => {
    const total = kind === 'bundle' ? 0 : (counts[kind] ?? 0);
    return { total, left: isDone ? 0 : total, ended: isDone ? total : 0 };
  });
  const { sdk, eventsource, stock } = byKind;
  const total = sdk.total + eventsource.total + stock.total;
  return {
    total,
    left: isDone ? 0 : total,
    clients: { moved: sdk.ended, returned, cutOff: eventsource.ended + stock.ended, gone: 0, byKind },
  };
}

function flipOf(id: number, state: Flip['state'], total = 0): Flip {
  const sessions = sessionsOf({ stock: total }, state === 'done');
  return { ...ORIGIN, id, from: 'SSE', to: 'HYBRID', state, sessions, error: null };
}

function reportOf(node: string, flip: Flip | null, rollout: Rollout | null = null): FlipsReport {
  const profile = flip?.to ?? 'SSE';
  const transports = { websocket: true, sse: true, control: true };
  return { node, profile, transports, since: 0, repeated: false, flip, rollout };
}

function rolloutOf(id: number, state: Rollout['state'], sessions: readonly number[] = [0, 0]): Rollout {
  return {
    ...ORIGIN,
    id,
    to: 'HYBRID',
    state,
    nodes: sessions.map((total, index) => ({
      id: `node-${String(index)}`,
      url: null,
      host: 'here',
      state: state === 'done' ? 'done' : 'draining',
      sessions: sessionsOf({ stock: total }, state === 'done'),
      error: null,
    })),
  };
}

async function flip(all = false): Promise<number> {
  const { port } = server.address() as AddressInfo;
  let pauses = 0;
  return await runFlip({
    profile: 'HYBRID',
    all,
    url: `http://127.0.0.1:${String(port)}`,
    token: undefined,
    print: (line) => lines.push(line),
    pause: () => {
      meanwhile(pauses);
      pauses += 1;
      return Promise.resolve();
    },
  });
}

beforeEach(async () => {
  turn = 0;
  lines = [];
  cluster = null;
  refused = undefined;
  nodes = {};
  meanwhile = () => undefined;
  server = createServer((req, res) => {
    const all = Object.values(nodes);
    const answer = refused ?? (req.url === '/api/admin/status' ? { cluster } : all[turn % all.length]);
    turn += 1;
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('a flip through a proxy that asks another node each time', () => {
  test('of all nodes goes by what the node says that was asked', async () => {
    nodes = {
      a: reportOf('a', null, rolloutOf(4, 'running', [30, 30])),
      // An older flip, and one of its own: neither is this one.
      b: reportOf('b', flipOf(9, 'done'), rolloutOf(5, 'done')),
      c: reportOf('c', null),
    };
    meanwhile = (pauses) => {
      if (pauses === 7) nodes['a'] = reportOf('a', flipOf(1, 'done', 30), rolloutOf(4, 'done', [30, 30]));
    };
    expect([await flip(true), lines]).toEqual([
      0,
      [
        'HYBRID: running; here/node-0 draining, 0 of 30 clients disconnected, here/node-1 draining, 0 of 30 clients disconnected',
        'HYBRID: done; 60 clients cut off (60 stock); here/node-0 done, 30 of 30 clients disconnected, here/node-1 done, 30 of 30 clients disconnected',
        CUT_OFF,
      ],
    ]);
  });

  test('does not take the end of another node’s flip of the same number for its own', async () => {
    nodes = {
      a: reportOf('a', null, rolloutOf(1, 'running')),
      b: reportOf('b', null, rolloutOf(1, 'done')),
    };
    meanwhile = (pauses) => {
      if (pauses === 5) nodes['a'] = reportOf('a', null, rolloutOf(1, 'failed'));
    };
    expect(await flip(true)).toBe(1);
    expect(lines.at(-1)).toContain('HYBRID: failed');
  });

  test('of one node says which it was', async () => {
    nodes = { a: reportOf('a', flipOf(3, 'draining', 5)), b: reportOf('b', flipOf(1, 'done')) };
    meanwhile = (pauses) => {
      if (pauses === 2) nodes['a'] = reportOf('a', flipOf(3, 'done', 5));
    };
    expect([await flip(), lines]).toEqual([
      0,
      [
        'SSE → HYBRID: draining, 0 of 5 clients disconnected',
        'SSE → HYBRID: done; 5 clients cut off (5 stock)',
        CUT_OFF,
        'flipped node a alone: several nodes answer at this address; --all flips all',
      ],
    ]);
  });

  test('of all nodes has failed where they do not know of each other', async () => {
    nodes = { a: reportOf('a', flipOf(1, 'done')), b: reportOf('b', null) };
    expect([await flip(true), lines]).toEqual([
      1,
      [
        'SSE → HYBRID: done, nobody had to move',
        'flipped node a alone: several nodes answer at this address, and it knows of no other (REDIS_URL)',
      ],
    ]);
  });

  test.each([
    [
      true,
      [{ profile: 'HYBRID' }, { profile: 'SSE' }],
      '1 of 2 nodes serve HYBRID; what became of all clients is not known',
    ],
    [true, null, 'node [bc] does, and serves SSE; what became of all clients is not known'],
    [false, null, 'node [bc] does, and serves SSE'],
  ])('is not done when the node that was asked is gone (all: %s, %j)', async (all, known, told) => {
    cluster = known === null ? null : { nodes: known };
    nodes = { a: reportOf('a', flipOf(1, 'draining', 5), all ? rolloutOf(1, 'running') : null) };
    meanwhile = () => {
      nodes = { b: reportOf('b', null), c: reportOf('c', null) };
    };
    expect(await flip(all)).toBe(1);
    const loss = new RegExp(`^node a, which was asked, answers no more at this address; ${told}$`);
    expect(lines.at(-1)).toMatch(loss);
  });
});

describe('a flip of the only node', () => {
  test('tells clients that moved and came back from those that were cut off', async () => {
    const during = { ...flipOf(1, 'draining'), sessions: sessionsOf({ sdk: 6, stock: 225 }, false) };
    const done = (returned: number): Flip => ({
      ...flipOf(1, 'done'),
      sessions: sessionsOf({ sdk: 6, stock: 225 }, true, returned),
    });
    nodes = { a: reportOf('a', during) };
    meanwhile = (pauses) => {
      nodes['a'] = reportOf('a', done(pauses < 3 ? 2 : 6));
    };
    expect([await flip(), lines]).toEqual([
      0,
      [
        'SSE → HYBRID: draining, 0 of 231 clients disconnected',
        'SSE → HYBRID: done; 6 SDK clients moved, 6 came back; 225 clients cut off (225 stock)',
        CUT_OFF,
      ],
    ]);
  });

  test('does not wait for ever for clients that do not come back', async () => {
    const sessions = sessionsOf({ sdk: 3, eventsource: 1 }, true, 1);
    nodes = { a: reportOf('a', { ...flipOf(1, 'done'), sessions }) };
    expect([await flip(), lines[0]]).toEqual([
      0,
      'SSE → HYBRID: done; 3 SDK clients moved, 1 came back; 1 client cut off (1 EventSource)',
    ]);
  });

  test('of a node whose version does not tell clients apart says only what is known', async () => {
    nodes = { a: reportOf('a', { ...flipOf(1, 'done'), sessions: { total: 5, left: 0, clients: null } }) };
    expect([await flip(), lines]).toEqual([0, ['SSE → HYBRID: done, 5 of 5 clients disconnected']]);
  });

  test('says that nobody had to move, and no more', async () => {
    nodes = { a: reportOf('a', flipOf(1, 'draining')) };
    meanwhile = () => {
      nodes['a'] = reportOf('a', flipOf(1, 'done'));
    };
    expect([await flip(), lines]).toEqual([
      0,
      ['SSE → HYBRID: draining', 'SSE → HYBRID: done, nobody had to move'],
    ]);
  });

  test('to the profile that is served already says so, whatever flip there was before', async () => {
    for (const before of [null, flipOf(1, 'done', 30), flipOf(1, 'failed', 30)]) {
      const repeated = { profile: 'HYBRID', since: Date.UTC(2026, 0, 2), repeated: true } as const;
      nodes = { a: { ...reportOf('a', before), ...repeated } };
      lines = [];
      expect([await flip(), lines]).toEqual([
        0,
        ['already serves HYBRID since 2026-01-02T00:00:00.000Z; nothing to do'],
      ]);
    }
  });

  test('that is repeated while clients are being moved waits for them', async () => {
    nodes = { a: { ...reportOf('a', flipOf(1, 'draining', 5)), repeated: true } };
    meanwhile = () => {
      nodes['a'] = reportOf('a', flipOf(1, 'done', 5));
    };
    expect([await flip(), lines]).toEqual([
      0,
      ['SSE → HYBRID: draining, 0 of 5 clients moved', 'SSE → HYBRID: done, 5 of 5 clients moved'],
    ]);
  });

  test('of all, where all serve it already, says so', async () => {
    const rollout = rolloutOf(1, 'done');
    const same = rollout.nodes.map((node) => ({ ...node, state: 'same' as const, sessions: null }));
    nodes = { a: { ...reportOf('a', null, { ...rollout, nodes: same }), repeated: true } };
    expect([await flip(true), lines]).toEqual([0, ['all 2 nodes serve HYBRID already; nothing to do']]);
  });

  test('of all tells of nodes that ended meanwhile', async () => {
    const rollout = rolloutOf(1, 'done');
    const [first, ...rest] = rollout.nodes;
    if (first === undefined) throw new Error('no node');
    const error = { code: 'node_unavailable', message: 'ended' } as const;
    const gone = { ...first, state: 'gone', sessions: null, error } as const;
    nodes = { a: reportOf('a', null, { ...rollout, nodes: [gone, ...rest] }) };
    expect([await flip(true), lines]).toEqual([
      0,
      ['HYBRID: done, nobody had to move; here/node-0 gone (ended), here/node-1 done'],
    ]);
  });

  test.each([
    [401, 'unauthenticated', 'Pass --token, or set FLIPGATE_TOKEN'],
    [401, 'invalid_token', 'Pass another --token'],
    [401, 'token_expired', 'Pass a newer --token'],
    [403, 'forbidden', 'Pass another --token'],
  ])('that is refused with %i %s names --token', async (_, code, hint) => {
    refused = { error: { code, message: 'no' } };
    expect([await flip(), lines]).toEqual([
      1,
      [expect.stringMatching(new RegExp(`^${code}: no\\. ${hint}.*the admin right "flip"\\.$`))],
    ]);
  });

  test('of all says so once', async () => {
    nodes = { a: reportOf('a', flipOf(1, 'done'), rolloutOf(1, 'done')) };
    expect([await flip(true), lines]).toEqual([
      0,
      ['HYBRID: done, nobody had to move; here/node-0 done, here/node-1 done'],
    ]);
  });
});
