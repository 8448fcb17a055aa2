import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io';
import type { Credentials } from '../../../../src/core/auth/authenticator.js';
import { Audit } from '../../../../src/core/audit.js';
import { DeniedPrincipals } from '../../../../src/core/auth/denied-principals.js';
import { DenyingAuthenticator } from '../../../../src/core/auth/denying-authenticator.js';
import { systemClock } from '../../../../src/core/clock.js';
import { Refusal } from '../../../../src/core/errors.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { Callers } from '../../../../src/profiles/http/callers.js';
import { ClientAddresses } from '../../../../src/profiles/http/client-address.js';
import { ConnectionLimits } from '../../../../src/profiles/http/connection-limits.js';
import { OriginPolicy } from '../../../../src/profiles/http/origin-policy.js';
import { RefusalAudit } from '../../../../src/profiles/http/refusal-audit.js';
import { EngineGuard } from '../../../../src/profiles/socketio/engine-guard.js';
import { SocketAdmission } from '../../../../src/profiles/socketio/socket-admission.js';
import { keyCaller } from '../../../support/caller.js';
import { DeliveryRig } from '../../../support/delivery-rig.js';
import { silentLogger } from '../../../support/silent-logger.js';

let shown: Credentials[];
let admission: SocketAdmission;
let admits: boolean;
/** Connections that have begun. */
let begun: Set<EventEmitter>;

beforeEach(() => {
  shown = [];
  admits = true;
  begun = new Set();
  const authenticator = {
    identify: (credentials: Credentials) => {
      shown.push(credentials);
      const { token = credentials.apiKey } = credentials;
      if (token === 'other') return keyCaller('key:other', { subscribe: ['*'] });
      const isGood = token === 'good' || token === 'renewed';
      return isGood ? keyCaller('key:good', { subscribe: ['*'] }) : new Refusal('invalid_token', 'no');
    },
  };
  const counters = new Counters();
  const denying = new DenyingAuthenticator(authenticator, new DeniedPrincipals(systemClock), counters);
  const addresses = new ClientAddresses([]);
  const unlimited = { maxConnections: 0, maxConnectionsPerAddress: 0, maxPendingPerAddress: 0 };
  const limits = new ConnectionLimits(unlimited, addresses, counters);
  const refusals = new RefusalAudit(new Audit(systemClock, silentLogger), addresses);
  admission = new SocketAdmission({
    delivery: DeliveryRig.ready().delivery,
    callers: new Callers(denying, addresses, new OriginPolicy([]), { limits, refusals }),
    guard: new EngineGuard({ clock: systemClock, counters }),
    admits: () => admits,
  });
});

/** A socket as Socket.IO makes it of a connection whose first request was this. */
function socketOf(
  conn: EventEmitter,
  auth: Record<string, unknown>,
  secrets: Record<string, string>,
): Socket {
  const url = `/socket.io/?EIO=4&access_token=${secrets['query'] ?? ''}`;
  const headers = { host: 'x', authorization: secrets['header'], cookie: 'a=b', 'x-api-key': secrets['key'] };
  const request = { url, headers, socket: { remoteAddress: '10.0.0.1' } };
  const query = { EIO: '4', access_token: secrets['query'] };
  const socket = { conn, request, handshake: { auth, headers, query, url } } as unknown as Socket;
  // The engine tells of a connection once, with its first request.
  if (!begun.has(conn)) admission.begin(Object.assign(socket.conn, { request: socket.request }));
  begun.add(conn);
  return socket;
}

/** A connection's further request that shows this key, or none. */
const requestWith = (key?: string): IncomingMessage =>
  ({ url: '/socket.io/?sid=x', headers: { 'x-api-key': key }, socket: {} }) as unknown as IncomingMessage;

const admit = (socket: Socket): Promise<Error | undefined> =>
  new Promise((resolve) => void admission.admit(socket, resolve));

describe('SocketAdmission', () => {
  test('takes what a client shows out of the handshake, which Socket.IO keeps and shows others', async () => {
    const auth = { bundle: true, token: 'good', apiKey: 'SECRET' };
    const socket = socketOf(new EventEmitter(), auth, {
      query: 'SECRET',
      header: 'Bearer SECRET',
      key: 'SECRET',
    });
    expect(await admit(socket)).toBeUndefined();
    expect(shown).toEqual([{ token: 'good' }]);
    expect(admission.principalOf(socket).id).toBe('key:good');
    expect(JSON.stringify(socket.handshake)).not.toMatch(/SECRET|good|a=b/);
    expect(socket.handshake.auth).toEqual({ bundle: true });
    expect(socket.request.headers).toEqual({ host: 'x' });
  });

  test('remembers what the request showed, for a client that leaves and comes again', async () => {
    const conn = Object.assign(new EventEmitter(), { close: () => undefined });
    const refused = await admit(socketOf(conn, { token: 'bad' }, { key: 'good' }));
    expect(refused).toMatchObject({ message: 'invalid_token' });
    const again = socketOf(conn, {}, {});
    expect(await admit(again)).toBeUndefined();
    expect(shown.at(-1)).toMatchObject({ apiKey: 'good' });
  });

  test('one connection is one session, also while it is not known yet whose', async () => {
    const conn = new EventEmitter();
    const [first, second] = [socketOf(conn, { token: 'good' }, {}), socketOf(conn, { token: 'good' }, {})];
    const both = await Promise.all([admit(first), admit(second)]);
    expect(both).toEqual([undefined, expect.objectContaining({ message: 'bad_request' })]);
  });

  test('a client whose transport went off meanwhile has its connection closed, and comes back', async () => {
    let closed = 0;
    const conn = Object.assign(new EventEmitter(), { close: () => void (closed += 1) });
    admits = false;
    void admission.admit(socketOf(conn, { token: 'good' }, {}), () => {
      throw new Error('it was answered');
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(1);
  });

  test('further requests of a connection must come from the client that opened it', async () => {
    const conn = new EventEmitter();
    const socket = socketOf(conn, {}, { key: 'good' });
    expect(await admit(socket)).toBeUndefined();
    const refusal = async (key?: string): Promise<string | undefined> =>
      (await admission.refusalForRequest(socket.conn, requestWith(key)))?.code;
    expect([await refusal('good'), await refusal('renewed')]).toEqual([undefined, undefined]);
    expect(await refusal('other')).toBe('forbidden');
    expect([await refusal('bad'), await refusal()]).toEqual(['invalid_token', 'invalid_token']);
  });

  test('where the handshake showed nothing, the id is all there is', async () => {
    const socket = socketOf(new EventEmitter(), { token: 'good' }, {});
    expect(await admission.refusalForRequest(socket.conn, requestWith())).toBeUndefined();
    expect(await admission.refusalForRequest(socket.conn, requestWith('other'))).toBeUndefined();
  });
});
