import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { ClientAddresses } from '../../../../src/profiles/http/client-address.js';
import {
  ConnectionLimits,
  type ConnectionLimitsOptions,
} from '../../../../src/profiles/http/connection-limits.js';

/** A connection from an address, and what it was told. */
class FakeSocket extends EventEmitter {
  told = '';
  destroyed = false;
  readonly remoteAddress: string;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  end(text: string): void {
    this.told += text;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function setUp(options: Partial<ConnectionLimitsOptions>, trusted: readonly string[] = []) {
  const counters = new Counters();
  const limits = new ConnectionLimits(
    { maxConnections: 0, maxConnectionsPerAddress: 0, maxPendingPerAddress: 0, ...options },
    new ClientAddresses(trusted),
    counters,
  );
  const connect = (address = '1.2.3.4', isMember = false): { admitted: boolean; socket: FakeSocket } => {
    const socket = new FakeSocket(address);
    const admitted = limits.admit(socket as unknown as Socket);
    if (isMember) limits.hasSession(socket as unknown as Socket);
    return { admitted, socket };
  };
  const connectMany = (count: number, address?: string, isMember?: boolean): FakeSocket[] =>
    Array.from({ length: count }, () => {
      const { admitted, socket } = connect(address, isMember);
      expect(admitted).toBe(true);
      return socket;
    });
  return { limits, counters, connect, connectMany };
}

describe('ConnectionLimits', () => {
  test('in all: a newcomer takes the place of the oldest connection that has not signed in', () => {
    const { connect, connectMany, counters } = setUp({ maxConnections: 10 });
    const members = connectMany(1000, '1.2.3.4', true);
    const [oldest, ...others] = connectMany(10);
    expect(connect().admitted).toBe(true);
    expect(oldest?.destroyed).toBe(true);
    expect([...members, ...others].some(({ destroyed }) => destroyed)).toBe(false);
    expect(counters.get('connections_cut', 'displaced')).toBe(1);
  });

  test('in all: the requests of one known caller fill no node, however many connections it has for them', () => {
    const { limits, connect, connectMany, counters } = setUp({ maxConnections: 10 });
    const connections = connectMany(1010) as unknown as (FakeSocket & Socket)[];
    for (const socket of connections) limits.signedIn(socket, 'key:one');
    // Five hundred are its own; one of those that left makes way for another, and one may become a session.
    connections[0]?.destroy();
    limits.hasSession(connections[501] as Socket);
    for (let newcomer = 0; newcomer < 509; newcomer += 1)
      expect(connect('1.2.3.4', true).admitted).toBe(true);
    expect(connections.slice(1, 502).some(({ destroyed }) => destroyed)).toBe(false);
    expect(counters.get('connections_cut', 'displaced')).toBe(508);
    expect(connect().admitted).toBe(false);
  });

  test('in all: where all are members, one too many is told so, and one that leaves makes room', () => {
    const { connect, connectMany, counters } = setUp({ maxConnections: 10 });
    const [first] = connectMany(1010, '1.2.3.4', true);
    const refused = connect();
    expect(refused.admitted).toBe(false);
    expect(refused.socket.told).toMatch(/^HTTP\/1\.1 503 too_many_connections\r\n/);
    expect(counters.get('http_refused', 'too_many_connections')).toBe(1);
    first?.destroy();
    expect(connect().admitted).toBe(true);
  });

  test('from one address, but for proxies', () => {
    const { connect, connectMany } = setUp({ maxConnectionsPerAddress: 4 }, ['10.0.0.0/8']);
    const [first] = connectMany(20, '1.2.3.4', true);
    expect(connect().admitted).toBe(false);
    connectMany(1, '1.2.3.5');
    first?.destroy();
    const [silent] = connectMany(1);
    const [next] = connectMany(1);
    expect([silent?.destroyed, next?.destroyed]).toEqual([true, false]);
    connectMany(50, '10.0.0.1');
  });

  test('an IPv6 network is one address', () => {
    const { connect, connectMany } = setUp({ maxConnectionsPerAddress: 4 });
    for (let host = 1; host <= 20; host += 1) connectMany(1, `2001:db8:1:2::${host.toString(16)}`, true);
    expect(connect('2001:db8:1:2:ffff::1').admitted).toBe(false);
    expect(connect('2001:db8:1:3::1').admitted).toBe(true);
  });

  test('IPv4 clients of an IPv6 socket count by their own addresses', () => {
    const { connectMany } = setUp({ maxPendingPerAddress: 3, maxConnectionsPerAddress: 4 });
    const all = Array.from({ length: 200 }, (_, host) => connectMany(1, `::ffff:203.0.113.${String(host)}`));
    const local = connectMany(15, '::ffff:127.0.0.1');
    expect([...all.flat(), ...local].some(({ destroyed }) => destroyed)).toBe(false);
  });

  test('pending ones of one address: the oldest goes; those of this machine are exempt, and members not counted', () => {
    const { connectMany, counters } = setUp({ maxPendingPerAddress: 3 });
    const members = connectMany(10, '1.2.3.4', true);
    const silent = connectMany(5);
    expect(silent.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false, false]);
    const local = connectMany(50, '127.0.0.1');
    expect([...members, ...local].some(({ destroyed }) => destroyed)).toBe(false);
    expect(counters.get('connections_cut', 'displaced')).toBe(2);
  });
});
