import { describe, expect, it } from '@jest/globals';
import { Fields } from '../../../src/console/fields.js';
import { describeFlip, describePlan, planFlip } from '../../../src/console/flip-plan.js';

const profiles = {
  WEBSOCKET: { websocket: true, sse: false },
  SSE: { websocket: false, sse: true },
  HYBRID: { websocket: true, sse: true },
};

function statusOf(
  profile: keyof typeof profiles,
  websocket: number,
  sse: number,
  nodes: object[] = [],
  more: object = {},
): Fields {
  return new Fields({
    profile,
    profiles,
    transports: profiles[profile],
    sessions: { websocket, sse },
    drainMs: 5000,
    cluster: nodes.length === 0 ? null : { nodes },
    ...more,
  });
}

const textOf = (status: Fields, to: string, all = false): string =>
  describePlan(planFlip(status, to, all)).join(' ');

describe('what a flip will do', () => {
  it('says how many come back and how many are cut off, where the gateway tells clients apart', () => {
    const clients = {
      websocket: { sdk: 6, bundle: 3, eventsource: 0, stock: 222 },
      sse: { sdk: 0, bundle: 0, eventsource: 0, stock: 0 },
    };
    const text = textOf(statusOf('WEBSOCKET', 231, 0, [], { clients }), 'SSE');
    expect(text).toContain('the 231 sessions that are connected by it will be closed');
    expect(text).toContain('The 6 SDK clients among them come back over SSE, and miss nothing.');
    expect(text).toContain('Cut off: 3 bundle, 222 stock. They are not known to speak another transport');
    const one = { ...clients, websocket: { sdk: 1, bundle: 0, eventsource: 0, stock: 0 } };
    const gentle = textOf(statusOf('WEBSOCKET', 1, 0, [], { clients: one }), 'SSE');
    expect(gentle).toContain('The SDK client among them comes back over SSE, and misses nothing.');
    expect(gentle).not.toContain('Cut off');
  });

  it('says who has to move, over which time, and who can not follow', () => {
    const status = statusOf('WEBSOCKET', 120, 0);
    expect(planFlip(status, 'SSE', false)).toMatchObject({
      coming: ['sse'],
      going: [{ transport: 'websocket', sessions: 120 }],
      seconds: 1.2,
    });
    const text = textOf(status, 'SSE');
    expect(text).toContain('This node will serve SSE instead of WEBSOCKET.');
    expect(text).toContain('SSE is served at once.');
    expect(text).toContain('the 120 sessions that are connected by it will be closed over about 1 s');
    expect(text).toContain('come back over SSE, and miss nothing');
    expect(text).toContain('Clients that only know Socket.IO can not follow');
  });

  it('the other way, it is clients of event streams that can not follow', () => {
    const text = textOf(statusOf('SSE', 0, 1), 'WEBSOCKET');
    expect(text).toContain('the one session that is connected by it');
    expect(text).toContain('Clients that only know SSE can not follow');
    expect(text).not.toContain('only know Socket.IO');
  });

  it('moves nobody where nothing goes off', () => {
    const text = textOf(statusOf('WEBSOCKET', 3, 0), 'HYBRID');
    expect(text).toContain('No client has to move.');
    expect(text).not.toContain('can not follow');
  });

  it('takes no longer than the configuration says, however many move', () => {
    expect(planFlip(statusOf('WEBSOCKET', 8000, 0), 'SSE', false).seconds).toBe(5);
  });

  it('of all nodes, counts the sessions of all', () => {
    const nodes = [
      { id: 'a', profile: 'WEBSOCKET', sessions: { websocket: 10, sse: 0 } },
      { id: 'b', profile: 'SSE', sessions: { websocket: 0, sse: 4 } },
      { id: 'c', profile: 'WEBSOCKET', sessions: { websocket: 20, sse: 0 } },
    ];
    const plan = planFlip(statusOf('WEBSOCKET', 10, 0, nodes), 'SSE', true);
    expect(plan).toMatchObject({ nodes: 3, going: [{ transport: 'websocket', sessions: 30 }] });
    expect(describePlan(plan)[0]).toContain('All 3 nodes, one after the other');
    expect(planFlip(statusOf('WEBSOCKET', 10, 0, nodes), 'SSE', false).going).toEqual([
      { transport: 'websocket', sessions: 10 },
    ]);
  });

  it('says of sessions only what it is told', () => {
    expect(describeFlip(statusOf('HYBRID', 1, 1), 'SSE', false).join(' ')).toContain('the one session');
    const text = describeFlip(new Fields({ profile: 'HYBRID', transports: {} }), 'SSE', false).join(' ');
    expect(text).toContain('This node will serve SSE instead of HYBRID.');
    expect(text).toContain('needs the right “status”');
  });

  it('does what it can with a status of another version', () => {
    expect(() => textOf(new Fields({}), 'SSE', true)).not.toThrow();
  });
});
