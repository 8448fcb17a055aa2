import { describe, expect, test } from '@jest/globals';
import {
  isTransportPath,
  profileDocument,
  transportDisabled,
} from '../../../../src/profiles/http/profile-document.js';

const served = (websocket: boolean, sse: boolean, control: boolean) =>
  ({ profile: 'HYBRID', transports: { websocket, sse, control }, reconnectJitterMs: 3000 }) as const;

describe('profileDocument', () => {
  test('names the path of what is on, and null for what is off', () => {
    expect(profileDocument(served(true, false, true))).toEqual({
      profile: 'HYBRID',
      transports: { websocket: { path: '/socket.io' }, sse: null },
      control: { path: '/api/control' },
      reconnect: { minMs: 1000, maxMs: 30_000, jitterMs: 3000 },
    });
    expect(profileDocument(served(false, true, false))).toMatchObject({
      transports: { websocket: null, sse: { path: '/api/events/stream' } },
      control: null,
    });
  });
});

test.each([
  ['/socket.io', true],
  ['/socket.io/', true],
  ['/socket.io/socket.io.js', true],
  ['/api/events/stream', true],
  ['/socket.iox', false],
  ['/api/events', false],
  ['/api/events/streams', false],
  ['/', false],
])('%s is a path of a transport: %s', (path, is) => {
  expect(isTransportPath(path)).toBe(is);
});

test('a transport that is off is refused with 404 and the profile’s name', () => {
  const refusal = transportDisabled(served(false, true, true));
  expect([refusal.code, refusal.status, refusal.message]).toEqual([
    'transport_disabled',
    404,
    expect.stringContaining('HYBRID'),
  ]);
});
