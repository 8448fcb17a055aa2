import { describe, expect, test } from '@jest/globals';
import {
  transportAt,
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
  ['/socket.io', 'websocket'],
  ['/socket.io/', 'websocket'],
  ['/socket.io/socket.io.js', 'websocket'],
  ['/api/events/stream', 'sse'],
  ['/socket.iox', undefined],
  ['/api/events', undefined],
  ['/api/events/streams', undefined],
  ['/', undefined],
])('%s is a path of the transport %s', (path, transport) => {
  expect(transportAt(path)).toBe(transport);
});

test('a transport that is off is refused with 404 and the profile’s name', () => {
  const refusal = transportDisabled(served(false, true, true), '/socket.io');
  expect([refusal.code, refusal.status, refusal.message]).toEqual([
    'transport_disabled',
    404,
    expect.stringContaining('HYBRID'),
  ]);
});

test('one that is on, and does not take anybody any more, is going down', () => {
  const refusal = transportDisabled(served(false, true, true), '/api/events/stream');
  expect([refusal.code, refusal.status]).toEqual(['shutting_down', 503]);
});
