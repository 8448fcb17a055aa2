import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { ClientAddresses } from '../../../../src/profiles/http/client-address.js';
import { ConnectionLimits } from '../../../../src/profiles/http/connection-limits.js';

/** A connection from an address, and what it was told. */
class FakeSocket extends EventEmitter {
  told = '';
  readonly remoteAddress: string;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  end(text: string): void {
    this.told += text;
  }
}

function setUp(maxConnections: number, maxConnectionsPerAddress: number, trusted: readonly string[] = []) {
  const counters = new Counters();
  const limits = new ConnectionLimits(
    { maxConnections, maxConnectionsPerAddress },
    new ClientAddresses(trusted),
    counters,
  );
  const connect = (address = '1.2.3.4'): { admitted: boolean; socket: FakeSocket } => {
    const socket = new FakeSocket(address);
    return { admitted: limits.admit(socket as unknown as Socket), socket };
  };
  return { counters, connect };
}

describe('ConnectionLimits', () => {
  test('in all: one too many is told so, and one that leaves makes room', () => {
    const { connect, counters } = setUp(10, 0);
    const admitted = Array.from({ length: 1010 }, () => connect());
    expect(admitted.every((one) => one.admitted)).toBe(true);
    const refused = connect();
    expect(refused.admitted).toBe(false);
    expect(refused.socket.told).toMatch(/^HTTP\/1\.1 503 too_many_connections\r\n/);
    expect(counters.get('http_refused', 'too_many_connections')).toBe(1);
    admitted[0]?.socket.emit('close');
    expect(connect().admitted).toBe(true);
  });

  test('from one address, but for proxies', () => {
    const { connect } = setUp(0, 4, ['10.0.0.0/8']);
    const admitted = Array.from({ length: 20 }, () => connect());
    expect(admitted.every((one) => one.admitted)).toBe(true);
    expect(connect().admitted).toBe(false);
    expect(connect('1.2.3.5').admitted).toBe(true);
    admitted[0]?.socket.emit('close');
    expect([connect().admitted, connect().admitted]).toEqual([true, false]);
    expect(Array.from({ length: 50 }, () => connect('10.0.0.1').admitted)).not.toContain(false);
  });
});
